"""A request: a ticket that passed the gate, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from wardbook.domain.periods import CatchUp, Schedule
from wardbook.domain.ticket import Person
from wardbook.messages import Language

Purpose = Literal["care", "research"]


@dataclass(frozen=True)
class Request:
    """What the unit agreed to do.

    `parameters` are the requester's texts in the template's canonical form, by name;
    `sources` gives, for each source that the template declares, the name in the settings.
    `reference` and `expires` (ISO 8601) are in their plain form. Research alone has `ethics`, the
    ethics committee's reference, and `dpo`, the data-protection officer who signed. `colleagues`
    are accounts in Jira, each once, the requester's not among them.

    `every` is "once", or what Schedule takes; `zone` is "" for the unit's. They are those of the
    day on which the ticket passed the gate: a template that changes moves no request.
    """

    key: str
    title: str
    question: str
    service: str
    requester: str
    requester_name: str
    purpose: Purpose
    legal_basis: str
    reference: str
    expires: str
    approver: Person
    template: str
    parameters: Mapping[str, str]
    sources: Mapping[str, str]
    language: Language
    ethics: str = ""
    dpo: Person | None = None
    every: str = "once"
    zone: str = ""
    catch_up: CatchUp = "latest"
    max_catch_up: int = 31
    colleagues: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        """Those to whom sensitive outputs are sealed: who asked, then the colleagues named."""
        return (self.requester, *self.colleagues)

    def schedule(self, unit_zone: tzinfo) -> Schedule | None:
        """Return when the request recurs; None when it runs once."""
        if self.every == "once":
            return None
        zone = ZoneInfo(self.zone) if self.zone else unit_zone
        return Schedule(self.every, zone, self.catch_up, self.max_catch_up)
