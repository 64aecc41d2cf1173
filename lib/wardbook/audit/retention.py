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

    REPRODUCTION = "reproduction"
    """An edition that was made again, with what differed."""
    RUN = "run"
    """The whole folder of a run."""
    EVIDENCE = "evidence"
    """The executed notebook, the logs and the review page of a run."""
    TEMPLATE = "template"
    """A version of a template, kept for making editions again."""
    EXTRACT = "extract"
    """What runs have read of a database, none of which stands any more."""
    TEXTS = "texts"
    """The ledger's copies of what people wrote."""


@dataclass(frozen=True)
class Kept:
    """Something of a run that stands, and when the run, or the reproduction, ended."""

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
    evidence, runs = settings.evidence_days, settings.runs_days
    days = {
        Category.REPRODUCTION: runs if evidence is None else evidence,
        Category.RUN: runs,
        Category.EVIDENCE: evidence,
    }
    judged = [
        (
            one,
            _is_over(one.ended, days[one.category], now),
            _refuse(records.get(one.request), one.request, settings, busy),
        )
        for one in sorted(kept, key=lambda one: list(days).index(one.category))
    ]
    going = {
        one.name
        for one, is_over, refusal in judged
        if one.category is Category.RUN and is_over and not refusal
    }
    for one, is_over, refusal in judged:
        if one.name in going and one.category is Category.EVIDENCE:
            continue  # it goes with the folder that it is in
        if is_over or (one.name in going and one.category is Category.REPRODUCTION):
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
