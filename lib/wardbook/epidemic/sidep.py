"""Persons tested: Santé publique France's SI-DEP files, or the dataset test-counts, as one form.

SI-DEP by department (`sp-pos-quot-dep`): a row for each department, day and age class, with
positive (`P`) and tested (`T`). SI-DEP of France (`sp-pos-quot-fra`): by day and age class, also
by sex (`P_f`, `P_h`, `T_f`, `T_h`), with inhabitants (`pop`).

In both, class 0 is the total, and it is more than the sum of the classes, for the age of some is
not known; women and men are not all either. Here each person tested stands in exactly one row, the
rest under `unknown`: whatever is summed is right, and nothing can be counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from wardbook.datasets.test_counts import AGES, DATASET, SEXES, UNKNOWN
from wardbook.delimited import (
    Records,
    parse_choices,
    parse_counts,
    parse_dates,
    read_records,
    refuse_duplicates,
    refuse_rows,
    refuse_values,
)
from wardbook.epidemic.geography import all_departments
from wardbook.epidemic.indicators import keep_period as cut_period
from wardbook.epidemic.population import ALL, FRANCE, LAYOUT, Population, parse_inhabitants
from wardbook.errors import DataProblem
from wardbook.watch.renames import Renamed, find_renamed

DEPARTMENTS = ("dep", "jour", "P", "T", "cl_age90")
COUNTRY = ("fra", "jour", "P_f", "P_h", "P", "T_f", "T_h", "T", "cl_age90", "pop")
TOTAL_AGE = "0"
FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2023, 12, 31)
KEY = ["date", "department", "age", "sex"]
COUNTS = ["tests", "positives"]
FIRSTS = ["first_tests", "first_positives"]


@dataclass(frozen=True)
class TestCounts:
    """Persons tested, each in one row a day.

    `rows` has KEY (all but the date as categories in their order), COUNTS and, where `persons`,
    FIRSTS: then different persons of a week are known. `dimensions` are those of department, age
    and sex that the data know. `odd` counts what the report names: persons whose department is no
    French one, and tests without a result.
    """

    __test__ = False  # not one of pytest's

    rows: pd.DataFrame = field(repr=False)
    dimensions: frozenset[str]
    persons: bool = False
    public: bool = False
    population: Population | None = None
    odd: Mapping[str, int] = field(default_factory=dict)
    renamed: tuple[Renamed, ...] = ()

    @property
    def tested(self) -> int:
        """All tests."""
        return int(self.rows["tests"].sum())


def read_tests(path: Path) -> TestCounts:
    """Read any of the three forms, told apart by the header; an extract is Parquet.

    Raises:
        DataProblem: the file is not what its format promises.
    """
    if path.suffix == ".parquet":
        frame = DATASET.read(path)
        return _take_dataset(Records(path.name, frame.set_axis(range(1, len(frame) + 1))))
    records = read_records(path, [DEPARTMENTS, COUNTRY, DATASET.names], delimiter=";")
    if "dep" in records.frame:
        return _take_departments(records)
    if "fra" in records.frame:
        return _take_country(records)
    frame = DATASET.read(path).set_axis(records.frame.index)
    refuse_duplicates(records, KEY)
    return _take_dataset(Records(path.name, frame))


def keep_departments(tests: TestCounts, codes: Sequence[str] | None, *, file: str) -> TestCounts:
    """Return the tests of people who live in these departments; None keeps all.

    Raises:
        DataProblem: there are none, or the file does not tell departments.
    """
    if codes is None:
        return tests
    rows = tests.rows[tests.rows["department"].isin(list(codes))].reset_index(drop=True)
    if rows.empty:
        raise DataProblem("department_without_data", file=file)
    return replace(tests, rows=rows)


def keep_period(tests: TestCounts, start: date | None, end: date | None) -> TestCounts:
    """Return the tests from `start` to `end`, both included; None leaves that side open."""
    return replace(tests, rows=cut_period(tests.rows, start, end))


def name_departments(table: pd.DataFrame, *, after: str) -> pd.DataFrame:
    """Put the departments' names beside their codes, in a column `name` after `after`."""
    names = {code: department.name for code, department in all_departments().items()}
    table = table.assign(department=table["department"].astype("str"))
    named = table["department"].map(names).fillna(table["department"])
    table.insert(list(table.columns).index(after) + 1, "name", named)
    return table


def _take_departments(records: Records) -> TestCounts:
    known = all_departments()
    refuse_values(records, "dep", lambda v: v not in known, "department_unknown")
    raw = _parse_sidep(records, "dep", {"tests": "T", "positives": "P"})
    _refuse_cut_last_day(records, raw)
    rows = _split_off_unknown_ages(records, raw.assign(sex=UNKNOWN), ["date", "department", "sex"])
    return TestCounts(rows, frozenset({"department", "age"}), public=True)


def _take_country(records: Records) -> TestCounts:
    refuse_values(records, "fra", lambda v: v != FRANCE, "choice_unknown", expected=FRANCE)
    pieces, sums = [], {"tests": ("T", "T_f", "T_h"), "positives": ("P", "P_f", "P_h")}
    raw = _parse_sidep(
        records, "fra", {f"{n}{i}": c for n, cs in sums.items() for i, c in enumerate(cs)}
    )
    for number, sex in ((1, "F"), (2, "M"), (None, UNKNOWN)):
        counts = {
            n: raw[f"{n}{number}"] if number else raw[f"{n}0"] - raw[f"{n}1"] - raw[f"{n}2"]
            for n in sums
        }
        refuse_rows(records, counts["tests"] < 0, "sexes_above_total", column="T_f, T_h")
        refuse_rows(records, counts["positives"] < 0, "sexes_above_total", column="P_f, P_h")
        pieces.append(raw[["date", "department", "age"]].assign(sex=sex, **counts))
    rows = _split_off_unknown_ages(records, pd.concat(pieces), ["date", "department", "sex"])
    return TestCounts(
        rows, frozenset({"age", "sex"}), public=True, population=_take_population(records, raw)
    )


