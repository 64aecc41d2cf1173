"""From a file to the typed frame of a dataset."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from wardbook.activity.clock import ZONE, parse_moments
from wardbook.datasets.dataset import Column, Dataset, Kind
from wardbook.datasets.workbook import read_workbook
from wardbook.delimited import Records, parse_dates, read_records, refuse_values
from wardbook.errors import DataProblem

# The first character keeps a spreadsheet from reading a formula (= + - @) in the text.
TEXT = re.compile(r"[^\W_][^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,79}")
INTEGER = re.compile(r"-?[0-9]{1,15}")
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?([eE]-?[0-9]{1,3})?")
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def read_dataset(dataset: Dataset, path: Path) -> pd.DataFrame:
    """Read a file as `Dataset.read` promises.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    if path.suffix == ".parquet":
        return _read_parquet(dataset, path)
    if path.suffix.lower() == ".xlsx":
        records = read_workbook(dataset, path)
    else:
        records = read_records(path, [dataset.names], delimiter=dataset.delimiter)
    columns = {column.name: _PARSE[column.kind](records, column) for column in dataset.columns}
    return pd.DataFrame(columns).reset_index(drop=True)


def _read_parquet(dataset: Dataset, path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except (OSError, ValueError):
        raise DataProblem("file_unreadable", file=path.name) from None
    missing = [name for name in dataset.names if name not in frame.columns]
    if missing:
        expected = dataset.delimiter.join(dataset.names)
        raise DataProblem(
            "columns_missing", file=path.name, column=", ".join(missing), expected=expected
        )
    # pandas makes floats of whole numbers where one is missing.
    whole = {c.name: "Int64" for c in dataset.columns if c.optional and c.kind is Kind.INTEGER}
    return frame[list(dataset.names)].astype(whole)


def _parse_text(records: Records, column: Column) -> pd.Series[str]:
    allowed = ("",) if column.optional else ()
    refuse_values(
        records, column.name, lambda v: v not in allowed and not TEXT.fullmatch(v), "text_form"
    )
    texts = records.frame[column.name].astype("str")
    return texts.where(texts != "", None) if column.optional else texts


def _parse_number(form: re.Pattern[str], code: str, dtype: str) -> Callable[..., pd.Series[Any]]:
    def parse(records: Records, column: Column) -> pd.Series[Any]:
        if not column.optional:
            refuse_values(records, column.name, lambda v: v == "", "value_missing")
        refuse_values(records, column.name, lambda v: v != "" and not form.fullmatch(v), code)
        values = records.frame[column.name].cat
        floats = np.array([float(v) if v else np.nan for v in values.categories], dtype="float64")
        spread = pd.Series(floats[values.codes], index=records.frame.index)
        kind: Any = "Int64" if column.optional and dtype == "int64" else dtype
        typed: pd.Series[Any] = spread.astype(kind)
        return typed

    return parse


def _parse_day(records: Records, column: Column) -> pd.Series[pd.Timestamp]:
    bounds = {"first": FIRST_DAY, "last": LAST_DAY}
    return parse_dates(records, column.name, optional=column.optional, **bounds)


def _parse_moment(records: Records, column: Column) -> pd.Series[pd.Timestamp]:
    parse_moments(records, column.name, optional=column.optional)  # refuses what is none
    values = records.frame[column.name].cat
    local = np.array([_write_local(text) for text in values.categories], dtype="datetime64[us]")
    return pd.Series(local[values.codes], index=records.frame.index)


def _write_local(text: str) -> str:
    """Return a time as the local clock showed it; one with an offset may be another zone's."""
    if len(text) <= len("2026-01-05T10:30"):
        return text or "NaT"
    moment = datetime.fromisoformat(text).astimezone(ZoneInfo(ZONE))
    return moment.replace(tzinfo=None).isoformat()


def _parse_flag(records: Records, column: Column) -> pd.Series[bool]:
    refuse_values(
        records, column.name, lambda v: v not in ("0", "1"), "choice_unknown", expected="0, 1"
    )
    return records.frame[column.name].astype("str") == "1"


_PARSE: dict[Kind, Callable[[Records, Column], pd.Series[Any]]] = {
    Kind.TEXT: _parse_text,
    Kind.INTEGER: _parse_number(INTEGER, "integer_form", "int64"),
    Kind.NUMBER: _parse_number(NUMBER, "number_form", "float64"),
    Kind.DAY: _parse_day,
    Kind.MOMENT: _parse_moment,
    Kind.FLAG: _parse_flag,
}
