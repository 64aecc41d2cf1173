"""Tests and stays with COVID-19: counted by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wardbook.activity.clock import days_between
from wardbook.covid import stays, tests
from wardbook.datasets import find_dataset
from wardbook.errors import DataProblem

TODAY = date(2025, 6, 30)
WEEK = date(2025, 6, 2), date(2025, 6, 8)
HEADERS = {
    "covid-tests": "test;patient;sampled;ward;sex;age;result",
    "covid-stays": "stay;visit;patient;ward;entered;left;positive;died",
}


def read(folder: Path, kind: str, *lines: str) -> pd.DataFrame:
    path = folder / f"{kind}.csv"
    path.write_text("\n".join([HEADERS[kind], *lines, ""]))
    dataset = find_dataset(kind)
    assert dataset is not None
    return dataset.read(path)


def test_an_illness_counts_once_and_another_after_sixty_days_again(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "covid-tests",
        "1;a;2025-04-03T10:00;CARD;F;30;positive",
        "2;a;2025-06-02T09:00;CARD;F;30;positive",
        "3;b;2025-04-03T10:00;;M;81;positive",
        "4;b;2025-06-03T11:00;;M;81;positive",
        "5;b;2025-06-05T11:00;;M;81;negative",
        "6;c;2025-06-04T11:00;;;;negative",
        "7;c;2025-06-05T11:00;;;;positive",
    )
    found = tests.sort_out(table, TODAY, *WEEK, file="x")
    # The 60th day after 3 April is 2 June: a is still of that illness, b the day after is not.
    assert list(found.rows["test"]) == ["4", "6", "7"]
    assert found.odd == {"again": 2}
    assert found.last == date(2025, 6, 5)
    assert list(found.rows["age_group"]) == ["80+", "", ""]


def test_tests_that_cannot_count_are_named(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "covid-tests",
        "1;a;2025-06-03T10:00;;F;30;",
        "2;b;2025-06-03T10:00;;F;30;inconclusive",
        "3;c;2025-06-03T10:00;;F;190;negative",
        "4;d;2025-06-03T10:00;;F;19;negative",
        "5;e;2025-07-15T10:00;;F;20;negative",
    )
    found = tests.sort_out(table, TODAY, WEEK[0], date(2025, 7, 31), file="x")
    assert found.odd == {"without": 1, "inconclusive": 1, "age": 1, "future": 1}
    assert list(found.rows["age_group"]) == ["", "0-19"]
    daily = tests.count_days(found.rows)
    assert daily[["tests", "positive", "negative", "positivity"]].to_numpy().tolist() == [
        [2, 0, 2, 0.0]
    ]
    assert tests.count_ages(found.rows, ["2025-W23"])["tests"].tolist() == [1]
    with pytest.raises(DataProblem) as caught:
        tests.sort_out(table, TODAY, date(2025, 1, 1), date(2025, 1, 2), file="x")
    assert caught.value.code == "period_without_data"


def test_ratios_are_of_positivity_and_not_of_odds() -> None:
    """Half of the old, a quarter of the others: the ratio is 2, that of odds would be 3."""
    groups = {("20-59", "F"): (400, 100), ("80+", "F"): (400, 200), ("20-59", "M"): (400, 100)}
    rows = [
        (group, sex, int(n < positive))
        for (group, sex), (many, positive) in groups.items()
        for n in range(many)
    ]
    frame = pd.DataFrame(rows, columns=["age_group", "sex", "positive"])
    frame["patient"] = np.arange(len(frame)).astype(str)
    frame["date"] = pd.Timestamp(2025, 6, 2)
    table = tests.measure_ratios(frame).set_index("level")
    assert table.loc["80+", "ratio"] == pytest.approx(2, abs=0.001)
    assert table.loc["M", "ratio"] == pytest.approx(1, abs=0.001)
    assert table.loc["80+", "low"] > 1.5
    nobody = frame.assign(positive=frame["positive"].where(frame["sex"] == "F", 0))
    assert tests.measure_ratios(nobody).empty, "no man is positive: there is no ratio"


def stays_of(folder: Path) -> pd.DataFrame:
    return read(
        folder,
        "covid-stays",
        # Found positive on the day of admission, moved to critical care, died there.
        "1;v1;a;CARD;2025-06-02T10:00;2025-06-03T12:00;2025-06-02T11:00;2025-06-06",
        "2;v1;a;REAM;2025-06-03T12:00;2025-06-06T12:00;2025-06-02T11:00;2025-06-06",
        # There for long, positive on the eighth day; in the ward before that without.
        "3;v2;b;GERI;2025-05-28T23:00;;2025-06-04T08:00;",
        # Left the first ward before the sample: never there with the disease.
        "4;v3;c;CARD;2025-06-03T08:00;2025-06-04T08:00;2025-06-05T08:00;",
        "5;v3;c;MEDI;2025-06-04T08:00;2025-06-07T08:00;2025-06-05T08:00;",
    )


def test_patients_count_from_their_positive_sample_until_they_leave(tmp_path: Path) -> None:
    found = stays.sort_out(stays_of(tmp_path), TODAY, *WEEK, file="x")
    assert found.odd == {}
    assert found.last == date(2025, 6, 7)
    days = days_between(WEEK[0], found.last)
    present = stays.list_present(found.rows, days)
    assert stays.count_present(present, days)["patients"].tolist() == [1, 1, 2, 3, 2, 1]
    assert set(present.loc[present["patient"] == "c", "ward"]) == {"MEDI"}
    weeks = ["2025-W23"]
    wards = stays.count_wards(found.rows, ["CARD", "GERI", "MEDI", "REAM"], weeks)
    assert wards["patients"].tolist() == [1, 1, 1, 1]
    assert stays.count_critical(found.rows, ["REAM"], weeks)["patients"].tolist() == [1]
    assert stays.count_critical(found.rows, ["NONE"], weeks)["patients"].tolist() == [0]


def test_new_patients_and_who_caught_it_in_hospital(tmp_path: Path) -> None:
    found = stays.sort_out(stays_of(tmp_path), TODAY, *WEEK, file="x")
    admissions = stays.list_admissions(found.rows, *WEEK)
    assert admissions["patient"].tolist() == ["a", "b", "c"]
    assert [f"{day:%m-%d}" for day in admissions["date"]] == ["06-02", "06-04", "06-05"]
    assert admissions["caught"].tolist() == [0, 1, 0], "28 May is day 1, 4 June day 8"
    caught = stays.count_caught(admissions, ["2025-W23"]).set_index("origin")["patients"]
    assert caught.to_dict() == {"community": 2, "hospital": 1}
    deaths = stays.count_deaths(found.rows, date(2025, 5, 15), TODAY)
    assert deaths.to_numpy().tolist() == [["2025-06", 1]], "May is not whole"


def test_stays_that_cannot_be_are_named(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "covid-stays",
        "1;v1;a;CARD;2025-06-03T10:00;2025-06-02T10:00;2025-06-03T11:00;",
        "2;v2;b;CARD;2025-08-03T10:00;;2025-08-03T11:00;",
        "3;v3;c;CARD;2025-06-03T10:00;;2025-06-03T11:00;2025-05-01",
    )
    found = stays.sort_out(table, TODAY, *WEEK, file="x")
    assert found.odd == {"reversed": 1, "future": 1, "death": 1}
    assert list(found.rows["patient"]) == ["c"]
    assert found.rows["died"].isna().all()
    with pytest.raises(DataProblem) as caught:
        stays.sort_out(table, TODAY, date(2025, 6, 20), TODAY, file="x")
    assert caught.value.code == "period_without_data"


def test_a_picture_shows_no_small_number() -> None:
    days = days_between(*WEEK)
    present = pd.DataFrame({"date": days, "patients": [0, 1, 10, 11, 30, 5, 12]})
    shown = stays.hide_few(present, 11)["patients"]
    assert shown.dropna().tolist() == [0, 11, 30, 12]
