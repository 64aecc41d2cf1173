"""The link to Jira's create screen with a request filled in: what the page needs to compose it."""

from __future__ import annotations

from typing import Any

from wardbook.settings import Settings

LONGEST = 4000
"""Characters of a link. Servers take 8,000; a login page carries the link along, encoded again."""


def write_link(settings: Settings) -> dict[str, Any] | None:
    """Return what the link is made of, ready for JSON; None where the settings do not say it."""
    create = settings.jira.create
    if create is None:
        return None
    fields = settings.jira.fields.model_dump(exclude_none=True)
    return {
        "address": f"{settings.jira.url.rstrip('/')}/secure/CreateIssueDetails!init.jspa",
        "pid": create.project_id,
        "issuetype": create.issue_type_id,
        "components": create.components,
        "fields": fields,
        "options": create.options,
        "iso_days": create.iso_days,
        "longest": LONGEST,
    }
