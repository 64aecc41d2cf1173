"""Incidence and positivity against what Santé publique France published, and the files' traps."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wardbook.epidemic.population import read_population, shipped_population
from wardbook.epidemic.rates import (
    add_rates,
    count_days,
    count_weeks,
    keep_located,
    measure_weekend,
    measure_weeks,
    measure_windows,
    rate_per_100k,
    slide,
)
from wardbook.epidemic.sidep import COUNTRY, TestCounts, read_tests
from wardbook.errors import DataProblem

pytestmark = pytest.mark.shared_data

UNTIL_JUNE_2022, SINCE_JULY_2022 = 67_114_995, 67_863_600
CRITICAL_BEDS = 5058


@pytest.fixture(scope="module")
def spf(shared: Path) -> Path:
    return shared / "data" / "spf"


@pytest.fixture(scope="module")
def departments(spf: Path) -> TestCounts:
    return read_tests(spf / "sidep_sp-pos-quot-dep_vintage2020-10-25.csv")


@pytest.fixture(scope="module")
def country(spf: Path) -> TestCounts:
    return read_tests(spf / "sidep_sp-pos-quot-france_vintage2022-03-21.csv")


@pytest.fixture(scope="module")
def raw(spf: Path) -> pd.DataFrame:
    file = spf / "sidep_sp-pos-quot-france_vintage2022-03-21.csv"
    return pd.read_csv(file, sep=";", dtype={"cl_age90": str}, parse_dates=["jour"])


@pytest.fixture(scope="module")
def published(spf: Path) -> pd.DataFrame:
    file = spf / "published_table-indicateurs-france_2023-06-30.csv"
    return pd.read_csv(file, parse_dates=["date"], index_col="date")


def differing(published: pd.DataFrame, inhabitants: int) -> list[str]:
    ours = rate_per_100k(published["pos_7j"], inhabitants)
    return [str(day.date()) for day in published.index[ours != published["tx_incid"]]]


def test_the_published_incidence_follows_from_the_published_positives(
    published: pd.DataFrame,
) -> None:
    known = published.dropna(subset="tx_incid")
    before, after = known.loc[:"2022-06-30"], known.loc["2022-07-01":]  # type: ignore[misc]
    assert (len(before), differing(before, UNTIL_JUNE_2022)) == (779, ["2022-03-18"])
    assert before.loc["2022-03-18", "tx_incid"] == 903.14
    assert (len(after), differing(after, SINCE_JULY_2022)) == (362, [])
    # Whole weeks of SI-DEP's last national sheet: the 668 of 669 days that its README tells.
    sheet = before.loc["2020-05-19":"2022-03-18"]  # type: ignore[misc]
    assert (len(sheet), len(differing(sheet, UNTIL_JUNE_2022))) == (669, 1)


def test_another_vintage_of_the_population_does_not_reproduce_it(
    published: pd.DataFrame, spf: Path
) -> None:
    known = published.dropna(subset="tx_incid").loc[:"2022-06-30"]  # type: ignore[misc]
    insee = read_population(spf / "insee_pop_dep_2021.csv")
    assert insee.total == 67_407_241
    assert shipped_population().total == pytest.approx(insee.total, rel=1e-4)
    for wrong in (int(insee.total), SINCE_JULY_2022):
        assert len(differing(known, wrong)) > 770


def test_the_population_of_the_sheet_has_decimals_and_is_the_published_one(
    country: TestCounts, raw: pd.DataFrame
) -> None:
    assert country.population is not None
    assert round(country.population.total, 6) == UNTIL_JUNE_2022
    assert (country.population.by("age") % 1 != 0).all()
    assert set(raw.loc[raw["cl_age90"] == "0", "pop"]) == {UNTIL_JUNE_2022}


def test_every_person_stands_in_one_row(
    country: TestCounts, departments: TestCounts, raw: pd.DataFrame, spf: Path
) -> None:
    totals = raw[raw["cl_age90"] == "0"].set_index("jour")
    ours = count_days(country).set_index("date")
    assert (ours["tested"] == totals["T"]).all()
    assert (ours["positive"] == totals["P"]).all()
    by_sex = count_days(country, "sex").pivot(index="date", columns="sex", values="tested")
    assert (by_sex["F"] == totals["T_f"]).all()
    assert (by_sex["M"] == totals["T_h"]).all()
    assert (by_sex["unknown"] > 0).mean() > 0.9
    file = pd.read_csv(
        spf / "sidep_sp-pos-quot-dep_vintage2020-10-25.csv",
        sep=";",
        dtype={"dep": str, "cl_age90": str},
    )
    places = (
        count_days(departments, "department").groupby("department", observed=True)["tested"].sum()
    )
    expected = file[file["cl_age90"] == "0"].groupby("dep")["T"].sum()
    assert (places.sort_index().to_numpy() == expected.sort_index().to_numpy()).all()
    assert {"975", "977", "978", "2A", "2B", "976"} <= set(expected.index)


def test_adding_all_rows_doubles_the_rate(raw: pd.DataFrame) -> None:
    every = raw.groupby("jour")["P"].sum()
    total = raw[raw["cl_age90"] == "0"].groupby("jour")["P"].sum()
    assert (every / total).between(1.9, 2).all()


def test_the_sheet_of_march_2022_agrees_with_the_series_of_2023_as_far_as_vintages_do(
    country: TestCounts, published: pd.DataFrame
) -> None:
    ours = count_days(country).set_index("date")["positive"]
    theirs = published.loc[ours.index, "pos"]
    assert ((theirs == ours).sum(), len(ours)) == (64, 675)
    # Later vintages have more positives, but on four days.
    assert (theirs < ours).sum() == 4
    assert ((theirs - ours) / ours).abs().max() < 0.032
    windows = slide(count_days(country)).set_index("date")["positive"]
    assert str(windows.index[0].date()) == "2020-05-19"
    gap = (published.loc[windows.index, "pos_7j"] - windows) / windows
    assert gap.between(-0.0001, 0.0104).all()


def test_the_departments_of_october_2020_are_short_of_the_later_sheet(
    departments: TestCounts, country: TestCounts
) -> None:
    ours = count_days(departments).set_index("date")
    later = count_days(country).set_index("date").loc[ours.index]
    gap = ours["positive"] / later["positive"] - 1
    assert len(gap) == 163
    assert -0.04 < gap.median() < -0.01
    # The last days of a vintage lack most tests: they are not yet reported.
    tested = ours["tested"] / later["tested"]
    assert tested.iloc[-1] == tested.min() < 0.7


def test_the_published_positivity_counts_each_person_once_in_seven_days(
    country: TestCounts, published: pd.DataFrame
) -> None:
    daily = count_days(country).set_index("date")
    sums = daily.rolling(7, min_periods=1).sum()
    ours = (100 * sums["positive"] / sums["tested"]).round(2)
    theirs = published.loc[ours.index, "tx_pos"]
    assert [str(day.date()) for day in ours.index[ours == theirs]] == ["2020-05-13", "2020-05-14"]
    # Persons of the week: no more than the sum of its days, and no fewer than any day has.
    persons = 100 * published.loc[ours.index, "pos_7j"] / theirs
    assert (persons <= 1.001 * sums["tested"]).all()
    assert (persons >= daily["tested"].rolling(7, min_periods=1).max()).all()
    assert 1.04 < (theirs / ours).mean() < 1.06


def test_the_occupancy_of_critical_care_is_of_5058_beds(published: pd.DataFrame) -> None:
    known = published.dropna(subset="TO")
    wrong = known.index[(known["rea"] / CRITICAL_BEDS - known["TO"]).abs() > 5e-7]
    assert len(known) == 1200
    told = [str(day.date()) for day in wrong]
    assert told == ["2020-03-19", "2020-03-21", "2020-03-22", "2020-04-28"]


def test_who_lives_where_no_population_is_known_is_in_no_rate(
    departments: TestCounts, spf: Path
) -> None:
    insee = read_population(spf / "insee_pop_dep_2021.csv")
    people = insee.within(departments.rows["department"].unique())
    located = keep_located(departments, people)
    outside = departments.rows["department"].isin(["975", "977", "978"])
    assert departments.tested - located.tested == departments.rows.loc[outside, "tests"].sum() > 0
    last = measure_windows(departments, people).iloc[-1]
    positive = slide(count_days(located)).iloc[-1]["positive"]
    assert last["incidence"] == round(positive / 67_407_241 * 1e5, 2)
    assert last["positive"] > positive
    weeks = measure_weeks(departments, people, "department").set_index(["department", "week"])
    assert weeks.loc[("977", "2020-W42"), "positivity"] > 0
    assert pd.isna(weeks.loc[("977", "2020-W42"), "incidence"])


def test_sums_of_seven_days_are_free_of_the_weekend(country: TestCounts) -> None:
    daily = count_days(country)
    assert measure_weekend(daily) < 0.5
    calm = slide(daily)
    calm = calm[calm["date"] < "2020-07-01"]
    by_day = calm.groupby(calm["date"].dt.day_of_week)["tested"].mean()
    assert by_day.max() / by_day.min() < 1.1


def test_weeks_are_whole_iso_weeks(country: TestCounts) -> None:
    weeks = count_weeks(country)
    assert (weeks["week"].iloc[0], weeks["week"].iloc[-1]) == ("2020-W21", "2022-W10")
    assert "2020-W53" in set(weeks["week"])
    windows = slide(count_days(country)).set_index("date")
    assert weeks.set_index("week").loc["2020-W53", "tested"] == windows.loc["2021-01-03", "tested"]


def test_age_rates_of_the_sheet_are_per_its_own_classes(
    country: TestCounts, raw: pd.DataFrame
) -> None:
    assert country.population is not None
    table = count_days(country, "age")
    table = add_rates(table, table, country.population, "age").set_index(["age", "date"])
    row = raw[(raw["cl_age90"] == "29") & (raw["jour"] == "2022-01-10")].iloc[0]
    ours = table.loc[("29", pd.Timestamp("2022-01-10"))]
    assert ours["incidence"] == round(row["P"] / row["pop"] * 1e5, 2)
    assert pd.isna(table.loc[("unknown", pd.Timestamp("2022-01-10")), "incidence"])


@pytest.mark.parametrize("name", ["metadonnees-classes-age.csv", "metadonnees-hospit-incid.csv"])
def test_metadata_are_no_data(spf: Path, name: str) -> None:
    with pytest.raises(DataProblem) as problem:
        read_tests(spf / name)
    assert problem.value.code in {"not_utf8", "header_missing"}
    if name == "metadonnees-classes-age.csv":
        assert problem.value.code == "not_utf8"  # Latin-1
    assert COUNTRY[0] == "fra"
