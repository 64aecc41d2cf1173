"""Santé publique France's two hospital files, in their own format.

Stock: one row per department, sex and day with the people in hospital (`hosp`), of them in
critical care (`rea`), and the totals since the start of returns home (`rad`) and deaths (`dc`).
Sex 0 is the total; it is not the sum of 1 (men) and 2 (women), for some have neither.
Flow: one row per department and day with the new admissions (`incid_hosp`), new ones in critical
care (`incid_rea`), new returns home (`incid_rad`) and new deaths (`incid_dc`).

Both are refused whole at the first structural problem: see `wardbook.delimited`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from wardbook.delimited import (
    Records,
    parse_choices,
    parse_counts,
    parse_dates,
    read_records,
    refuse_duplicates,
    refuse_values,
)
from wardbook.epidemic.geography import all_departments
from wardbook.errors import DataProblem

STOCK = ("hosp", "rea", "rad", "dc")
FLOW = ("incid_hosp", "incid_rea", "incid_rad", "incid_dc")
STOCK_LAYOUTS = (
    ("dep", "sexe", "jour", "hosp", "rea", "rad", "dc"),
    (
        *("dep", "sexe", "jour", "hosp", "rea"),
        *("HospConv", "SSR_USLD", "autres"),
        *("rad", "dc"),
    ),
)
FLOW_LAYOUTS = (("dep", "jour", "incid_hosp", "incid_rea", "incid_dc", "incid_rad"),)
SEXES = ("0", "1", "2")
TOTAL_SEX = "0"
FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2023, 12, 31)
"""Bounds of the days that the source ever published, with some room."""


def read_stock(path: Path) -> pd.DataFrame:
    """Read a stock file: columns department, sex, date, hosp, rea, rad, dc; rows as in the file.

    The columns HospConv, SSR_USLD and autres of later vintages are passed over: they say where
    the hospitalised are and are empty on the days before they were collected.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, STOCK_LAYOUTS, delimiter=";")
    sexes = parse_choices(records, "sexe", SEXES, "sex_unknown")
    if TOTAL_SEX not in sexes.array:
        raise DataProblem("total_missing", file=records.file, column="sexe")
    frame = _parse(records, ("dep", "sexe", "jour"), STOCK)
    return frame.assign(sex=sexes.to_numpy())[["department", "sex", "date", *STOCK]]


def read_admissions(path: Path) -> pd.DataFrame:
    """Read a flow file: columns department, date, incid_hosp, incid_rea, incid_rad, incid_dc.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    records = read_records(path, FLOW_LAYOUTS, delimiter=";")
    return _parse(records, ("dep", "jour"), FLOW)


def select_totals(stock: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all sexes together, without the column sex.

    Sex 1 plus sex 2 would be wrong: people of unknown sex are in 0 alone.
    """
    return stock[stock["sex"] == TOTAL_SEX].drop(columns="sex").reset_index(drop=True)


def _parse(records: Records, key: Sequence[str], counts: Sequence[str]) -> pd.DataFrame:
    departments = all_departments()
    refuse_values(records, "dep", lambda code: code not in departments, "department_unknown")
    columns = {
        "department": records.frame["dep"],
        "date": parse_dates(records, "jour", first=FIRST_DAY, last=LAST_DAY),
        **{count: parse_counts(records, count) for count in counts},
    }
    refuse_duplicates(records, key)
    frame = pd.DataFrame(columns).reset_index(drop=True)
    _refuse_cut_last_day(records, frame)
    return frame


def _refuse_cut_last_day(records: Records, frame: pd.DataFrame) -> None:
    """Refuse a file whose last day has fewer departments than the day before.

    A transfer that breaks off at the end of a line leaves just that, and the last day is the one
    that readers look at: its sum for France would be far too small.
    """
    departments = frame.groupby("date")["department"].nunique()
    if len(departments) > 1 and departments.iloc[-1] < departments.iloc[-2]:
        raise DataProblem(
            "last_day_cut",
            file=records.file,
            count=int(departments.iloc[-1]),
            expected=int(departments.iloc[-2]),
        )
