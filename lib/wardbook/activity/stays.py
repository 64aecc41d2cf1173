"""Stays in wards and the wards' beds: reading, and what is odd in an export.

Stays are one line per stay of a patient in one ward, beds one line per ward and day from which a
number of beds is valid. Structure is strict (`wardbook.delimited`); a stay that cannot be true is
left out and counted, for one wrong line of ten thousand is no reason to have no figures.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from wardbook.activity.clock import days_between, local_days, parse_moments, start_of_days
from wardbook.datasets.sorting import Sorted, check_period
from wardbook.delimited import (
    parse_counts,
    parse_dates,
    read_records,
    refuse_duplicates,
    refuse_values,
)
from wardbook.errors import DataProblem

STAYS = ("stay", "patient", "ward", "entered", "left")
BEDS = ("ward", "name", "beds", "valid_from")
# The first character keeps a spreadsheet from reading a formula (= + - @) in the text.
TEXT = re.compile(r"[^\W_][^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,79}")
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2099, 12, 31)


@dataclass(frozen=True)
class Reach:
    """How far a period is covered by an export.

    `last` is the last day that figures are given for. `late` tells that the export ends before the
    period does; `begins_empty` that nobody in it was there before the first day.
    """

    last: date
    late: bool
    begins_empty: bool


def read_stays(path: Path) -> pd.DataFrame:
    """Read an export of stays: one row per stay, in the order of the file.

    Columns: stay, patient, ward (text), entered, left (UTC, NaT while the stay lasts), doubtful
    (one of the times is in the hour of a change of the clock).

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, [STAYS], delimiter=";")
    for column in ("stay", "patient", "ward"):
        refuse_values(records, column, lambda v: not TEXT.fullmatch(v), "text_form")
    refuse_duplicates(records, ("stay",))
    entered = parse_moments(records, "entered")
    left = parse_moments(records, "left", optional=True)
    stays = records.frame[["stay", "patient", "ward"]].assign(
        entered=entered.earliest,
        left=left.after(entered.earliest),
        doubtful=entered.doubtful | left.doubtful,
    )
    return stays.reset_index(drop=True)


def read_beds(path: Path) -> pd.DataFrame:
    """Read the wards' beds: columns ward, name, beds, valid_from, in order of ward and day.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, [BEDS], delimiter=";")
    refuse_values(records, "ward", lambda v: not TEXT.fullmatch(v), "text_form")
    refuse_values(records, "name", lambda v: not TEXT.fullmatch(v), "text_form")
    refuse_duplicates(records, ("ward", "valid_from"))
    beds = pd.DataFrame(
        {
            "ward": records.frame["ward"].astype(str),
            "name": records.frame["name"].astype(str),
            "beds": parse_counts(records, "beds"),
            "valid_from": parse_dates(records, "valid_from", first=FIRST_DAY, last=LAST_DAY),
        }
    )
    return beds.sort_values(["ward", "valid_from"], ignore_index=True)


def sort_out(stays: pd.DataFrame, known: Collection[str] | None, now: pd.Timestamp) -> Sorted:
    """Part the stays that can be counted from those that cannot.

    Left out are stays that end before they begin (`reversed`), that begin after `now` (`future`)
    and, where the wards are `known`, those in another (`ward`). A stay that is to end after `now`
    lasts (`future` too). Kept but counted are stays that begin before an earlier one of the same
    patient has ended (`overlap`), in whatever wards, and times in the hour of a change of the
    clock (`clock`).
    """
    wrong = stays["left"] < stays["entered"]
    future = ~wrong & (stays["entered"] > now)
    elsewhere = ~wrong & ~future & (False if known is None else ~stays["ward"].isin(list(known)))
    rows = stays[~(wrong | future | elsewhere)].copy()
    planned = rows["left"] > now
    rows["left"] = rows["left"].mask(planned)
    rows = rows.sort_values(["patient", "entered", "stay"], ignore_index=True)
    odd = {
        "reversed": wrong.sum(),
        "future": future.sum() + planned.sum(),
        "ward": elsewhere.sum(),
        "overlap": _find_overlaps(rows, now).sum(),
        "clock": rows["doubtful"].sum(),
    }
    return Sorted(rows, {reason: int(count) for reason, count in odd.items() if count})


def find_reach(rows: pd.DataFrame, start: date, end: date, *, file: str) -> Reach:
    """Say how much of the period from `start` to `end` an export of stays covers.

    Raises:
        DataProblem: the period is reversed or longer than a year, or the export ends before it.
    """
    check_period(start, end)
    newest = pd.concat([rows["entered"], rows["left"]]).max()
    if pd.isna(newest) or local_days(pd.Series([newest]))[0].date() < start:
        raise DataProblem("period_without_data", file=file, start=str(start), end=str(end))
    reached = local_days(pd.Series([newest]))[0].date()
    opening = start_of_days(days_between(start, start))[0]
    return Reach(min(end, reached), reached < end, not (rows["entered"] < opening).any())


def choose_wards(rows: pd.DataFrame, wanted: Collection[str] | None, *, file: str) -> pd.DataFrame:
    """Return the rows of the wards wanted; None keeps all.

    Raises:
        DataProblem: one of them has no row.
    """
    if wanted is None:
        return rows
    present = set(rows["ward"].astype(str))
    for ward in wanted:
        if ward not in present:
            raise DataProblem("ward_unknown", file=file, ward=ward)
    return rows[rows["ward"].isin(list(wanted))].reset_index(drop=True)


def name_wards(beds: pd.DataFrame | None) -> dict[str, str]:
    """Return each ward's name by code, the latest of the file of beds."""
    return {} if beds is None else dict(zip(beds["ward"], beds["name"], strict=True))


def add_names(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return the table with a column name; a ward without one goes by its code."""
    return table.assign(name=table["ward"].map(lambda ward: names.get(ward, ward)))


def _find_overlaps(rows: pd.DataFrame, now: pd.Timestamp) -> pd.Series[bool]:
    """Tell of stays in order of patient and entry which begin before an earlier one has ended."""
    end = rows["left"].fillna(now)
    latest = end.groupby(rows["patient"], observed=True).cummax()
    before = latest.groupby(rows["patient"], observed=True).shift()
    return rows["entered"] < before
