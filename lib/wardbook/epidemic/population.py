"""Inhabitants by department, age class and sex: what rates are per.

A population has a vintage, and rates of two vintages are not comparable: Santé publique France
divided by 67,114,995 until 30 June 2022 and by 67,863,599 or one more from the next day on, and
the departments of INSEE's estimates for 2021 add up to 67,407,241. So reports name what they
divide by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from wardbook.datasets.test_counts import AGES, SEXES
from wardbook.delimited import Records, read_records, refuse_duplicates, refuse_values
from wardbook.epidemic.geography import all_departments, expected_departments
from wardbook.errors import DataProblem

ALL, FRANCE = "all", "FR"
LAYOUT = ("department", "age", "sex", "inhabitants")
INHABITANTS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")
_INSEE = re.compile(rb"([0-9][0-9AB]|9[0-9]{2}),([^,;]*)")


@dataclass(frozen=True)
class Population:
    """Inhabitants: columns department, age, sex, inhabitants, each person in one row.

    What is not broken down has the code `all` in that column, `FR` as department. `source` says
    where it comes from, "" the departments' populations that are shipped, rounded to thousands.
    """

    rows: pd.DataFrame
    source: str

    @property
    def places(self) -> frozenset[str]:
        """Departments whose inhabitants are known, or `FR` alone."""
        return frozenset(self.rows["department"])

    def within(self, departments: Iterable[str]) -> Population:
        """Return the population of these departments; that of the whole country has no parts."""
        if FRANCE in self.places:
            return self
        return replace(self, rows=self.rows[self.rows["department"].isin(list(departments))])

    def by(self, key: str) -> pd.Series[float]:
        """Return inhabitants by department, age or sex; empty where that is not known."""
        known = self.rows[~self.rows[key].isin([ALL, FRANCE])]
        return known.groupby(key)["inhabitants"].sum()

    def by_department_and_age(self) -> pd.DataFrame:
        """Return inhabitants, a row for each department, a column for each age class."""
        known = self.rows[(self.rows["age"] != ALL) & (self.rows["department"] != FRANCE)]
        return known.pivot_table("inhabitants", "department", "age", aggfunc="sum")

    @property
    def total(self) -> float:
        """All inhabitants."""
        return float(self.rows["inhabitants"].sum())


def shipped_population() -> Population:
    """Return INSEE's estimates on 1 January 2021 by department, rounded to thousands."""
    places = [all_departments()[code] for code in sorted(expected_departments())]
    rows = [(p.code, ALL, ALL, 1000.0 * p.population) for p in places if p.population]
    return Population(pd.DataFrame(rows, columns=list(LAYOUT)), "")


def read_population(path: Path) -> Population:
    """Read inhabitants: INSEE's `CODE,NUMBER` without header, or columns as `LAYOUT`.

    Numbers may have decimals, as SI-DEP's have. In the second form `age` and `sex` are the classes
    of the dataset test-counts or `all`, `department` a code or `FR`.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    try:
        data = path.read_bytes()
    except OSError:
        raise DataProblem("file_unreadable", file=path.name) from None
    if _INSEE.match(data):
        return _read_insee(path.name, data)
    records = read_records(path, [LAYOUT], delimiter=";")
    places = {*all_departments(), FRANCE}
    refuse_values(records, "department", lambda v: v not in places, "department_unknown")
    for column, known in (("age", (*AGES, ALL)), ("sex", (*SEXES[:2], ALL))):
        expected = ", ".join(known)
        refuse_values(
            records, column, partial(_is_not_in, known), "choice_unknown", expected=expected
        )
    refuse_duplicates(records, LAYOUT[:3])
    rows = records.frame[list(LAYOUT[:3])].astype("str")
    rows = rows.assign(inhabitants=parse_inhabitants(records, "inhabitants"))
    for column in LAYOUT[:3]:
        whole = rows[column].isin([ALL, FRANCE])
        if whole.any() and not whole.all():
            raise DataProblem("total_mixed", file=path.name, column=column)
    return Population(rows.reset_index(drop=True), path.name)


def _is_not_in(known: tuple[str, ...], value: str) -> bool:
    return value not in known


def parse_inhabitants(records: Records, column: str) -> pd.Series[float]:
    """Return numbers above 0, perhaps with decimals.

    Raises:
        DataProblem: another value.
    """
    refuse_values(
        records,
        column,
        lambda v: not INHABITANTS.fullmatch(v) or float(v) <= 0,
        "inhabitants_form",
    )
    values = records.frame[column].cat
    numbers = np.array([float(v) for v in values.categories])
    return pd.Series(numbers[values.codes], index=records.frame.index)


def _read_insee(file: str, data: bytes) -> Population:
    rows: dict[str, float] = {}
    for number, line in enumerate(data.splitlines(), 1):
        match = _INSEE.fullmatch(line)
        code, inhabitants = (
            (part.decode("latin-1") for part in match.groups()) if match else ("",) * 2
        )
        if code not in all_departments():
            raise DataProblem("department_unknown", file=file, row=number, column=1, count=1)
        if not INHABITANTS.fullmatch(inhabitants) or float(inhabitants) <= 0:
            raise DataProblem("inhabitants_form", file=file, row=number, column=2, count=1)
        if code in rows:
            raise DataProblem(
                "key_duplicated", file=file, row=number, other=list(rows).index(code) + 1,
                column=1, count=1,
            )  # fmt: skip
        rows[code] = float(inhabitants)
    frame = pd.DataFrame(
        {"department": list(rows), "age": ALL, "sex": ALL, "inhabitants": rows.values()}
    )
    return Population(frame, file)
