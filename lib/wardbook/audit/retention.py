"""What is kept how long, and what must never go: a pure decision over requests and run folders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from wardbook.domain.record import Record
from wardbook.domain.states import SETTLED, State
from wardbook.settings import RetentionSettings


class Category(StrEnum):
    """What is kept for a time of its own."""

    EVIDENCE = "evidence"
    """The executed notebook and the logs of a run."""
    RUN = "run"
    """The whole folder of a run."""
    TEXTS = "texts"
    """The ledger's copies of what people wrote."""


@dataclass(frozen=True)
class Kept:
    """Something that stands: a run's folder, or the evidence in it, and when the run ended."""

    category: Category
    name: str
    request: str
    ended: datetime | None


@dataclass(frozen=True)
class Due:
    """What is to be purged; `refusal` says why it must not be, although it is old enough."""

    category: Category
    name: str
    request: str
    refusal: str = ""


_OVER = frozenset({State.REFUSED, State.CLOSED, State.ANSWERED})


def plan_purge(
    records: Mapping[str, Record],
    kept: Iterable[Kept],
    settings: RetentionSettings,
    now: datetime,
    busy: Collection[str] = (),
) -> Iterator[Due]:
    """Yield what is older than the settings say, with what must not go and why.

    Args:
        records: every request of the ledger, by key.
        kept: what stands of runs.
        settings: how long each is kept, and the legal holds.
        now: the moment.
        busy: requests with effects that are not confirmed.
    """
    days = {Category.EVIDENCE: settings.evidence_days, Category.RUN: settings.runs_days}
    going: set[str] = set()
    for one in sorted(kept, key=lambda one: one.category is not Category.RUN):
        if one.name not in going and _is_over(one.ended, days[one.category], now):
            refusal = _refuse(records.get(one.request), one.request, settings, busy)
            if not refusal and one.category is Category.RUN:
                going.add(one.name)  # its evidence goes with it
            yield Due(one.category, one.name, one.request, refusal)
    for key, record in records.items():
        since = datetime.fromisoformat(record.changed_at)
        if not record.purged and _is_over(since, settings.texts_days, now):
            refusal = _refuse(record, key, settings, busy) or _refuse_texts(record)
            yield Due(Category.TEXTS, key, key, refusal)


def _is_over(since: datetime | None, days: int | None, now: datetime) -> bool:
    return days is not None and since is not None and now - since > timedelta(days=days)


def _refuse(
    record: Record | None, key: str, settings: RetentionSettings, busy: Collection[str]
) -> str:
    if key in settings.legal_hold:
        return "legal hold"
    if record is None:
        return "its request is not in the ledger"
    if record.state not in SETTLED or record.asked != record.gated:
        return f"its request is not settled ({record.state})"
    return "effects of its request are not confirmed" if key in busy else ""


def _refuse_texts(record: Record) -> str:
    """Where somebody may yet go on with a request, what it asks for is needed."""
    if record.state not in _OVER:
        return f"its request waits for a person ({record.state})"
    if record.state is State.ANSWERED and record.request and record.request.every != "once":
        return "its request recurs"
    return ""
