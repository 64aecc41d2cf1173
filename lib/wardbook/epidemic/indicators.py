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


def keep_regions(daily: pd.DataFrame, names: Sequence[str] | None, *, file: str) -> pd.DataFrame:
    """Return the rows of the regions named; None keeps all.

    Raises:
        DataProblem: none of these regions has a row.
    """
    if names is None:
        return daily
    kept = daily[daily["region_name"].isin(list(names))].reset_index(drop=True)
    if kept.empty:
        raise DataProblem("region_without_data", file=file)
    return kept


def add_rates(daily: pd.DataFrame, level: Literal["region", "department"]) -> pd.DataFrame:
    """Put hosp and rea per 100,000 inhabitants beside the counts, one decimal.

    New columns hosp_per_100k and rea_per_100k, NaN where the population is not known.
    """
    places = all_regions() if level == "region" else all_departments()
    thousands = {code: place.population for code, place in places.items()}
    inhabitants = daily[level].map(thousands).astype(float)
    rates = {f"{n}_per_100k": (daily[n] / inhabitants * 100).round(1) for n in ("hosp", "rea")}
    return daily.assign(**rates)


def rate_in_france(stock: pd.DataFrame) -> pd.Series[float]:
    """Return people in hospital per 100,000 inhabitants of the 101 departments, by date."""
    places = [all_departments()[code] for code in expected_departments()]
    thousands = sum(place.population or 0 for place in places)
    counted = stock[stock["department"].isin([place.code for place in places])]
    return (counted.groupby("date")["hosp"].sum() / thousands * 100).round(1)


def compare_with_week_before(regions: pd.DataFrame) -> pd.DataFrame:
    """Return each region's last day beside the day a week earlier, highest rate first.

    Columns: date, region, region_name, then for hosp and rea the count, the rate per 100,000 and
    the change COUNT_change7 from seven days earlier, missing where the series lacks that day.
    """
    now, before = _last_day_and_week_before(regions)
    before = before.set_index("region")
    for count in ("hosp", "rea"):
        now[f"{count}_change7"] = (now[count] - now["region"].map(before[count])).astype("Int64")
    now = now.sort_values("hosp_per_100k", ascending=False, kind="stable", ignore_index=True)
    counts = [f"{n}{end}" for n in ("hosp", "rea") for end in ("", "_per_100k", "_change7")]
    return pd.DataFrame(now[["date", "region", "region_name", *counts]])


def change_in_week(france: pd.DataFrame, count: str) -> int | None:
    """Return how far `count` on the last day is above seven days earlier; None without that day."""
    now, before = _last_day_and_week_before(france)
    return None if before.empty else int(now[count].iloc[0] - before[count].iloc[0])


def rank_last_day(daily: pd.DataFrame) -> pd.DataFrame:
    """Return the last day's rows with a rate, highest hosp_per_100k first."""
    last = daily[daily["date"] == daily["date"].max()].dropna(subset="hosp_per_100k")
    return pd.DataFrame(last.sort_values("hosp_per_100k", ascending=False, kind="stable"))


def check_period(frame: pd.DataFrame, start: date | None, end: date | None, *, file: str) -> None:
    """Refuse a period that is reversed or holds no day of the series.

    Raises:
        DataProblem: with the dates asked for; an open side is written as three dots.
    """
    asked = {"start": start.isoformat() if start else "…", "end": end.isoformat() if end else "…"}
    if start and end and start > end:
        raise DataProblem("period_reversed", **asked)
    if keep_period(frame, start, end).empty:
        raise DataProblem("period_without_data", file=file, **asked)


def _last_day_and_week_before(daily: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    day = daily["date"].max()
    before = daily["date"] == day - pd.Timedelta(days=WINDOW)
    return daily[daily["date"] == day].reset_index(drop=True), daily[before]


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
