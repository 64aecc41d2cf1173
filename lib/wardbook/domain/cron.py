"""Cron expressions: what a requester may write, and the moments that they name.

The library reads an expression and lists the local times that it wants, on a calendar without
time zones. Which moment a local time is, is said here, by one rule for every expression: the one
that Debian's cron follows for jobs at fixed times.

- A local time that the clocks leave out is the moment at which they jump.
- A local time that comes twice is the first of the two moments.
- Two wanted local times that fall on one moment are one.

So every wanted local time is exactly one moment, and moments follow each other as local times do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from cronsim import CronSim, CronSimError

LONGEST = 100
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - local times have no zone here


class Unfit(ValueError):
    """A cron expression that is not taken; `code` is a message of topic `gate`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_cron(text: str) -> str:
    """Return a cron expression in plain form: five fields, one blank between them.

    Raises:
        Unfit: it cannot be read, never fires, or fires more often than once an hour.
    """
    fields = text.upper().split()
    if len(fields) != 5 or len(text) > LONGEST:
        raise Unfit("unreadable_cron")
    minute, hour, day, month, weekday = fields
    try:
        # Each field by itself: the library also refuses a 30th of February as unreadable.
        minutes = CronSim(f"{minute} {hour} * {month} {weekday}", _SOME_DAY).minutes
        CronSim(f"{minute} {hour} {day} * {weekday}", _SOME_DAY)
    except CronSimError:
        raise Unfit("unreadable_cron") from None
    plain = " ".join(fields)
    try:
        next(CronSim(plain, _SOME_DAY))
    except (CronSimError, StopIteration):
        raise Unfit("cron_never_fires") from None
    if len(minutes) > 1:
        raise Unfit("cron_too_often")
    return plain


def fires_after(cron: str, zone: tzinfo, moment: datetime) -> Iterator[datetime]:
    """Yield the moments after `moment`, in UTC, the earliest first.

    It ends where the calendar does.
    """
    local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    last = moment
    for wanted in _walk(CronSim(cron, local)):
        fire = moment_of(wanted, zone)
        if fire > last:
            yield fire
            last = fire


def fires_until(cron: str, zone: tzinfo, moment: datetime) -> Iterator[datetime]:
    """Yield the moments not after `moment`, in UTC, the latest first."""
    there = moment.astimezone(zone)
    local = there.replace(tzinfo=None, second=0, microsecond=0, fold=0) + _MINUTE
    if there.fold:
        # Later local times have been already: before the clocks went back.
        local += _DAY
    last: datetime | None = None
    for wanted in _walk(CronSim(cron, local, reverse=True)):
        fire = moment_of(wanted, zone)
        if fire <= moment and fire != last:
            yield fire
            last = fire


def moment_of(local: datetime, zone: tzinfo) -> datetime:
    """Return the moment, in UTC, that a local time is: see the rule above.

    Args:
        local: without a zone, to the minute.
        zone: whose clocks show it.
    """
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    while moment.astimezone(zone).replace(tzinfo=None, fold=0) != local:
        local += _MINUTE
        moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment


def _walk(wanted: CronSim) -> Iterator[datetime]:
    try:
        yield from wanted
    except (OverflowError, ValueError):
        return  # the calendar has no year 10000, and none before 1
