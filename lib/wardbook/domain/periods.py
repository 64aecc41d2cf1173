"""Schedules and their periods: when a recurring request runs, and for what.

A schedule fires at moments. A period begins with one fire and ends before the next; it is named by
its first moment, and its run is made on it or, when nobody looked then, later in the period. What
it tells about is the span before: from the fire before to the period's own.

        fire            fire            fire            fire
    -----|---------------|---------------|---------------|-------->
         |<--- span ---->|<- period P -->|
                         P runs here, on what the span before it left

Decisions about them are in `wardbook.domain.catch_up`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

from wardbook.domain.cron import fires_after, fires_until, moment_of

CatchUp = Literal["skip", "latest", "all"]
WORDS: Mapping[str, str] = {"daily": "0 0 * * *", "weekly": "0 0 * * 1", "monthly": "0 0 1 * *"}
"""The schedules that have a name of their own."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Span:
    """A half-open stretch of time between two fires, both in the schedule's zone."""

    start: datetime
    end: datetime

    @property
    def first_day(self) -> date:
        """The day on which it begins."""
        return self.start.date()

    @property
    def last_day(self) -> date:
        """The day before the one on which it ends, so that spans share no day.

        A span that begins and ends on one day has that day.
        """
        return max(self.first_day, self.end.date() - timedelta(days=1))


@dataclass(frozen=True)
class Schedule:
    """When a request recurs, and what becomes of the periods that were missed.

    `every` is one of WORDS or a cron expression. `max_catch_up` bounds how many missed periods
    are made up for under the policy "all".
    """

    every: str
    zone: tzinfo
    catch_up: CatchUp = "latest"
    max_catch_up: int = 31

    @property
    def cron(self) -> str:
        """The cron expression."""
        return WORDS.get(self.every, self.every)

    def period_at(self, moment: datetime) -> str:
        """Return the name of the period that a moment lies in."""
        return self.name_of(next(fires_until(self.cron, self.zone, moment)))

    def name_of(self, start: datetime) -> str:
        """Return the name of the period that begins with a fire.

        2026-03-02, 2026-W10, 2026-03, or the local time of the fire: 2026-03-02T06:00. Each wanted
        local time fires once, so no two have one name; names of later periods come later in the
        alphabet.
        """
        local = start.astimezone(self.zone)
        match self.every:
            case "daily":
                return local.date().isoformat()
            case "weekly":
                year, week, _ = local.isocalendar()
                return f"{year:04}-W{week:02}"
            case "monthly":
                return f"{local.year:04}-{local.month:02}"
            case _:
                return local.replace(tzinfo=None).isoformat(timespec="minutes")

    def start_of(self, name: str) -> datetime:
        """Return the moment, in UTC, with which a period begins.

        Raises:
            ValueError: this schedule gives no such name.
        """
        match self.every:
            case "daily":
                local = datetime.combine(date.fromisoformat(name), time.min)
            case "weekly":
                local = datetime.combine(date.fromisoformat(f"{name}-1"), time.min)
            case "monthly":
                local = datetime.combine(date.fromisoformat(f"{name}-01"), time.min)
            case _:
                local = datetime.fromisoformat(name)
        return moment_of(local, self.zone)

    def start_after(self, name: str) -> datetime | None:
        """Return the moment, in UTC, with which the period after `name` begins; None at the end."""
        return _start_after(self, name)

    def told_by(self, name: str) -> Span:
        """Return the span that the run of a period tells about: the one that ended with it."""
        end = self.start_of(name)
        start = next(fires_until(self.cron, self.zone, end - _INSTANT))
        return Span(start.astimezone(self.zone), end.astimezone(self.zone))


@lru_cache(maxsize=4096)
def _start_after(schedule: Schedule, name: str) -> datetime | None:
    # Kept, because many requests share few schedules, and each is asked about at every pass.
    return next(fires_after(schedule.cron, schedule.zone, schedule.start_of(name)), None)


def day_begins(day: date, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, at which a day begins in a time zone.

    Where the clocks jump over midnight it is the moment of the jump; where midnight comes twice,
    the first.
    """
    return moment_of(datetime.combine(day, time.min), zone).astimezone(UTC)
