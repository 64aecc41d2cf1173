"""Stays of patients in wards: strict reading of the extract, and the stays of one ward and period.

The extract is UTF-8, semicolons, one line per stay in one ward: a patient who moves has several.
No error names a value of the file. `generate_stays` writes an invented extract.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from wardbook.datasets.sorting import check_period
from wardbook.delimited import (
    Records,
    parse_choices,
    parse_dates,
    parse_times,
    read_records,
    refuse_duplicates,
    refuse_rows,
    refuse_values,
)
from wardbook.errors import DataProblem
from wardbook.hospital.synthetic import CANARIES, generate_stays
from wardbook.hospital.vocabulary import COLUMNS, SEXES

__all__ = ["CANARIES", "generate_stays", "read_stays", "select_stays"]

IPP = re.compile(r"[0-9]{10}")
# The first character keeps a spreadsheet from reading a formula (= + - @) in the text.
TEXT = re.compile(r"[^\W_][^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,79}")
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)
LONGEST_DAYS = 92


def read_stays(path: Path) -> pd.DataFrame:
    """Read an extract: one row per stay, the columns of `COLUMNS`.

    `entry` and `exit` are times (NaT while the stay lasts), `birth_date` and `sample_date` days
    (NaT without a sample), the others text; `organism` is missing without a sample.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, [COLUMNS], delimiter=";")
    refuse_values(records, "ipp", lambda v: not IPP.fullmatch(v), "ipp_form")
    for column in ("name", "first_name", "ward", "room", "bed"):
        refuse_values(records, column, lambda v: not TEXT.fullmatch(v), "text_form")
    refuse_values(records, "organism", lambda v: bool(v) and not TEXT.fullmatch(v), "text_form")
    parse_choices(records, "sex", SEXES, "choice_unknown", expected=", ".join(SEXES))
    born = parse_dates(records, "birth_date", first=FIRST_DAY, last=LAST_DAY)
    sampled = parse_dates(records, "sample_date", first=FIRST_DAY, last=LAST_DAY, optional=True)
    parsed = {
        "birth_date": born,
        "entry": parse_times(records, "entry"),
        "exit": parse_times(records, "exit", optional=True),
        "sample_date": sampled,
    }
    text = records.frame.astype(object)
    text["organism"] = text["organism"].where(text["organism"] != "", None)
    stays = text.assign(**parsed)[list(COLUMNS)]
    _check_rows(records, stays)
    refuse_duplicates(records, ("ipp", "entry"))
    return stays.reset_index(drop=True)


def select_stays(
    stays: pd.DataFrame,
    *,
    ward: str,
    start: date,
    end: date,
    organism: str | None = None,
    file: str,
) -> pd.DataFrame:
    """Return the stays in `ward` that share at least one moment with the days `start` to `end`.

    Both days count whole, and a stay without an exit lasts until today. With `organism`, only the
    stays with a sample of it. In order of entry, then IPP.

    Raises:
        DataProblem: the period is reversed or longer than 92 days; no stay of the file `file` is
            in this ward on any day.
    """
    check_period(start, end, LONGEST_DAYS)
    here = stays["ward"] == ward
    if not here.any():
        raise DataProblem("ward_unknown", file=file, ward=ward)
    entered = stays["entry"] < pd.Timestamp(end + timedelta(days=1))
    still_there = stays["exit"].isna() | (stays["exit"] >= pd.Timestamp(start))
    wanted = here & entered & still_there
    if organism is not None:
        wanted &= stays["organism"] == organism
    return stays[wanted].sort_values(["entry", "ipp"], ignore_index=True)


def _check_rows(records: Records, stays: pd.DataFrame) -> None:
    left_early = stays["exit"] < stays["entry"]
    refuse_rows(records, left_early, "order_wrong", column="exit", other="entry")
    unborn = stays["entry"] < stays["birth_date"]
    refuse_rows(records, unborn, "order_wrong", column="entry", other="birth_date")
    half = stays["organism"].isna() != stays["sample_date"].isna()
    refuse_rows(records, half, "pair_incomplete", column="organism", other="sample_date")
