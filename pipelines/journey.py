"""A request's journey: where it stands and how long each step took, from the ledger alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from pipelines.house import House
from requests_sync.foreign_text import title_of
from wardbook.domain.record import Record

STEP_ENDS: Mapping[str, str] = {
    "gate.refused": "gate",
    "gate.accepted": "gate",
    "request.prepared": "gate",
    "run.started": "prepare",
    "run.failed": "run",
    "run.checked": "run",
    "release.standing": "check",
    "release.held": "check",
    "release.refused": "check",
    "release.approved": "release",
    "release.rejected": "release",
    "deliverable.delivered": "release",
    "request.answered": "deliver",
}
"""The step that each event ends. Effects intended by a move happen after it: in the next step."""


@dataclass(frozen=True)
class Journey:
    """One line of the table: `seconds` by step, in the order of the way.

    `addresses` are those of the last run that was delivered.
    """

    key: str
    title: str
    state: str
    addresses: tuple[str, ...]
    seconds: Mapping[str, float]


def journey_of(house: House, record: Record) -> Journey:
    """Return the journey of a request as far as it has come."""
    seconds: dict[str, float] = {}
    events = house.ledger.events(record.key)
    for before, event in pairwise(events):
        step = STEP_ENDS.get(event.event)
        if step:
            seconds[step] = seconds.get(step, 0.0) + _between(before.at, event.at)
    settled = house.ledger.last_effect_at(record.key)
    if (
        settled
        and events
        and record.state in {"answered", "refused", "failed", "rejected", "paused"}
    ):
        seconds["answer"] = max(0.0, _between(events[-1].at, settled))
    delivered = record.links.deliverables
    return Journey(
        key=record.key,
        title=title_of(record.ticket.summary),
        state=record.state.value,
        addresses=tuple(one.address for one in delivered if one.run == delivered[-1].run),
        seconds=seconds,
    )


def _between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
