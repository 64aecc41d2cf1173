"""Ids of Jira's own, for the link that opens its create screen with a request filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from wardbook.settings.section import Section

ListField = Literal[
    "purpose", "legal_basis", "reference", "ethics", "template", "language", "recurrence"
]
"""Fields of a request that may be lists to choose from, in a unit's Jira."""

Id = Annotated[int, Field(ge=1)]


class JiraCreate(Section):
    """The create screen of the project of data requests.

    `components` gives each service the id of its component. `options` gives each option's id, for
    those fields that are lists to choose from. Jira takes a day in the format that it shows days
    in: `iso_days` says that this is YYYY-MM-DD, and otherwise days are left to the requester.
    """

    project_id: Id
    issue_type_id: Id
    components: Mapping[str, Id] = Field(default_factory=dict)
    options: Mapping[ListField, Mapping[str, Id]] = Field(default_factory=dict)
    iso_days: bool = False
