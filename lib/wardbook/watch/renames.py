"""Codes that may have been renamed in the middle of a series: one ends where another begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

QUIET = 7
"""Days without a row before the first and after the last, from which on a code is new or gone."""


@dataclass(frozen=True)
class Renamed:
    """Nothing of code `old` comes from `day` on, and nothing of code `new` came before."""

    old: str
    new: str
    day: date


def find_renamed(
    frame: pd.DataFrame, column: str, *, quiet: int = QUIET, most: int = 5
) -> tuple[Renamed, ...]:
    """Say which codes of `column` follow one another within `quiet` days, the nearest first.

    `frame` has the columns date and `column`. A code that was there within the last `quiet` days
    of the series is not gone, one that was there within its first `quiet` days is not new.
    """
    seen = frame.groupby(frame[column].astype("str"))["date"].agg(["min", "max"])
    few = pd.Timedelta(days=quiet)
    gone = seen[seen["max"] < frame["date"].max() - few]["max"]
    new = seen[seen["min"] > frame["date"].min() + few]["min"]
    pairs = [
        (start - end, Renamed(str(old), str(code), start.date()))
        for old, end in gone.items()
        for code, start in new.items()
        if pd.Timedelta(0) < start - end <= few
    ]
    return tuple(pair for _, pair in sorted(pairs, key=lambda p: (p[0], p[1].old))[:most])
