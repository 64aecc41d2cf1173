"""The unit itself, and the services that it works for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    Field,
)

from wardbook.messages import Language
from wardbook.settings.section import Section, TimeZone


class UnitSettings(Section):
    """Who we are and where our folders stand. `state` is the secure side.

    `expiry_notice_days` before its legal basis expires, a recurring request says so. `open_to` are
    folders that every notebook may read and write beside its own. `contact` is whom requesters ask,
    a line of text.
    """

    name: str
    data_protection_officers: Annotated[tuple[str, ...], Field(min_length=1)]
    expiry_notice_days: Annotated[int, Field(ge=0)] = 30
    language: Language = "fr"
    time_zone: TimeZone = "Europe/Paris"
    contact: Annotated[str, Field(max_length=200)] = ""
    state: Path = Path("state")
    templates: Path | None = None
    open_to: tuple[Path, ...] = ()


class ServiceSettings(Section):
    """One hospital service: its GitLab project, who may approve and who may review.

    `policy` names a disclosure policy that is stricter than the unit's, where it needs one.
    """

    project: str
    approvers: tuple[str, ...]
    reviewers: tuple[str, ...]
    policy: str = ""
