"""Days and moments by periods, days of the week and hours."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wardbook.twin.marginals import Told

_OFFSETS = {
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
    "quarter": pd.DateOffset(months=3),
    "year": pd.DateOffset(years=1),
}
_NIGHT_HOUR = 2
"""On two Sundays a year some of it is not there, or there twice."""


def draw_moments(
    generator: np.random.Generator, told: Told, size: int, made: date
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Draw moments by the minute, none after the day `made`, and the period that each is of."""
    ((_, cells),) = told.groups
    starts = [str(code) for code, _ in cells]
    weights = np.array([n for _, n in cells], dtype=float)
    chosen = generator.choice(len(cells), size=size, p=weights / weights.sum())
    days = np.empty(size, dtype="datetime64[D]")
    of_week = _shares(told.weekdays, 7)
    for number, start in enumerate(starts):
        rows = np.flatnonzero(chosen == number)
        if len(rows):
            days[rows] = _draw_days(generator, start, told.unit, of_week, made, len(rows))
    minutes = np.zeros(size, dtype=np.int64)
    if told.hours:
        hours = generator.choice(24, size=size, p=_shares(told.hours, 24))
        minutes = hours * 60 + generator.integers(0, 60, size)
    moments = days.astype("datetime64[m]") + minutes.astype("timedelta64[m]")
    return skip_changes(moments), np.array(starts, dtype=object)[chosen]


def reach_of(told: Told, made: date) -> np.datetime64:
    """Return the first moment that is later than the data reach."""
    ((_, cells),) = told.groups
    last = max(pd.Timestamp(str(code)) for code, _ in cells) + _OFFSETS[told.unit]
    return np.datetime64(min(last, pd.Timestamp(made) + pd.Timedelta(days=1)), "m")


def skip_changes(moments: NDArray[Any]) -> NDArray[Any]:
    """Return moments with none in the night hour in which the clock changes; they come later."""
    days = moments.astype("datetime64[D]")
    of_week = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    month = months.astype(np.int64) % 12 + 1
    hour = (moments - days).astype("timedelta64[h]").astype(np.int64)
    changes = (of_week == 6) & (of_month > 24) & np.isin(month, (3, 10)) & (hour == _NIGHT_HOUR)
    return np.where(changes, moments + np.timedelta64(2, "h"), moments)


def _draw_days(
    generator: np.random.Generator,
    start: str,
    unit: str,
    of_week: NDArray[np.float64],
    made: date,
    size: int,
) -> NDArray[Any]:
    first = pd.Timestamp(start)
    after = min(first + _OFFSETS[unit], pd.Timestamp(made) + pd.Timedelta(days=1))
    days = np.arange(np.datetime64(first, "D"), np.datetime64(after, "D"))
    if not len(days):
        days = np.array([np.datetime64(first, "D")])
    weights = of_week[(days.astype(np.int64) + 3) % 7]
    if not weights.sum():
        weights = np.ones(len(days))
    return generator.choice(days, size=size, p=weights / weights.sum())


def _shares(cells: tuple[tuple[str | None, int], ...], size: int) -> NDArray[np.float64]:
    weights = np.zeros(size)
    for code, count in cells:
        weights[int(code or 0)] = count
    return weights / weights.sum() if weights.sum() else np.full(size, 1 / size)
