"""Indicators by day for France, regions and departments, computed from the parsed files.

All functions take frames with one row per department and day: columns department, date and counts,
as `select_totals(read_stock(…))` and `read_admissions(…)` give. Days are `datetime64`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pandas as pd

from wardbook.epidemic.geography import all_departments, all_regions, expected_departments
from wardbook.errors import DataProblem

Level = Literal["france", "region", "department"]
WINDOW = 7
KEYS: dict[Level, list[str]] = {
    "france": ["date"],
    "region": ["date", "region", "region_name"],
    "department": ["date", "department", "department_name", "region_name"],
}


@dataclass(frozen=True)
class Gaps:
    """What a series lacks: days without any department, and departments on single days."""

    days: tuple[date, ...]
    departments: tuple[str, ...]
    department_days: int


def find_gaps(frame: pd.DataFrame) -> Gaps:
    """Say which of the 101 departments are missing on which days between the first and the last."""
    seen = pd.crosstab(frame["date"], frame["department"].astype(str)) > 0
    expected = seen.reindex(columns=sorted(expected_departments()), fill_value=False)
    calendar = pd.date_range(seen.index.min(), seen.index.max(), freq="D")
    empty = calendar.difference(pd.DatetimeIndex(seen.index))
    absent = ~expected
    return Gaps(
        days=tuple(day.date() for day in empty),
        departments=tuple(absent.columns[absent.any()]),
        department_days=int(absent.to_numpy().sum()),
    )


def sum_by_day(frame: pd.DataFrame, level: Level) -> pd.DataFrame:
    """Return the sums of all counts by day and place, in order of day, then code.

    Columns: date; region, region_name or department, department_name, region_name; the counts.
    France is the sum over every department of the file.
    """
    keys = KEYS[level]
    counts = [name for name in frame.columns if name not in ("department", "date")]
    return _name_places(frame).groupby(keys, as_index=False, observed=True)[counts].sum()


def add_means(daily: pd.DataFrame, level: Level, counts: Sequence[str]) -> pd.DataFrame:
    """Put beside each count its mean over the day and the six before, in a column COUNT_mean7.

    Rounded to two decimals. Missing (NaN) where the series of the place does not hold all of these
    seven days: on its first six days, and for six days after a gap.
    """
    place = [key for key in KEYS[level] if key != "date"]
    indexed = daily.set_index(["date", *place])[list(counts)]
    wide = pd.DataFrame(indexed.unstack(place)) if place else indexed
    means = wide.asfreq("D").rolling(WINDOW, min_periods=WINDOW).mean().round(2)
    long = pd.DataFrame(means.stack(place, future_stack=True) if place else means)
    joined = daily.join(long.add_suffix("_mean7"), on=["date", *place])
    paired = [name for count in counts for name in (count, f"{count}_mean7")]
    return joined[["date", *place, *paired]]


def keep_period(daily: pd.DataFrame, start: date | None, end: date | None) -> pd.DataFrame:
    """Return the rows from `start` to `end`, both included; None leaves that side open."""
    wanted = pd.Series(data=True, index=daily.index)
    if start is not None:
        wanted &= daily["date"] >= pd.Timestamp(start)
    if end is not None:
        wanted &= daily["date"] <= pd.Timestamp(end)
    return daily[wanted].reset_index(drop=True)


def keep_regions(daily: pd.DataFrame, names: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows of the regions named; None keeps all."""
    if names is None:
        return daily
    return daily[daily["region_name"].isin(list(names))].reset_index(drop=True)


def compare_with_week_before(daily: pd.DataFrame) -> pd.DataFrame:
    """Return each region's last day: people in hospital and critical care, rates, change.

    Columns: date, region, region_name, then for hosp and rea the count, the rate per 100,000
    inhabitants (one decimal; NaN where the population is not known) and the change from seven days
    earlier (missing where that day is).
    """
    day = daily["date"].max()
    keys = ["region", "region_name"]
    now = daily[daily["date"] == day].set_index(keys)
    before = daily[daily["date"] == day - pd.Timedelta(days=WINDOW)].set_index(keys)
    thousands = {code: region.population for code, region in all_regions().items()}
    inhabitants = now.index.get_level_values("region").map(thousands).astype(float)
    table = pd.DataFrame({"date": now["date"]})
    for count in ("hosp", "rea"):
        change = now[count] - before[count].reindex(now.index)
        table[count] = now[count]
        table[f"{count}_per_100k"] = rate(now[count], inhabitants)
        table[f"{count}_change7"] = change.astype("Int64")
    table = table.reset_index()
    return table[["date", *keys, *[c for c in table.columns if c not in ("date", *keys)]]]


def rate(count: pd.Series[int], thousands: pd.Series[float] | pd.Index) -> pd.Series[float]:
    """Return counts per 100,000 inhabitants, one decimal, from populations in thousands."""
    return (count / thousands * 100).round(1)


def check_period(daily: pd.DataFrame, start: date | None, end: date | None, *, file: str) -> None:
    """Refuse a period that is reversed or holds no day of the series.

    Raises:
        DataProblem: with the two dates asked for, and the first and last day of the public file.
    """
    first, last = daily["date"].min().date(), daily["date"].max().date()
    asked = {"start": (start or first).isoformat(), "end": (end or last).isoformat()}
    if start and end and start > end:
        raise DataProblem("period_reversed", **asked)
    if keep_period(daily, start, end).empty:
        raise DataProblem(
            "period_without_data",
            file=file,
            **asked,
            first=first.isoformat(),
            last=last.isoformat(),
        )


def _name_places(frame: pd.DataFrame) -> pd.DataFrame:
    departments, regions = all_departments(), all_regions()
    codes = frame["department"].astype(str)
    region = codes.map({code: d.region for code, d in departments.items()})
    return frame.assign(
        department=codes,
        department_name=codes.map({code: d.name for code, d in departments.items()}),
        region=region,
        region_name=region.map({code: r.name for code, r in regions.items()}),
    )
