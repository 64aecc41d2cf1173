"""Tests for an infection: reading and its damages, rates, ratios, and the view of the warehouse."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, poisson

from wardbook.datasets import find_dataset
from wardbook.datasets.test_counts import AGES, DATASET
from wardbook.epidemic import population, rates, sidep
from wardbook.epidemic.comparison import compare_positivity
from wardbook.epidemic.sidep import KEY, TestCounts
from wardbook.errors import DataProblem
from wardbook.messages import LANGUAGES, say
from wardbook.omop.tables import TABLES
from wardbook.omop.vocabulary import (
    FEMALE,
    MALE,
    NEGATIVE,
    POSITIVE,
    SARS_COV_2_PCR,
    UNDETERMINED,
)
from wardbook.warehouse import extract

DAYS = [date(2020, 6, 1) + timedelta(n) for n in range(16)]
CLASSES = (*AGES, "0")


def department_file(folder: Path, *edits: tuple[str, str]) -> Path:
    """Write a good SI-DEP file of two departments, with `edits` of its lines."""
    lines = ["dep;jour;P;T;cl_age90"]
    for code in ("35", "2A"):
        for day in DAYS:
            lines += [f"{code};{day};1;10;{age}" for age in AGES]
            lines.append(f"{code};{day};11;104;0")
    return write(folder, lines, edits)


def country_file(folder: Path, *edits: tuple[str, str]) -> Path:
    lines = ["fra;jour;P_f;P_h;P;T_f;T_h;T;cl_age90;pop"]
    for day in DAYS:
        lines += [f"FR;{day};2;1;3;10;8;20;{age};1000.5" for age in AGES]
        lines.append(f"FR;{day};21;10;32;101;80;205;0;10005")
    return write(folder, lines, edits)


def dataset_file(folder: Path, *edits: tuple[str, str]) -> Path:
    lines = [";".join(DATASET.names)]
    for day in DAYS:
        lines += [f"{day};35;{age};F;12;3;1;10;3" for age in AGES]
    return write(folder, lines, edits)


def write(folder: Path, lines: list[str], edits: tuple[tuple[str, str], ...]) -> Path:
    text = "\n".join([*lines, ""])
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file = folder / "tests.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_three_forms_come_to_one(tmp_path: Path) -> None:
    departments = sidep.read_tests(department_file(tmp_path))
    assert (departments.tested, departments.public, departments.persons) == (
        2 * 16 * 104,
        True,
        False,
    )
    unknown = departments.rows[departments.rows["age"] == "unknown"]
    assert (len(unknown), set(unknown["tests"]), set(unknown["positives"])) == (32, {4}, {1})
    country = sidep.read_tests(country_file(tmp_path))
    assert country.tested == 16 * 205
    first = country.rows[country.rows["date"] == "2020-06-01"]
    by_sex = first.groupby("sex", observed=True)["tests"].sum().to_dict()
    assert by_sex == {"F": 101, "M": 80, "unknown": 24}
    assert country.population is not None
    assert country.population.total == pytest.approx(10_005)
    persons = sidep.read_tests(dataset_file(tmp_path))
    assert (persons.persons, persons.public, persons.odd["undetermined"]) == (True, False, 160)
    assert rates.count_weeks(persons).to_dict("list") == {
        "week": ["2020-W23", "2020-W24"],
        "tested": [700, 700],
        "positive": [210, 210],
    }


SHEET, ROW = "FR;2020-06-03;2;1;3;10;8;20;29", "2020-06-03;35;29"
DAMAGES = [
    (department_file, ("35;2020-06-03;1;10;29", "20;2020-06-03;1;10;29"), "department_unknown"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-03;1;10;25"), "choice_unknown"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-31;1;10;29"), "date_impossible"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2002-06-03;1;10;29"), "date_outside"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-03;-1;10;29"), "number_negative"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-03;0,1;10;29"), "number_invalid"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-03;11;10;29"), "positives_above_tests"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-03;1;15;29"), "classes_above_total"),
    (department_file, ("35;2020-06-03;1;10;29", "35;2020-06-03;1;10;19"), "key_duplicated"),
    (department_file, ("35;2020-06-03;11;104;0\n", ""), "age_total_missing"),
    (country_file, (SHEET, SHEET.replace("2;1;3", "2;2;3")), "sexes_above_total"),
    (country_file, (f"{SHEET};1000.5", f"{SHEET};1001"), "population_changes"),
    (country_file, (f"{SHEET};1000.5", f"{SHEET};0"), "inhabitants_form"),
    (country_file, ("FR;2020-06-03;2;1;3;10", "BE;2020-06-03;2;1;3;10"), "choice_unknown"),
    (dataset_file, ("2020-06-03;35;29", "2020-06-03;35;30"), "choice_unknown"),
    (dataset_file, ("2020-06-03;35;29;F", "2020-06-03;35;29;W"), "choice_unknown"),
    (dataset_file, (f"{ROW};F;12;3", f"{ROW};F;12;13"), "positives_above_tests"),
    (dataset_file, ("2020-06-03;35;29;F;12", "2020-06-03;35;29;F;-12"), "number_negative"),
    (dataset_file, ("2020-06-03;35;29", "1920-06-03;35;29"), "date_outside"),
    (dataset_file, ("2020-06-03;35;29", "2020-06-03;35;19"), "key_duplicated"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "edit", "code"), DAMAGES)
def test_what_cannot_be_is_refused(
    make: object, edit: tuple[str, str], code: str, tmp_path: Path
) -> None:
    assert callable(make)
    sidep.read_tests(make(tmp_path))  # the control: without the damage it is read
    with pytest.raises(DataProblem) as problem:
        sidep.read_tests(make(tmp_path, edit))
    assert problem.value.code == code
    for language in LANGUAGES:
        assert "tests.csv" in say(language, f"data.{code}", **problem.value.details)


def test_a_last_day_with_fewer_departments_is_refused(tmp_path: Path) -> None:
    file = department_file(tmp_path)
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("2A;2020-06-16")]
    file.write_text("\n".join([*kept, ""]), encoding="utf-8")
    with pytest.raises(DataProblem) as problem:
        sidep.read_tests(file)
    assert problem.value.code == "last_day_cut"


def test_an_unknown_or_renamed_department_is_named(tmp_path: Path) -> None:
    control = sidep.read_tests(dataset_file(tmp_path))
    assert (control.odd["department"], control.renamed) == (0, ())
    file = dataset_file(tmp_path)
    start = date(2020, 6, 1)
    days = [start + timedelta(n) for n in range(40)]
    lines = [";".join(DATASET.names)]
    lines += [f"{day};{'35' if n < 20 else '035'};29;F;12;3;1;10;3" for n, day in enumerate(days)]
    lines += [f"{day};22;29;F;5;1;0;5;1" for day in days]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    odd = sidep.read_tests(file)
    assert odd.odd["department"] == 20 * 12
    assert [(r.old, r.new, r.day) for r in odd.renamed] == [("35", "035", date(2020, 6, 21))]
    assert set(odd.rows["department"]) == {"35", "22", "unknown"}


def test_missing_days_and_a_partial_last_day(tmp_path: Path) -> None:
    file = dataset_file(tmp_path)
    whole = sidep.read_tests(file)
    assert len(rates.slide(rates.count_days(whole))) == 16 - 6
    assert rates.find_partial_day(rates.count_days(whole)) is None
    cut = [
        line for line in file.read_text("utf-8").splitlines() if not line.startswith("2020-06-08")
    ]
    file.write_text("\n".join([*cut, ""]), encoding="utf-8")
    holed = sidep.read_tests(file)
    windows = rates.slide(rates.count_days(holed))
    assert [str(day.date()) for day in windows["date"]] == [
        "2020-06-07",
        "2020-06-15",
        "2020-06-16",
    ]
    assert list(rates.count_weeks(holed)["week"]) == ["2020-W23"]
    short = [line for line in cut if not line.startswith("2020-06-16") or ";35;29;" in line]
    file.write_text("\n".join([*short, ""]), encoding="utf-8")
    partial = rates.find_partial_day(rates.count_days(sidep.read_tests(file)))
    assert partial is not None
    assert partial["tested"] == 12


def test_departments_are_chosen(tmp_path: Path) -> None:
    tests = sidep.read_tests(department_file(tmp_path))
    kept = sidep.keep_departments(tests, ["35"], file="f")
    assert set(kept.rows["department"]) == {"35"}
    with pytest.raises(DataProblem, match="no data for the departments") as problem:
        sidep.keep_departments(tests, ["01"], file="f")
    assert problem.value.code == "department_without_data"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("35,1000\n35,2000\n", "key_duplicated"),
        ("35,0\n", "inhabitants_form"),
        ("35,-5\n", "inhabitants_form"),
        ("20,1000\n", "department_unknown"),
        ("department;age;sex;inhabitants\n35;all;all;10\n35;09;all;5\n", "total_mixed"),
        ("department;age;sex;inhabitants\n35;12;all;10\n", "choice_unknown"),
    ],
)
def test_a_wrong_population_is_refused(text: str, code: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("35,1000.5\n2A,12\n", encoding="utf-8")
    assert population.read_population(file).total == 1012.5
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataProblem) as problem:
        population.read_population(file)
    assert problem.value.code == code


def test_intervals_are_wilson_s_and_garwood_s() -> None:
    counts, tested = pd.Series([0, 3, 50]), pd.Series([20, 40, 50])
    shares = rates.measure_positivity(counts, tested)
    for row, (k, n) in enumerate(zip(counts, tested, strict=True)):
        wilson = binomtest(k, n).proportion_ci(method="wilson")
        assert shares["positivity_low"][row] == pytest.approx(wilson.low, abs=5e-5)
        assert shares["positivity_high"][row] == pytest.approx(wilson.high, abs=5e-5)
    low, high = rates.bound_rate(pd.Series([0, 7]), 100_000.0)
    assert low[0] == 0
    # Garwood: at the bounds, as many or more (fewer) have a chance of 2.5 %.
    assert poisson.sf(6, low[1]) == pytest.approx(0.025, abs=2e-4)
    assert poisson.cdf(7, high[1]) == pytest.approx(0.025, abs=2e-4)
    nobody = rates.measure_positivity(pd.Series([0]), pd.Series([0]))
    assert nobody.isna().all(axis=None)


def drawn(seed: int, ages: dict[str, float], weights: dict[str, list[float]]) -> TestCounts:
    """Draw tests of departments with these positivities by age and shares of ages."""
    random = np.random.default_rng(seed)
    rows = []
    for code, shares in weights.items():
        for month in (1, 2, 3):
            for (age, chance), share in zip(ages.items(), shares, strict=True):
                n = int(6000 * share)
                rows.append(
                    (pd.Timestamp(2024, month, 1), code, age, "F", n, random.binomial(n, chance))
                )
    frame = pd.DataFrame(rows, columns=[*KEY, "tests", "positives"])
    frame = frame.astype(dict.fromkeys(KEY[1:], "category"))
    return TestCounts(frame, frozenset({"department", "age"}))


def test_standardising_takes_the_ages_out() -> None:
    ages = dict(zip(AGES, np.linspace(0.05, 0.3, 10), strict=True))
    young, old = [0.19 - 0.02 * n for n in range(10)], [0.01 + 0.02 * n for n in range(10)]
    tests = drawn(1, ages, {"35": young, "22": old})
    table = rates.standardise(tests, population.shipped_population()).set_index("department")
    assert table.loc["22", "positivity"] > 1.3 * table.loc["35", "positivity"]
    assert table.loc["22", "positivity_standard"] == pytest.approx(0.175, rel=0.05)
    assert table.loc["35", "positivity_standard"] == pytest.approx(0.175, rel=0.05)
    low, high = (table[f"positivity_standard_{end}"] for end in ("low", "high"))
    assert ((low < 0.175) & (high > 0.175)).all()
    assert table["incidence_standard"].isna().all()
    rows = [(d, a, "all", 5000.0) for d in ("35", "22") for a in AGES]
    people = population.Population(pd.DataFrame(rows, columns=list(population.LAYOUT)), "file")
    assert rates.standardise(tests, people)["incidence_standard"].notna().all()


def test_ratios_hold_time_and_age_equal() -> None:
    ages = dict(zip(AGES, [0.06] * 2 + [0.1] * 4 + [0.15] * 2 + [0.2] * 2, strict=True))
    truths = {"age 0-19": 0.6, "age 60-79": 1.5, "age 80+": 2.0, "department 22": 1.0}
    held = dict.fromkeys(truths, 0)
    for seed in range(30):
        tests = drawn(seed, ages, {"35": [0.11] * 10, "22": [0.09] * 10})
        found = compare_positivity(tests).set_index("term")
        for term, truth in truths.items():
            held[term] += found.loc[term, "ratio_low"] < truth < found.loc[term, "ratio_high"]
    assert min(held.values()) >= 25  # of 30 at 95 %: fewer in one of a thousand
    assert compare_positivity(drawn(3, {"09": 0.1}, {"35": [1.0]})).empty


PEOPLE = [  # sex, born, department
    (1, FEMALE.id, (1980, 6, 15), "35"),
    (2, MALE.id, (2015, 1, 1), "35"),
    (3, FEMALE.id, (1930, 12, 31), "22"),
    (4, 0, (1980, 6, 15), None),
]
RESULTS = [  # person, day, result
    (1, "2024-03-04", NEGATIVE.id),
    (1, "2024-03-04", POSITIVE.id),  # positive that day
    (1, "2024-03-05", NEGATIVE.id),  # 1 to 60 days after: not counted
    (1, "2024-05-03", POSITIVE.id),  # 60 days after: not counted, and immune again from here
    (1, "2024-07-03", POSITIVE.id),  # 61 days after that: counted
    (2, "2024-03-05", NEGATIVE.id),
    (2, "2024-03-06", POSITIVE.id),  # second test of the week, first positive
    (3, "2024-03-06", UNDETERMINED.id),
    (3, "2024-03-07", 0),
    (3, "2024-03-08", NEGATIVE.id),
    (4, "2024-06-15", NEGATIVE.id),  # no sex, no home; 44 on this very day
]


def tiny_warehouse(path: Path) -> ibis.BaseBackend:
    """Make a database of the model with four persons."""
    concepts = [FEMALE, MALE, SARS_COV_2_PCR, POSITIVE, NEGATIVE, UNDETERMINED]
    given = {
        "concept": pd.DataFrame(
            {
                "concept_id": [0, *(c.id for c in concepts)],
                "concept_code": ["0", *(c.code for c in concepts)],
            }
        ),
        "location": pd.DataFrame({"location_id": [1, 2], "location_source_value": ["35", "22"]}),
        "person": pd.DataFrame(
            [(i, sex, *born, {"35": 1, "22": 2}.get(home or "")) for i, sex, born, home in PEOPLE],
            columns=[
                *("person_id", "gender_concept_id"),
                *("year_of_birth", "month_of_birth", "day_of_birth", "location_id"),
            ],
        ).astype({"location_id": "Int64"}),
        "measurement": pd.DataFrame(
            {
                "person_id": [r[0] for r in RESULTS],
                "measurement_date": [date.fromisoformat(r[1]) for r in RESULTS],
                "measurement_concept_id": SARS_COV_2_PCR.id,
                "value_as_concept_id": [r[2] for r in RESULTS],
            }
        ),
    }
    with duckdb.connect(str(path)) as connection:
        for name, frame in given.items():
            connection.register("frame", frame)
            empty = [f"NULL AS {c}" for c in TABLES[name] if c not in frame]
            connection.execute(
                f"CREATE TABLE {name} AS SELECT {', '.join(['*', *empty])} FROM frame"
            )
    return ibis.duckdb.connect(path, read_only=True)


def test_the_view_counts_persons_once_a_day_and_once_a_week(tmp_path: Path) -> None:
    connection = tiny_warehouse(tmp_path / "tiny.duckdb")
    dataset = find_dataset("test-counts")
    assert dataset is not None
    out = tmp_path / "counts.parquet"
    extract(dataset, connection.table, {"start": None, "end": None}, out)
    columns = ["date", "department", "age", "sex", "tests", "positives", "undetermined"]
    columns += ["first_tests", "first_positives"]
    found = pd.read_parquet(out)[columns]
    found["date"] = found["date"].dt.strftime("%m-%d")
    assert [tuple(row) for row in found.itertuples(index=False)] == [
        ("03-04", "35", "49", "F", 1, 1, 0, 1, 1),
        ("03-05", "35", "09", "M", 1, 0, 0, 1, 0),
        ("03-06", "22", "90", "F", 0, 0, 1, 0, 0),
        ("03-06", "35", "09", "M", 1, 1, 0, 0, 1),
        ("03-07", "22", "90", "F", 0, 0, 1, 0, 0),
        ("03-08", "22", "90", "F", 1, 0, 0, 1, 0),
        ("06-15", "unknown", "49", "unknown", 1, 0, 0, 1, 0),
        ("07-03", "35", "49", "F", 1, 1, 0, 1, 1),
    ]
    extract(dataset, connection.table, {"start": date(2024, 5, 4), "end": date(2024, 6, 30)}, out)
    assert list(pd.read_parquet(out)["department"]) == ["unknown"]
    connection.disconnect()
