"""Reads isolates: a file of the dataset `isolates`, or the wide layout of the R package AMR.

The wide layout is that of the package's `example_isolates`: one line per isolate, commas, columns
date, patient, age, gender, ward, mo, then one for each drug by its code with S, I, R or nothing.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd

from wardbook.datasets.isolates import DATASET
from wardbook.delimited import parse_dates, read_records, refuse_values

WIDE = ("date", "patient", "age", "gender", "ward", "mo")
_DRUG = re.compile(r"[A-Z]{3}")
_CODE = re.compile(r"[^\W_][\w\[\] ./-]{0,79}")
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)


def read_isolates(path: Path) -> pd.DataFrame:
    """Return the columns of the dataset `isolates`, one row per isolate and drug tested.

    Of the wide layout, rows are by isolate in the file's order, which numbers the isolates, and
    then by drug; what it does not tell (specimen, concentrations) is missing.

    Raises:
        DataProblem: the file is neither of both.
    """
    header = _read_header(path)
    if header[: len(WIDE)] != WIDE:
        return DATASET.read(path)
    drugs = tuple(name for name in header[len(WIDE) :] if _DRUG.fullmatch(name))
    return _read_wide(path, drugs)


def _read_header(path: Path) -> tuple[str, ...]:
    if path.suffix == ".parquet" or not path.is_file():
        return ()
    with path.open("rb") as file:
        line = file.readline(10_000)
    text = line.decode("utf-8-sig", errors="replace")
    return tuple(text.strip().replace('"', "").split(","))


def _read_wide(path: Path, drugs: tuple[str, ...]) -> pd.DataFrame:
    records = read_records(path, [(*WIDE, *drugs)], delimiter=",")
    for column in ("patient", "ward", "mo"):
        refuse_values(records, column, lambda v: not _CODE.fullmatch(v), "text_form")
    wide = records.frame.astype("str").assign(
        day=parse_dates(records, "date", first=_FIRST, last=_LAST),
        isolate=[f"{number:08}" for number in range(1, len(records.frame) + 1)],
    )
    kept = ["isolate", "patient", "day", "ward", "mo"]
    rows = wide.melt(kept, list(drugs), var_name="drug", value_name="result")
    rows = rows[rows["result"] != ""].sort_values(["isolate", "drug"], ignore_index=True)
    rows = rows.rename(columns={"mo": "organism"})
    absent = {"specimen": "str", "mic": "float64", "mic_bound": "str", "unit": "str"}
    for name, dtype in absent.items():
        rows[name] = pd.Series(None, index=rows.index, dtype=dtype)
    rows["zone"] = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    return rows[list(DATASET.names)]
