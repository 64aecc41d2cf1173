"""The hospital's laboratory values: what is planted stands in the database, traps included."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from tests.planted.biology import HOURS, read_visits
from wardbook.datasets import find_dataset
from wardbook.hospital.building import build_hospital
from wardbook.hospital.ideal_score import measure_ideal
from wardbook.hospital.parts import biology
from wardbook.prediction.discrimination import measure_auc
from wardbook.prediction.moments import count_recorded_late
from wardbook.warehouse import extract, open_warehouse


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("biology")
    return build_hospital(folder, patients=3000, seed=4, parts=("biology",))


@pytest.fixture(scope="module")
def visits(hospital: Path) -> pd.DataFrame:
    return read_visits(hospital)


def ask(hospital: Path, question: str) -> pd.DataFrame:
    with duckdb.connect(str(hospital), read_only=True) as connection:
        return connection.execute(question).df()


def extract_visits(hospital: Path, **asked: object) -> pd.DataFrame:
    dataset = find_dataset("laboratory-values")
    assert dataset is not None
    out = hospital.with_name("asked.parquet")
    given = {
        "start": date(2024, 1, 1),
        "end": date(2025, 12, 31),
        "window_hours": HOURS,
        "outcome": ["R65.1"],
    }
    with open_warehouse(f"duckdb://{hospital}") as open_table:
        extract(dataset, open_table, given | asked, out)
    return dataset.read(out)


def test_the_ideal_score_is_that_of_a_simulation() -> None:
    strata = [(0.7, -3.0, 1.2), (0.3, -2.0, 0.8)]
    rng = np.random.default_rng(1)
    which = rng.random(400_000) < 0.3
    odds = rng.normal(np.where(which, -2.0, -3.0), np.where(which, 0.8, 1.2))
    outcome = (rng.random(len(odds)) < expit(odds + 0.5)).astype(int)
    ideal = measure_ideal(strata, 0.5)
    assert ideal["prevalence"] == pytest.approx(outcome.mean(), abs=0.002)
    found = measure_auc(odds, outcome, np.arange(len(odds)))
    assert found.low <= ideal["auc"] <= found.high
    assert ideal["brier"] == pytest.approx(((outcome - expit(odds + 0.5)) ** 2).mean(), abs=0.001)


def test_a_useless_and_a_perfect_score() -> None:
    assert measure_ideal([(1.0, -2.0, 1e-2)])["auc"] == pytest.approx(0.5, abs=0.01)
    wide = measure_ideal([(0.5, -11.0, 0.5), (0.5, 6.0, 0.5)])
    assert wide["auc"] == pytest.approx(1, abs=0.01)
    assert wide["brier"] == pytest.approx(0, abs=0.01)


def test_a_visit_has_its_first_value_of_the_window(hospital: Path, visits: pd.DataFrame) -> None:
    several = ask(
        hospital,
        "SELECT visit_occurrence_id, count(*) n FROM measurement"
        " WHERE measurement_source_value = '1988-5' GROUP BY 1 HAVING n > 1",
    )
    assert len(several) > 300
    first = ask(
        hospital,
        "SELECT CAST(visit_occurrence_id AS VARCHAR) AS visit, arg_min(value_as_number,"
        " measurement_datetime) AS value FROM measurement"
        " WHERE measurement_source_value = '1988-5' GROUP BY 1",
    ).set_index("visit")["value"]
    told = visits.set_index("visit")["crp"].dropna()
    assert (told == first[told.index]).all()


def test_a_longer_window_reads_what_the_diagnosis_left_behind(hospital: Path) -> None:
    """The control of the window: who may look at the next day finds higher values of the cases."""
    short, long = extract_visits(hospital), extract_visits(hospital, window_hours=30)
    gained = long.set_index("visit")["procalcitonin"].drop(
        short.loc[short["procalcitonin"].notna(), "visit"]
    )
    cases = long.set_index("visit")["outcome"][gained.index]
    values = np.log(gained.dropna())
    late, early = values[cases[values.index]].mean(), values[~cases[values.index]].mean()
    honest = np.log(short["procalcitonin"])
    difference = honest[short["outcome"]].mean() - honest[~short["outcome"]].mean()
    assert late - early > difference + 0.5
    assert (long["taken_at"] > long["arrived"] + pd.Timedelta(hours=HOURS)).any()
    assert (short["taken_at"] <= short["arrived"] + pd.Timedelta(hours=HOURS)).all()


def test_only_adults_of_the_period_with_a_value(hospital: Path, visits: pd.DataFrame) -> None:
    assert visits["age"].min() >= 18
    assert visits["visit"].is_unique
    some = extract_visits(hospital, start=date(2024, 3, 1), end=date(2024, 3, 31))
    assert some["arrived"].dt.strftime("%Y-%m").unique().tolist() == ["2024-03"]
    other = extract_visits(hospital, outcome=["I50.9"])
    assert not other["outcome"].any()
    names = list(biology.NAMES)
    assert some[names].notna().any(axis=1).all()


def test_antibiotics_come_after_the_prediction_and_tell_nearly_all(visits: pd.DataFrame) -> None:
    given = visits["antibiotic_at"].notna()
    assert count_recorded_late(visits, HOURS, "antibiotic_at") == given.sum()
    area = measure_auc(
        given.to_numpy(float), visits["outcome"].to_numpy(int), visits["patient"].to_numpy()
    )
    assert area.value > 0.9, "a trap: better than the ideal score"


def test_units_are_mixed_from_the_day_told(hospital: Path) -> None:
    units = ask(
        hospital,
        "SELECT unit_source_value AS unit, measurement_datetime AS at, value_as_number AS value"
        " FROM measurement WHERE measurement_source_value = '14682-9'",
    )
    other = units[units["unit"] == "mg/dL"]
    assert other["at"].min() >= pd.Timestamp(biology.MG_DL_DAY)
    assert other["value"].max() < 15
    since = units[units["at"] >= pd.Timestamp(biology.MG_DL_DAY)]
    assert len(other) / len(since) == pytest.approx(biology.MG_DL, abs=0.02)
    assert units["unit"].isna().mean() == pytest.approx(biology.NO_UNIT, abs=0.004)


def test_what_is_missing_depends_on_the_ward(visits: pd.DataFrame) -> None:
    emergency = visits["ward"] == "URGE"
    missing = visits["procalcitonin"].isna()
    assert missing[emergency].mean() == pytest.approx(0.25, abs=0.05)
    assert missing[~emergency].mean() > 0.4
