"""Local times of a hospital as moments: the hour that comes twice, and the one that never comes.

Exports write local time without its offset. Once a year the clock goes back and an hour comes
twice: what is written there may be either. Once a year an hour does not come at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from wardbook.delimited import Records, refuse_values

ZONE = "Europe/Paris"
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})?")


@dataclass(frozen=True)
class Moments:
    """A column of times in UTC, NaT where none is written.

    `earliest` and `latest` differ by an hour in the hour that comes twice and are the same
    elsewhere; `doubtful` tells for each row whether it is in that hour or in the one that never
    comes (which is read as an hour later).
    """

    earliest: pd.Series[pd.Timestamp]
    latest: pd.Series[pd.Timestamp]
    doubtful: pd.Series[bool]

    def after(self, start: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
        """Return the times as the ends of what began at `start`: not before it if that can be."""
        return self.earliest.where(~(self.earliest < start), self.latest)


def parse_moments(records: Records, column: str, *, optional: bool = False) -> Moments:
    """Return the column, local times YYYY-MM-DDTHH:MM with or without offset from UTC.

    Raises:
        DataProblem: a time is missing, has another form, or does not exist in the calendar.
    """
    allowed = ("",) if optional else ()
    refuse_values(
        records, column, lambda v: v not in allowed and not TIME.fullmatch(v), "time_form"
    )
    refuse_values(records, column, lambda v: bool(v) and not _exists(v), "date_impossible")
    values = records.frame[column].cat
    read = _localise(pd.Series(values.categories, dtype=object))
    spread = read.iloc[values.codes].set_axis(records.frame.index)
    return Moments(spread["earliest"], spread["latest"], spread["doubtful"])


def current_moment() -> pd.Timestamp:
    """Return the present moment in UTC: what is dated after it has not happened yet."""
    return pd.Timestamp.now("UTC")


def local_days(moments: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """Return the local day of each moment, without a zone."""
    return moments.dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()


def start_of_days(days: pd.DatetimeIndex, hour: int = 0) -> pd.DatetimeIndex:
    """Return the moments in UTC at which the local clock shows `hour` on each day."""
    return (days + pd.Timedelta(hours=hour)).tz_localize(ZONE).tz_convert("UTC")


def days_between(first: date, last: date) -> pd.DatetimeIndex:
    """Return the days from `first` to `last`, both included."""
    return pd.date_range(first, last, freq="D", unit="us")


def _localise(texts: pd.Series[str]) -> pd.DataFrame:
    naive = pd.to_datetime(texts.str[:16].replace("", None), format="%Y-%m-%dT%H:%M")
    naive = naive.astype("datetime64[us]")
    shift = pd.Timedelta(hours=1)
    sides = {
        name: naive.dt.tz_localize(ZONE, ambiguous=np.full(len(naive), first), nonexistent=shift)
        for name, first in (("earliest", True), ("latest", False))
    }
    never = sides["earliest"].dt.tz_localize(None) != naive
    read = pd.DataFrame({name: side.dt.tz_convert("UTC") for name, side in sides.items()})
    read["doubtful"] = ((read["earliest"] != read["latest"]) | never) & naive.notna()
    exact = texts.str.len() > len("2021-01-08T14:30")
    if exact.any():
        moments = pd.to_datetime(texts[exact], utc=True).astype("datetime64[us, UTC]")
        read.loc[exact, ["earliest", "latest"]] = np.array([moments, moments], dtype=object).T
        read.loc[exact, "doubtful"] = False
    return read


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
