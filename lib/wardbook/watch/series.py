"""The series of a metric: read from any CSV or an extract, with what it lacks named.

A released metric (docs/metrics.md) has other names of columns than the dataset metric-series, so
the template's parameters say which column is what. A missing period is never filled.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import reduce
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from wardbook.datasets.metric_series import DATASET
from wardbook.datasets.reading import NUMBER, TEXT
from wardbook.delimited import Records, read_records, refuse_duplicates, refuse_rows, refuse_values
from wardbook.disclosure.codes import read_span
from wardbook.epidemic.indicators import keep_period as cut_period
from wardbook.errors import DataProblem
from wardbook.watch.renames import Renamed, find_renamed

Kind = Literal["count", "share", "number"]
ALL = "all"
UNITS = (10.0, 60.0, 100.0, 1000.0)
"""Factors between units that a metric may be written in: a jump by one of them is named."""
LEAST_YEAR = 1900
_NEAR, _SIDE = 0.2, 14


@dataclass(frozen=True)
class Metric:
    """One metric: `rows` has date, group, value, of (NaN where not given), in order.

    `step` is the distance of periods in days, 1 or 7. `missing` are the days on which a group has
    no value between its first and its last, by group; `rescaled` the groups whose values jump by a
    factor between units, with the day.
    """

    rows: pd.DataFrame = field(repr=False)
    kind: Kind
    step: int
    missing: dict[str, tuple[date, ...]]
    renamed: tuple[Renamed, ...]
    rescaled: dict[str, date]

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups, in order."""
        return tuple(self.rows["group"].unique())

    def of_group(self, group: str) -> pd.DataFrame:
        """Return one group's rows by day: value, of."""
        return self.rows[self.rows["group"] == group].set_index("date")[["value", "of"]]


def read_metric(
    path: Path,
    kind: Kind,
    zone: str,
    *,
    time: str = "date",
    value: str = "value",
    group: str | None = None,
    of: str | None = None,
) -> Metric:
    """Read a metric; rows whose value is empty (withheld, or not known) are missing.

    Args:
        path: CSV with a header, separated by `;` or `,`; or the dataset as Parquet.
        kind: whole counts; parts of `of`; or any number.
        zone: its name; in which a moment with an offset becomes a day.
        time, value, group, of: names of columns; times are days, ISO weeks, or moments.

    Raises:
        DataProblem: the file is not what its format promises, or values cannot be of this kind.
    """
    if path.suffix == ".parquet":
        frame = DATASET.read(path)
        records = Records(path.name, frame.set_axis(range(1, len(frame) + 1)))
        rows = records.frame
    else:
        records, rows = _read_csv(path, ZoneInfo(zone), time, value, group, of)
    if kind == "share" and rows["of"].isna().all():
        raise DataProblem("column_needed", file=path.name, column="of")
    _refuse_impossible(records, rows, kind)
    rows = rows[rows["value"].notna()].sort_values(["group", "date"], ignore_index=True)
    if rows.empty:
        raise DataProblem("no_rows", file=path.name)
    step = _find_step(rows)
    return Metric(
        rows,
        kind,
        step,
        _find_missing(rows, step),
        find_renamed(rows, "group", quiet=7 * step),
        _find_rescaled(rows),
    )


def keep_period(metric: Metric, start: date | None, end: date | None) -> Metric:
    """Return the metric from `start` to `end`, both included; None leaves that side open."""
    rows = cut_period(metric.rows, start, end)
    return replace(metric, rows=rows, missing=_find_missing(rows, metric.step))


def find_ended(metric: Metric) -> dict[str, date]:
    """Return the groups that stop before the last period of all, with their last."""
    last = metric.rows.groupby("group")["date"].max()
    return {str(group): day.date() for group, day in last[last < last.max()].items()}


