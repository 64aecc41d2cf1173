"""Columns of text parsed to numbers, dates and choices, each distinct value once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from wardbook.delimited.records import Records
from wardbook.errors import DataProblem

COUNT = re.compile(r"[0-9]{1,9}")
NEGATIVE = re.compile(r"-[0-9]+")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ISO_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
MISSING = ("", "NA")


def refuse_values(
    records: Records,
    column: str,
    wrong: Callable[[str], bool],
    code: str,
    **expected: str | int,
) -> None:
    """Raise the problem `code` if a value of `column` is `wrong`.

    Raises:
        DataProblem: with the first line, and the count of lines.
    """
    values = records.frame[column].cat
    bad = np.array([wrong(value) for value in values.categories], dtype=bool)
    refuse_rows(records, bad[values.codes], code, column=column, **expected)


def refuse_rows(
    records: Records, wrong: np.ndarray | pd.Series[bool], code: str, **places: str | int
) -> None:
    """Raise the problem `code` if a row is `wrong`: one truth value per row, in their order.

    Raises:
        DataProblem: with the first line, and the count of lines.
    """
    lines = records.frame.index[np.asarray(wrong)]
    if len(lines):
        raise DataProblem(code, file=records.file, row=int(lines[0]), count=len(lines), **places)


def parse_counts(records: Records, column: str) -> pd.Series[int]:
    """Return the column as whole numbers from 0.

    Raises:
        DataProblem: a number is missing (empty or NA), negative, or not a whole number.
    """
    refuse_values(records, column, MISSING.__contains__, "number_missing")
    refuse_values(records, column, lambda v: bool(NEGATIVE.fullmatch(v)), "number_negative")
    refuse_values(records, column, lambda v: not COUNT.fullmatch(v), "number_invalid")
    return _take(records, column, int, "int64")


def parse_dates(
    records: Records, column: str, *, first: date, last: date, optional: bool = False
) -> pd.Series[pd.Timestamp]:
    """Return the column, days written YYYY-MM-DD; NaT where empty and `optional`.

    Raises:
        DataProblem: a day is missing, has another form, does not exist, or is not from `first` to
            `last`.
    """
    _check_moments(records, column, ISO_DATE, "date_form", optional=optional)
    bounds = {"first": first.isoformat(), "last": last.isoformat()}
    refuse_values(
        records,
        column,
        lambda v: bool(v) and not bounds["first"] <= v <= bounds["last"],
        "date_outside",
        **bounds,
    )
    return _take(records, column, _parse_moment, "datetime64[us]")


def parse_times(
    records: Records, column: str, *, optional: bool = False
) -> pd.Series[pd.Timestamp]:
    """Return the column, times written YYYY-MM-DDTHH:MM, as times; NaT where empty and `optional`.

    Raises:
        DataProblem: a time is missing, has another form, or does not exist.
    """
    _check_moments(records, column, ISO_MINUTE, "time_form", optional=optional)
    return _take(records, column, _parse_moment, "datetime64[us]")


def parse_choices(
    records: Records, column: str, choices: Collection[str], code: str, **expected: str | int
) -> pd.Series[str]:
    """Return the column as a category, each value one of `choices`.

    Raises:
        DataProblem: `code`, another value.
    """
    refuse_values(records, column, lambda v: v not in choices, code, **expected)
    return records.frame[column]


def refuse_duplicates(records: Records, key: Sequence[str]) -> None:
    """Refuse two rows with the same values in the columns `key`.

    Raises:
        DataProblem: with the first line that repeats an earlier one, and that one's line.
    """
    codes = np.zeros(len(records.frame), dtype=np.int64)
    for column in key:
        values = records.frame[column].cat
        codes = codes * len(values.categories) + values.codes.to_numpy()
    numbers = pd.Series(codes, index=records.frame.index)
    repeated = numbers[numbers.duplicated()]
    if len(repeated):
        original = numbers.index[numbers == repeated.iloc[0]][0]
        raise DataProblem(
            "key_duplicated",
            file=records.file,
            row=int(repeated.index[0]),
            other=int(original),
            column=", ".join(key),
            count=len(repeated),
        )


def _take(records: Records, column: str, parse: Callable[[str], Any], dtype: str) -> pd.Series[Any]:
    """Parse each distinct value once, and spread the results over the rows."""
    values = records.frame[column].cat
    parsed = np.array([parse(value) for value in values.categories], dtype=dtype)
    return pd.Series(parsed[values.codes], index=records.frame.index, name=column)


def _check_moments(
    records: Records, column: str, form: re.Pattern[str], code: str, *, optional: bool
) -> None:
    allowed = ("",) if optional else ()
    refuse_values(records, column, lambda v: v not in allowed and not form.fullmatch(v), code)
    refuse_values(records, column, lambda v: bool(v) and not _exists(v), "date_impossible")


def _parse_moment(text: str) -> np.datetime64:
    return np.datetime64(text or "NaT")


def _exists(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
