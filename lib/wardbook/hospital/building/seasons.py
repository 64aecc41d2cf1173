"""When things happen: seasons, an epidemic, days of the week, hours, changes of the clock.

Days are counted from the hospital's first day, minutes from its midnight, in local time.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from wardbook.hospital.building.batch import FIRST_DAY, LAST_DAY

DAY = 1440
DAYS = (LAST_DAY - FIRST_DAY).days
EPIDEMIC_PEAK, EPIDEMIC_SPREAD = date(2025, 1, 20), 14.0
"""Day of the peak of an influenza; days of a standard deviation: it has the form of a bell."""
LEVEL_WINTER, LEVEL_EPIDEMIC = 0.06, 0.25
"""How much the logarithm of the number of visits is greater in midwinter, and at the peak."""

WEEKDAYS = {
    "emergency": (1.12, 1.02, 0.98, 0.97, 0.98, 0.95, 0.98),
    "inpatient": (1.35, 1.30, 1.20, 1.15, 0.85, 0.40, 0.75),
    "outpatient": (1.45, 1.45, 1.30, 1.45, 1.30, 0.05, 0.0),
}
"""Visits by day of the week from Monday on, relative to their mean."""
HOURS = {
    "emergency": (
        *(28, 22, 18, 16, 15, 16, 20, 32, 52, 68, 74, 72),
        *(66, 66, 68, 68, 67, 66, 68, 66, 60, 52, 44, 36),
    ),
    "inpatient": (
        *(2, 2, 2, 2, 2, 3, 12, 70, 90, 75, 60, 45),
        *(40, 60, 75, 65, 50, 35, 20, 12, 8, 6, 4, 3),
    ),
    "outpatient": (*(0,) * 8, 60, 100, 100, 70, 20, 60, 100, 100, 80, 40, *(0,) * 6),
}
"""Visits by the hour in which they begin, in any unit."""
_CLOCK_CHANGES = (date(2024, 3, 31), date(2024, 10, 27), date(2025, 3, 30), date(2025, 10, 26))
_CHANGE_MINUTES = np.array([(day - FIRST_DAY).days * DAY + 120 for day in _CLOCK_CHANGES])


def winter(day: np.ndarray) -> np.ndarray:
    """Return 1 in the middle of January, -1 in the middle of July, a cosine between them."""
    # The first day is a 1 January; two years are short enough to leave leap days alone.
    wave: np.ndarray = np.cos(2 * np.pi * (day - 14) / 365.25)
    return wave


def epidemic(day: np.ndarray) -> np.ndarray:
    """Return 1 at the peak of the epidemic, and less around it."""
    bell: np.ndarray = np.exp(-0.5 * ((day - _PEAK) / EPIDEMIC_SPREAD) ** 2)
    return bell


_PEAK = (EPIDEMIC_PEAK - FIRST_DAY).days
_GRID = np.arange(DAYS + 1, dtype="float64")
_LEVEL = np.exp(LEVEL_WINTER * winter(_GRID) + LEVEL_EPIDEMIC * epidemic(_GRID))
_ELAPSED = np.concatenate([[0.0], np.cumsum(_LEVEL[:-1])]) / _LEVEL[:-1].mean()


def later(day: np.ndarray, busy_days: np.ndarray) -> np.ndarray:
    """Return the day when so many average days' visits have come since `day`; past the end: inf."""
    elapsed = np.interp(day, _GRID, _ELAPSED) + busy_days
    days: np.ndarray = np.interp(elapsed, _ELAPSED, _GRID, right=np.inf)
    return days


def move_in_week(rng: np.random.Generator, day: np.ndarray, kind: str) -> np.ndarray:
    """Return another day of the same week, from Monday on, as many as `kind` has on each."""
    chances = np.array(WEEKDAYS[kind]) / sum(WEEKDAYS[kind])
    monday = day - (day + FIRST_DAY.weekday()) % 7
    moved: np.ndarray = monday + rng.choice(7, len(day), p=chances)
    return moved


def draw_minute(rng: np.random.Generator, count: int, kind: str) -> np.ndarray:
    """Return minutes of the day at which visits of a kind begin."""
    chances = np.array(HOURS[kind]) / sum(HOURS[kind])
    minute: np.ndarray = rng.choice(24, count, p=chances) * 60 + rng.integers(0, 60, count)
    return minute


def skip_clock_changes(minute: np.ndarray) -> np.ndarray:
    """Return times an hour later where they lie in an hour that is missing or comes twice."""
    hour = minute - minute % 60
    moved: np.ndarray = minute + np.where(np.isin(hour, _CHANGE_MINUTES), 60, 0)
    return moved