def _read_csv(
    path: Path, zone: ZoneInfo, time: str, value: str, group: str | None, of: str | None
) -> tuple[Records, pd.DataFrame]:
    wanted = [name for name in (time, value, group, of) if name]
    delimiter, names = _read_header(path)
    if missing := [name for name in wanted if name not in names]:
        expected = delimiter.join(wanted)
        raise DataProblem(
            "columns_missing", file=path.name, column=", ".join(missing), expected=expected
        )
    records = read_records(path, [names], delimiter=delimiter)
    refuse_values(records, time, lambda v: _begin(v, zone) is None, "period_form")
    days = records.frame[time].map(lambda v: _begin(v, zone)).astype("datetime64[us]")
    rows = pd.DataFrame({"date": days})
    if group:
        refuse_values(records, group, lambda v: not TEXT.fullmatch(v), "text_form")
    rows["group"] = records.frame[group].astype("str") if group else ALL
    for name, column in (("value", value), ("of", of)):
        rows[name] = _parse_numbers(records, column) if column else math.nan
    refuse_duplicates(records, (time, group) if group else (time,))
    return records, rows


def _read_header(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return the separator and the names of a file's first line; `read_records` judges the rest."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            line = file.readline(10_000).strip("\r\n")
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except UnicodeDecodeError:
        raise DataProblem("not_utf8", file=path.name, row=1) from None
    except OSError:
        raise DataProblem("file_unreadable", file=path.name) from None
    delimiter = ";" if line.count(";") >= line.count(",") else ","
    return delimiter, tuple(next(csv.reader([line], delimiter=delimiter), ()))


def _begin(code: str, zone: ZoneInfo) -> date | None:
    """Return the first day of the period that a code names, or None."""
    if span := read_span(code):
        first, last = span
        return first if first.year >= LEAST_YEAR and first <= last else None
    try:
        moment = datetime.fromisoformat(code.strip())
    except ValueError:
        return None
    return (moment.astimezone(zone) if moment.tzinfo else moment).date()


def _parse_numbers(records: Records, column: str) -> pd.Series[float]:
    refuse_values(records, column, lambda v: v != "" and not NUMBER.fullmatch(v), "number_form")
    values = records.frame[column].cat
    numbers = np.array([float(v) if v else math.nan for v in values.categories])
    return pd.Series(numbers[values.codes], index=records.frame.index)


def _refuse_impossible(records: Records, rows: pd.DataFrame, kind: Kind) -> None:
    value, whole = rows["value"], rows["of"]
    if kind == "number":
        return
    refuse_rows(records, value < 0, "number_negative", column="value")
    if kind == "count":
        refuse_rows(records, value % 1 > 0, "number_invalid", column="value")
        refuse_rows(records, whole <= 0, "number_negative", column="of")
    else:
        refuse_rows(records, whole < 0, "number_negative", column="of")
        above = (value > whole) | (value.notna() & whole.isna())
        refuse_rows(records, above, "part_above_whole", column="value", other="of")


def _find_step(rows: pd.DataFrame) -> int:
    distances = rows.groupby("group")["date"].diff().dt.days.dropna().astype(int)
    common = reduce(math.gcd, distances, 0)
    return 7 if common and common % 7 == 0 else 1


def _find_missing(rows: pd.DataFrame, step: int) -> dict[str, tuple[date, ...]]:
    missing = {}
    for group, days in rows.groupby("group")["date"]:
        every = pd.date_range(days.min(), days.max(), freq=f"{step}D")
        lacking = every.difference(pd.DatetimeIndex(days))
        if len(lacking):
            missing[str(group)] = tuple(day.date() for day in lacking)
    return missing


def _find_rescaled(rows: pd.DataFrame) -> dict[str, date]:
    """Say in which groups the median jumps by a factor between units, and from which day on."""
    found = {}
    for group, one in rows.groupby("group"):
        values = one["value"].to_numpy()
        if len(values) < 2 * _SIDE or np.median(np.abs(values)) == 0:
            continue
        cuts = range(_SIDE, len(values) - _SIDE + 1)
        before = np.array([np.median(values[max(0, cut - 28) : cut]) for cut in cuts])
        after = np.array([np.median(values[cut : cut + 28]) for cut in cuts])
        with np.errstate(divide="ignore", invalid="ignore"):
            jump = np.abs(np.log(after / before))
        jump[~np.isfinite(jump)] = 0
        best = int(jump.argmax())
        if any(abs(jump[best] - math.log(unit)) < _NEAR for unit in UNITS):
            # Medians jump a little early or late: the day is where single values cross over.
            middle = math.sqrt(before[best] * after[best])
            side = values[best : best + 2 * _SIDE] > middle
            cross = int((side == (after[best] > before[best])).argmax())
            found[str(group)] = one["date"].iloc[best + cross].date()
    return found