def _take_population(records: Records, raw: pd.DataFrame) -> Population:
    """Return the inhabitants of each class; they are the same on every day."""
    people = raw[["age"]].assign(inhabitants=parse_inhabitants(records, "pop"))
    people = people[people["age"] != TOTAL_AGE]
    changed = people.groupby("age")["inhabitants"].transform("first") != people["inhabitants"]
    if changed.any():
        row = int(changed.index[changed][0])
        raise DataProblem(
            "population_changes", file=records.file, row=row, column="pop", count=int(changed.sum())
        )
    rows = people.drop_duplicates("age").assign(department=FRANCE, sex=ALL)
    return Population(pd.DataFrame(rows[list(LAYOUT)].reset_index(drop=True)), records.file)


def _parse_sidep(records: Records, place: str, counts: Mapping[str, str]) -> pd.DataFrame:
    """Return date, department, age (with the total) and counts; the index has the lines."""
    classes = (*AGES, TOTAL_AGE)
    ages = parse_choices(
        records, "cl_age90", classes, "choice_unknown", expected=", ".join(classes)
    )
    raw = pd.DataFrame(
        {
            "date": parse_dates(records, "jour", first=FIRST_DAY, last=LAST_DAY),
            "department": records.frame[place].astype("str"),
            "age": ages.astype("str"),
            **{name: parse_counts(records, column) for name, column in counts.items()},
        }
    )
    refuse_duplicates(records, (place, "jour", "cl_age90"))
    positive, tested = (raw.filter(regex=f"^{name}").to_numpy() for name in ("positives", "tests"))
    above: np.ndarray = np.max(positive - tested, axis=1) > 0
    refuse_rows(records, above, "positives_above_tests", column="P")
    return raw


def _split_off_unknown_ages(records: Records, raw: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Put in the place of each total what it has beyond its classes, as age `unknown`.

    Raises:
        DataProblem: a day and place has no total, or its classes are more than it.
    """
    whole = raw["age"] == TOTAL_AGE
    classes, totals = raw[~whole], raw[whole].assign(line=raw.index[whole]).set_index(keys)
    sums = classes.groupby(keys)[COUNTS].sum()
    if not sums.index.isin(totals.index).all():
        raise DataProblem("age_total_missing", file=records.file, column="cl_age90")
    rest = totals[COUNTS] - sums.reindex(totals.index, fill_value=0)
    wrong = (rest < 0).any(axis=1) | (rest["positives"] > rest["tests"])
    if wrong.any():
        row = int(totals.loc[wrong.to_numpy(), "line"].min())
        count = int(wrong.sum())
        raise DataProblem("classes_above_total", file=records.file, row=row, count=count)
    unknown = rest[rest["tests"] > 0].reset_index().assign(age=UNKNOWN)
    rows = pd.concat([classes[[*KEY, *COUNTS]], unknown[[*KEY, *COUNTS]]])
    return _to_categories(rows.sort_values(KEY, ignore_index=True))


def _to_categories(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(dict.fromkeys(KEY[1:], "category"))


def _refuse_cut_last_day(records: Records, raw: pd.DataFrame) -> None:
    """Refuse a file whose last day has fewer departments than the day before: it was cut."""
    places = raw.groupby("date")["department"].nunique()
    if len(places) > 1 and places.iloc[-1] < places.iloc[-2]:
        found = {"count": int(places.iloc[-1]), "expected": int(places.iloc[-2])}
        raise DataProblem("last_day_cut", file=records.file, **found)


def _take_dataset(records: Records) -> TestCounts:
    """Check the values of a dataset's frame; its index has the lines."""
    frame = records.frame
    for column, known in (("age", (*AGES, UNKNOWN)), ("sex", SEXES)):
        refuse_rows(
            records,
            ~frame[column].isin(known),
            "choice_unknown",
            column=column,
            expected=", ".join(known),
        )
    first, last = DATASET.column("date").low, DATASET.column("date").high
    outside = ~frame["date"].between(pd.Timestamp(first), pd.Timestamp(last))  # type: ignore[arg-type]
    bounds = {"first": str(first), "last": str(last)}
    refuse_rows(records, outside, "date_outside", column="date", **bounds)
    firsts = [name for name in FIRSTS if frame[name].notna().all()]
    for column in (*COUNTS, *firsts):
        refuse_rows(records, frame[column] < 0, "number_negative", column=column)
    refuse_rows(
        records,
        frame["positives"] > frame["tests"],
        "positives_above_tests",
        column="positives",
    )
    renamed = find_renamed(frame.loc[frame["tests"] > 0], "department")
    french = frame["department"].isin([*all_departments(), UNKNOWN])
    odd = {
        "department": int(frame.loc[~french | (frame["department"] == UNKNOWN), "tests"].sum()),
        "undetermined": int(frame["undetermined"].fillna(0).sum()),
    }
    rows = frame.assign(department=frame["department"].where(french, UNKNOWN))
    persons = len(firsts) == len(FIRSTS)
    counts = [*COUNTS, *(FIRSTS if persons else [])]
    rows = rows.groupby(KEY, as_index=False)[counts].sum().astype(dict.fromkeys(counts, "int64"))
    dimensions = frozenset({"department", "age", "sex"})
    return TestCounts(_to_categories(rows), dimensions, persons, odd=odd, renamed=renamed)
