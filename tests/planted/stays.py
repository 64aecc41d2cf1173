"""What is planted in visits and stays: nights, admissions, readmissions, deaths, the epidemic."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from tests.planted_effects import Estimate

PARTS = ("stays",)
PATIENTS = 10_000
WARDS = ("CARD", "GERI", "REAM", "SSRE")
# Visits that would end after the hospital's last day are not in it: those that begin earlier all
# have ended by then, and so have their readmissions.
QUERY = """
SELECT visit_occurrence_id visit, d.person_id person, visit_source_value kind,
    visit_start_datetime began, visit_end_datetime ended,
    v.discharged_to_source_value = '9' died,
    visit_detail_source_value ward, visit_detail_start_datetime entered,
    visit_detail_end_date - visit_detail_start_date nights,
    epoch(visit_detail_end_datetime - visit_detail_start_datetime) / 3600 AS hours,
    year_of_birth born
FROM visit_detail d JOIN visit_occurrence v USING (visit_occurrence_id)
    JOIN person p ON p.person_id = d.person_id
WHERE visit_start_date < DATE '2025-07-01' ORDER BY visit_detail_id
"""


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["stays"]
    with duckdb.connect(str(database), read_only=True) as connection:
        stays = connection.execute(QUERY).df()
    return [
        *_nights(stays, truth),
        *_emergency(stays, truth),
        *_readmissions(stays, truth),
        *_deaths(stays, truth),
        *_seasons(stays, truth),
    ]


def share(name: str, truth: float, counted: np.ndarray) -> Estimate:
    """Return the exact interval of Clopper and Pearson."""
    found = stats.binomtest(int(counted.sum()), len(counted)).proportion_ci()
    return Estimate(name, truth, found.low, found.high)


def _nights(stays: pd.DataFrame, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    for ward in WARDS:
        nights = stays["nights"][stays["ward"] == ward]
        low, high = stats.t.interval(0.95, len(nights) - 1, nights.mean(), stats.sem(nights))
        yield Estimate(f"nights {ward}", truth["mean_nights"][ward], low, high)


def _emergency(stays: pd.DataFrame, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    came = stays[stays["ward"] == "URGE"]
    goes_on = stays.groupby("visit")["ward"].size().reindex(came["visit"]) > 1
    yield share("emergency admitted", truth["emergency_admitted"], goes_on.to_numpy())
    monday = truth["weekdays"]["emergency"][0] / 7
    yield share("emergency Mondays", monday, came["began"].dt.day_of_week.to_numpy() == 0)
    hours = np.sort(came["hours"].to_numpy())
    at = int(stats.binom.ppf(0.025, len(hours), 0.5))
    middle = truth["emergency_median_hours"]
    yield Estimate("emergency hours", middle, hours[at - 1], hours[len(hours) - at])


def _admissions(stays: pd.DataFrame) -> pd.DataFrame:
    """Return one row per visit that goes through a ward, with its last ward."""
    return stays[stays["ward"] != "URGE"].drop_duplicates("visit", keep="last")


def _readmissions(stays: pd.DataFrame, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    admissions = _admissions(stays).sort_values(["person", "began"])
    following = admissions.groupby("person")["began"].shift(-1)
    again = following - admissions["ended"] < pd.Timedelta(days=truth["readmission_days"])
    counted = ~admissions["died"] & (admissions["ended"] < pd.Timestamp(2025, 5, 25))
    for ward in (*WARDS, "ORTH"):
        here = again.to_numpy()[(counted & (admissions["ward"] == ward)).to_numpy()]
        yield share(f"readmitted {ward}", truth["readmitted"][ward], here)


def _deaths(stays: pd.DataFrame, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    admissions = _admissions(stays)
    wards = pd.get_dummies(admissions["ward"], dtype=float).drop(columns=["MATE", "PEDI"])
    counted = admissions["ward"].isin(wards.columns)
    age = (admissions["ended"].dt.year + 0.5 - admissions["born"] - 0.5) / 10
    model = sm.GLM(
        admissions["died"][counted].astype(float),
        wards[counted].assign(age=age),
        family=sm.families.Binomial(),
    ).fit()
    low, high = np.exp(model.conf_int().loc["age"])
    yield Estimate("death by 10 years", truth["death_odds_ratio_per_10_years"], low, high)


def _seasons(stays: pd.DataFrame, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    """Ask how the odds to be admitted in pneumology, not in orthopaedics, move with the season."""
    first = stays[stays["ward"] != "URGE"].drop_duplicates("visit")
    first = first[first["ward"].isin(["PNEU", "ORTH"])]
    day = (first["entered"].dt.normalize() - pd.Timestamp(2024, 1, 1)).dt.days
    peak = (date.fromisoformat(truth["epidemic"]["peak"]) - date(2024, 1, 1)).days
    season = pd.DataFrame(
        {
            "one": 1.0,
            "winter": np.cos(2 * np.pi * (day - 14) / 365.25),
            "epidemic": np.exp(-0.5 * ((day - peak) / truth["epidemic"]["spread_days"]) ** 2),
        }
    )
    here = (first["ward"] == "PNEU").astype(float)
    intervals = sm.GLM(here, season, family=sm.families.Binomial()).fit().conf_int()
    for name in ("winter", "epidemic"):
        yield Estimate(f"PNEU {name}", truth[name]["log_odds"]["PNEU"], *intervals.loc[name])
