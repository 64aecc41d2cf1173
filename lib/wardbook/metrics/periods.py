"""The periods of a metric: what a row's time stands for, when it begins, whether one is missing.

A time is a day, an ISO week (2026-W12), a month, a quarter (2026-T1), a year, two days with a
slash, or a moment in ISO 8601. All of a table are of one kind. A time without an offset is the
unit's own; series by the hour should have it, since local hours are missing or come twice when
clocks change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import pairwise

from wardbook.disclosure.codes import read_span
from wardbook.domain.cron import moment_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of days from the beginning of the first, or a moment, for which `days` is 0.

    `start` has an offset where the moment had one.
    """

    start: datetime
    days: int

    @property
    def kind(self) -> tuple[bool, bool]:
        """What the periods of one table must share to be compared."""
        return self.days == 0, self.start.tzinfo is not None

    def begins(self, zone: tzinfo) -> datetime:
        """Return the moment, in UTC, at which it begins in a time zone."""
        if self.start.tzinfo is not None:
            return self.start.astimezone(UTC)
        minute = self.start.replace(second=0, microsecond=0)
        return moment_of(minute, zone).astimezone(UTC) + (self.start - minute)


def read_period(code: str) -> Period | None:
    """Return the period that a code names, or None."""
    if span := read_span(code):
        first, last = span
        days = (last - first).days + 1
        if days < 1 or not 1800 < first.year < 9999:
            return None
        return Period(datetime.combine(first, time.min), days)
    try:
        start = datetime.fromisoformat(code.strip())
    except ValueError:
        return None
    return Period(start, 0) if 1800 < start.year < 9999 else None


@dataclass(frozen=True)
class Gaps:
    """How often a series breaks off, and with what first: a day, or a moment."""

    count: int
    first: str


def find_gaps(periods: Iterable[Period]) -> Gaps | None:
    """Return where periods of one kind do not follow each other, None where they all do.

    Stretches of days follow each other without a day between them, moments by the least distance of
    any two.
    """
    ordered = sorted(set(periods))
    steps = [after.start - one.start for one, after in pairwise(ordered)]
    breaks = [
        one.start + step
        for (one, after), step in (
            (pair, pair[0].days * _DAY or min(steps)) for pair in pairwise(ordered)
        )
        if after.start > one.start + step
    ]
    if not breaks:
        return None
    moment = ordered[0].days == 0
    first = breaks[0].isoformat(timespec="minutes") if moment else breaks[0].date().isoformat()
    return Gaps(len(breaks), first)


def find_overlaps(periods: Iterable[Period]) -> set[Period]:
    """Return the periods that begin before the one before them has ended."""
    ordered = sorted(set(periods))
    return {
        after
        for one, after in pairwise(ordered)
        if one.days and after.start < one.start + one.days * _DAY
    }
