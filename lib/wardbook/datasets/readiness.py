"""Whether data can be true, are recent and whole: looked at before a notebook reads them.

What is found names columns, rules, places (wards) with many rows, and counts; never another value.
A finding *refuses* where figures made of the data would be wrong, and *holds* what is made of them
where a person has to know and decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from wardbook.datasets.dataset import Column, Dataset, Kind
from wardbook.datasets.finding import Expected, Finding
from wardbook.domain.output import Verdict

if TYPE_CHECKING:
    import pandera.pandas as pa

FEW = 0.01
"""Up to this share of the rows, impossible values hold; above it they refuse: it is no slip."""
EXPECTED = 10.0
"""A silence tells something where at the place's own pace so many rows were expected in it: by
chance, one of 22,000 such silences has none (Poisson)."""
MANY = 30
"""Rows that a place needs before anything is said of it, its name included."""
MISSING, ELSEWHERE = 0.5, 0.1
"""A place's share of missing values that is told, and the most that all others have."""
RENAMED_DAYS, RENAMED_PACE = 14, 2.0
"""A place that appears so near to where another falls silent, at up to so many times its pace or
down to as many parts of it, is taken for the same under a new name."""
_DTYPES = {
    Kind.TEXT: "str",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.DAY: "datetime64[us]",
    Kind.MOMENT: "datetime64[us]",
    Kind.FLAG: "bool",
}


def look_at(
    dataset: Dataset, frame: pd.DataFrame, source: str, expected: Expected
) -> tuple[Finding, ...]:
    """Look at everything; `source` is what findings call the data."""
    found = [
        *check_schema(dataset, frame),
        *check_freshness(dataset, frame, expected),
        *check_places(dataset, frame),
    ]
    return tuple(Finding(one.verdict, one.code, {"file": source, **one.details}) for one in found)


# --- schema ---------------------------------------------------------------------------------------


def schema_of(dataset: Dataset) -> pa.DataFrameSchema:
    """Return the Pandera schema of a dataset."""
    import pandera.pandas as pa

    return pa.DataFrameSchema(
        {column.name: _column_schema(column) for column in dataset.columns},
        unique=list(dataset.key) or None,
        report_duplicates="exclude_first",
    )


def _column_schema(column: Column) -> pa.Column:
    import pandera.pandas as pa

    is_integer = column.kind is Kind.INTEGER and column.optional
    checks = []
    if column.choices:
        checks.append(pa.Check.isin(column.choices, error="choices"))
    if column.low is not None:
        checks.append(pa.Check.ge(_bound(column.low), error="bounds"))
    if column.high is not None:
        top = _bound(column.high)
        if column.kind is Kind.MOMENT:  # any moment of the last day
            checks.append(pa.Check.lt(top + pd.Timedelta(days=1), error="bounds"))
        else:
            checks.append(pa.Check.le(top, error="bounds"))
    dtype = "Int64" if is_integer else _DTYPES[column.kind]
    return pa.Column(dtype, checks=checks, nullable=column.optional)


def _bound(bound: float | date) -> Any:
    return pd.Timestamp(bound) if isinstance(bound, date) else bound


_CODES = {
    "not_nullable": "values_missing",
    "choices": "values_unknown",
    "bounds": "values_impossible",
}
_GRADED = frozenset({"values_unknown", "values_impossible"})


def check_schema(dataset: Dataset, frame: pd.DataFrame) -> Iterator[Finding]:
    """Yield how many rows break which rule, by column."""
    import pandera.errors

    try:
        schema_of(dataset).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return
    wrong = set(cases.loc[cases["check"].str.startswith("dtype("), "column"])
    for column in sorted(wrong):
        yield _of_schema("type_differs", column, len(frame), frame)
    if "multiple_fields_uniqueness" in set(cases["check"]):
        repeats = int(frame.duplicated(list(dataset.key)).sum())
        yield _of_schema("rows_repeated", ", ".join(dataset.key), repeats, frame)
    cases = cases[cases["check"].isin(list(_CODES)) & ~cases["column"].isin(wrong)]
    for (column, check), part in cases.groupby(["column", "check"], sort=False):
        yield _of_schema(_CODES[check], column, part["index"].nunique(), frame)


def _of_schema(code: str, column: str, count: int, frame: pd.DataFrame) -> Finding:
    few = code in _GRADED and count <= FEW * len(frame)
    verdict = Verdict.HOLD if few else Verdict.REFUSE
    return Finding(verdict, code, {"column": column, "count": count, "rows": len(frame)})


# --- freshness ------------------------------------------------------------------------------------


