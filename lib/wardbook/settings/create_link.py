"""Ids of Jira's own, for the link that opens its create screen with a request filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from wardbook.settings.section import Section

Id = Annotated[int, Field(ge=1)]


class JiraCreate(Section):
    """The create screen of the project of data requests.

    `components` gives each service the id of its component. `options` gives those fields of
    `[jira.fields]` that are lists to choose from each option's id, and `language` likewise. Jira
    takes a day in the format that it shows days in: `iso_days` says that this is YYYY-MM-DD, and
    otherwise days are left to the requester.
    """

    project_id: Id
    issue_type_id: Id
    components: Mapping[str, Id] = Field(default_factory=dict)
    options: Mapping[str, Mapping[str, Id]] = Field(default_factory=dict)
    iso_days: bool = False
