"""Jira's create screen: the ids that a link to it needs, read where they are known."""

from __future__ import annotations

import json
from typing import get_args

from requests_sync.jira_port import JiraPort
from wardbook.settings import JiraFields
from wardbook.settings.create_link import JiraCreate, ListField


def read_create_screen(jira: JiraPort, fields: JiraFields) -> JiraCreate | None:
    """Return the ids of the first issue type whose create screen shows all fields of a request.

    None where there is none. How Jira shows days is not told; `iso_days` is False.

    Raises:
        ForeignFault: Jira could not be read.
    """
    project = jira.project()
    ids = fields.model_dump(exclude_none=True)
    for kind in project["issueTypes"]:
        shown = {one["fieldId"]: one for one in jira.create_fields(str(kind["id"]))}
        if shown.keys() >= set(ids.values()):
            lists = {
                name: shown[ids[name]].get("allowedValues") or []
                for name in get_args(ListField)
                if name in ids
            }
            return JiraCreate(
                project_id=int(project["id"]),
                issue_type_id=int(kind["id"]),
                components={one["name"]: int(one["id"]) for one in project["components"]},
                options={
                    name: {one["value"]: int(one["id"]) for one in options}
                    for name, options in lists.items()
                    if options
                },
            )
    return None


def write_create_section(create: JiraCreate) -> str:
    """Return the section of the settings that says so."""

    def table(ids: object) -> str:
        pairs = ids.items() if isinstance(ids, dict) else ()
        return "{ " + ", ".join(f"{_quote(name)} = {id_}" for name, id_ in pairs) + " }"

    lines = [
        "[jira.create]",
        f"project_id = {create.project_id}",
        f"issue_type_id = {create.issue_type_id}",
        f"iso_days = {'true' if create.iso_days else 'false'}",
        f"components = {table(create.components)}",
        "[jira.create.options]",
        *(f"{name} = {table(options)}" for name, options in create.options.items()),
    ]
    return "\n".join(lines)


def _quote(text: str) -> str:
    """Return a text as TOML writes it: as JSON does, but that it takes no DEL either."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