def check_freshness(dataset: Dataset, frame: pd.DataFrame, expected: Expected) -> Iterator[Finding]:
    """Yield whether the newest row is too old, or later than now.

    Data may be as old as `oldest`, and need not go beyond the last day asked for. Where nobody said
    how old, they are late only if their silence at the end is longer than any before it.
    """
    if not dataset.moment:
        return
    moments = frame[dataset.moment].dropna()
    ahead = int((moments > expected.now + timedelta(days=1)).sum())
    if ahead:
        yield Finding(Verdict.HOLD, "values_ahead", {"column": dataset.moment, "count": ahead})
    if moments.empty:
        return
    days = pd.DatetimeIndex(moments.dt.normalize().unique()).sort_values()
    today = pd.Timestamp(expected.now).normalize()
    if expected.oldest is not None:
        wanted = pd.Timestamp(expected.now - expected.oldest).normalize()
    else:
        longest = days.diff().max() if len(days) > 1 else pd.NaT
        wanted = today if pd.isna(longest) else today - longest
    if expected.last_day is not None:
        end = pd.Timestamp(expected.last_day)
        if expected.oldest is None and len(days) > 1:
            end -= days.diff().max()
        wanted = min(wanted, end)
    elif expected.oldest is None:
        return  # nobody said until when they should go
    if days[-1] < wanted:
        late = (wanted - days[-1]).days
        yield Finding(Verdict.HOLD, "data_late", {"column": dataset.moment, "days": late})


# --- completeness ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    name: str
    rows: int
    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def pace(self) -> float:
        """Rows a day, over the days on which it has any."""
        return self.rows / max((self.last - self.first).days + 1, 1)

    def expected_in(self, span: pd.Timedelta) -> float:
        return self.pace * (span / pd.Timedelta(days=1))


def check_places(dataset: Dataset, frame: pd.DataFrame) -> Iterator[Finding]:
    """Yield the places that fall silent, appear, are renamed or pause, and where values lack."""
    if not dataset.place:
        return
    known = frame[frame[dataset.place].notna()]
    yield from _missing_values(dataset, known)
    if not dataset.moment:
        return
    known = known[known[dataset.moment].notna()]
    places = _places(known, dataset)
    if not places:
        return
    begin, end = known[dataset.moment].min(), known[dataset.moment].max()
    silent = [one for one in places if one.expected_in(end - one.last) >= EXPECTED]
    new = [one for one in places if one.expected_in(one.first - begin) >= EXPECTED]
    for old in silent:
        again = next((one for one in new if _is_renamed(old, one)), None)
        if again is None:
            place = {"place": old.name, "month": f"{old.last:%Y-%m}"}
            yield Finding(Verdict.HOLD, "place_silent", place)
        else:
            new.remove(again)
            names = {"place": old.name, "other": again.name, "month": f"{again.first:%Y-%m}"}
            yield Finding(Verdict.HOLD, "place_renamed", names)
    for one in new:  # a ward that opens is no fault; who reads the figures is told
        place = {"place": one.name, "month": f"{one.first:%Y-%m}"}
        yield Finding(Verdict.PASS, "place_new", place)
    yield from _pauses(known, dataset, places)


def _places(known: pd.DataFrame, dataset: Dataset) -> list[_Place]:
    told = known.groupby(dataset.place, observed=True)[dataset.moment].agg(["size", "min", "max"])
    return [
        _Place(str(name), int(rows), first, last)
        for name, rows, first, last in told[told["size"] >= MANY].itertuples()
    ]


def _is_renamed(old: _Place, new: _Place) -> bool:
    apart = abs((new.first - old.last) / pd.Timedelta(days=1))
    paces = sorted((old.pace, new.pace))
    return apart <= RENAMED_DAYS and paces[1] <= RENAMED_PACE * paces[0]


def _pauses(known: pd.DataFrame, dataset: Dataset, places: list[_Place]) -> Iterator[Finding]:
    """Yield the first whole month without a row between two with some, by place."""
    months = known[dataset.moment].dt.to_period("M")
    present = months.groupby(known[dataset.place], observed=True).unique()
    for place in places:
        if place.pace * 30 < EXPECTED:
            continue
        there = pd.PeriodIndex(present[place.name])
        every = pd.period_range(there.min(), there.max(), freq="M")
        gaps = every.difference(there)
        if len(gaps):
            yield Finding(
                Verdict.HOLD,
                "place_paused",
                {"place": place.name, "month": str(gaps[0]), "count": len(gaps)},
            )


def _missing_values(dataset: Dataset, known: pd.DataFrame) -> Iterator[Finding]:
    sizes = known.groupby(dataset.place, observed=True).size()
    for column in dataset.columns:
        if not column.optional:
            continue
        lacking = known[column.name].isna().groupby(known[dataset.place], observed=True).sum()
        for place in sizes.index[sizes >= MANY]:
            others = int(sizes.sum() - sizes[place])
            elsewhere = (int(lacking.sum() - lacking[place]) / others) if others else math.nan
            share = lacking[place] / sizes[place]
            if share >= MISSING and elsewhere <= ELSEWHERE:
                told: dict[str, str | int] = {
                    "column": column.name,
                    "place": str(place),
                    "percent": round(100 * share),
                }
                yield Finding(Verdict.HOLD, "place_incomplete", told)
