"""The calendar of recurring requests: which period a day belongs to, and when the next begins.

Pure functions over days in the unit's time zone; moments are made from days only at the end, so
that a day of 23 or 25 hours is a day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Every = Literal["once", "daily", "weekly", "monthly"]


def period_of(every: Every, day: date) -> str:
    """Return the name of the period that a day belongs to: 2026-03-02, 2026-W10 or 2026-03.

    Names of later periods come later in the alphabet. What runs once has the one period "".
    """
    match every:
        case "once":
            return ""
        case "daily":
            return day.isoformat()
        case "weekly":
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case "monthly":
            return f"{day.year:04}-{day.month:02}"


def has_begun_anew(every: Every, period: str, day: date) -> bool:
    """Tell whether a day belongs to a later period than `period`.

    However many periods lie between, the answer is one: those that were missed are not made up
    for. A clock that goes back begins nothing.
    """
    return period_of(every, day) > period


def first_day_after(every: Every, period: str) -> date | None:
    """Return the first day of the period that follows `period`; None where none follows."""
    try:
        match every:
            case "once":
                return None
            case "daily":
                return date.fromisoformat(period) + timedelta(days=1)
            case "weekly":
                return date.fromisoformat(f"{period}-1") + timedelta(weeks=1)
            case "monthly":
                first = date.fromisoformat(f"{period}-01")
                return (first + timedelta(days=31)).replace(day=1)
    except OverflowError:
        return None


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which a day begins in a time zone.

    Where the clocks jump over midnight it is the moment of the jump; where midnight comes twice,
    the first.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)
