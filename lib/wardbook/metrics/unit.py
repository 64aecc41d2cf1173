"""What happened in the unit, as rows of its own metrics: a pure account of the ledger's events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from wardbook.domain.states import MOVES, State
from wardbook.metrics.unit_tables import SUCCEEDED, WHOLE
from wardbook.review.causes import Cause

WAY = (
    State.RECEIVED,
    State.ACCEPTED,
    State.PREPARED,
    State.RUNNING,
    State.CHECKED,
    State.HELD,
    State.RELEASED,
    State.DELIVERED,
)
"""The states on the way to an answer, in their order: how long each took is told."""
TARGETS: Mapping[str, State] = {
    "ticket.received": State.RECEIVED,
    **{move.event: move.target for move in MOVES if move.source is not move.target},
}
"""Where a request stands after an event; events that move nothing are not here."""
_BEGINS = frozenset({"ticket.received", "ticket.edited", "request.due", "run.forced"})
_UNSAID = "unsaid"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Happening:
    """One event of a request, and the template that the request asks for, "" for none."""

    at: datetime
    request: str
    event: str
    detail: Mapping[str, Any]
    template: str = ""


@dataclass(frozen=True)
class UnitRows:
    """Rows of the tables in `unit_tables`, in UTC."""

    lead_times: Rows = field(default_factory=list)
    refusals: Rows = field(default_factory=list)
    runs: Rows = field(default_factory=list)


def account_for(happenings: Iterable[Happening]) -> UnitRows:
    """Return what the whole histories of some requests come to.

    Args:
        happenings: all events of each of them, oldest first.
    """
    rows = UnitRows()
    ordered = sorted(happenings, key=lambda one: one.request)  # stable: each stays in its order
    for request, each in groupby(ordered, key=lambda one: one.request):
        history = list(each)
        rows.lead_times.extend(_tell_lead_times(request, history))
        for one in history:
            rows.refusals.extend(_tell_refusals(one))
            rows.runs.extend(_tell_run(one))
    return rows


def _tell_lead_times(request: str, history: Sequence[Happening]) -> Iterator[dict[str, Any]]:
    state: State | None = None
    since = begun = history[0].at
    for one in history:
        target = TARGETS.get(one.event)
        if target is None:
            continue
        if state in WAY:
            yield _lead_time(request, str(state), since, one.at)
        if one.event in _BEGINS:
            begun = one.at
        if one.event == "request.answered":
            yield _lead_time(request, WHOLE, begun, one.at)
        state, since = target, one.at


def _lead_time(request: str, step: str, since: datetime, until: datetime) -> dict[str, Any]:
    seconds = (until - since).total_seconds()
    return {"time": until, "request": request, "step": step, "seconds": seconds}


def _tell_refusals(one: Happening) -> Iterator[dict[str, Any]]:
    match one.event:
        case "gate.refused":
            step, causes = "gate", one.detail.get("problems", [])
        case "release.refused":
            step, causes = "rules", one.detail.get("rules", [])
        case "release.rejected":
            known = {int(cause): cause.word for cause in Cause}
            step, causes = "review", [known[n] for n in one.detail.get("causes", []) if n in known]
        case _:
            return
    for cause in dict.fromkeys(causes or [_UNSAID]):
        place = {"time": one.at, "request": one.request, "step": step, "cause": str(cause)}
        yield place | {"refusals": 1.0}


def _tell_run(one: Happening) -> Iterator[dict[str, Any]]:
    if one.event not in {"run.checked", "run.failed"}:
        return
    used = one.detail.get("used") or {}
    yield {
        "time": one.at,
        "request": one.request,
        "outcome": one.detail.get("failure", SUCCEEDED),
        "template": one.template,
        "runs": 1.0,
        "seconds": one.detail.get("seconds"),
        "cpu_seconds": used.get("cpu_seconds"),
        "peak_mb": used.get("peak_mb"),
    }
