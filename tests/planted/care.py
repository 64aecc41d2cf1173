"""What is planted in diagnoses and drugs: heart failure, metformin, influenza."""

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

from tests.planted.stays import share
from tests.planted_effects import Estimate

PARTS = ("care",)
PATIENTS = 8_000
HEART_FAILURE, DIABETES, KIDNEY = "I50.9", "E11.9", "N18.3"
# The persons whose chronic diseases are known, with them: they have been in a ward.
CHRONIC = """
SELECT date_diff('day', birth_datetime, DATE '2024-01-01') / 365.25 AS age,
    gender_source_value = 'M' AS male, {}
FROM person JOIN condition_occurrence USING (person_id)
WHERE visit_occurrence_id IN
    (SELECT visit_occurrence_id FROM visit_detail WHERE visit_detail_source_value <> 'URGE')
GROUP BY person_id, age, male HAVING age >= 20 ORDER BY person_id
"""
METFORMIN = """
SELECT person_id, max(drug_source_value = 'A10BA02') AS takes
FROM condition_occurrence JOIN drug_exposure USING (person_id, visit_occurrence_id)
WHERE condition_source_value = 'E11.9' GROUP BY person_id
"""
INFLUENZA = """
SELECT d.visit_detail_start_date AS day, condition_source_value = ? AS influenza
FROM condition_occurrence JOIN visit_detail d USING (visit_detail_id)
WHERE condition_status_source_value = 'DP' AND visit_detail_source_value = 'PNEU'
"""


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    planted = json.loads((database.parent / "truth.json").read_text())
    truth = planted["care"]
    with duckdb.connect(str(database), read_only=True) as connection:
        has = [f"bool_or(condition_source_value = '{c}') AS \"{c}\"" for c in truth["chronic"]]
        persons = connection.execute(CHRONIC.format(", ".join(has))).df()
        metformin = connection.execute(METFORMIN).df()
        influenza = connection.execute(INFLUENZA, [truth["influenza"]]).df()
    return [
        *_chronic(persons, truth["chronic"]),
        share(
            "metformin in diabetes",
            truth["chronic"][DIABETES]["takes"]["A10BA02"],
            metformin["takes"].to_numpy(),
        ),
        _influenza(influenza, truth["influenza_at_peak"]["PNEU"], planted["stays"]["epidemic"]),
    ]


def _chronic(persons: pd.DataFrame, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    age = (persons["age"] - 60) / 10
    for disease in (HEART_FAILURE, KIDNEY):
        odds = truth[disease]["odds_ratios"]
        has = {code: persons[code] for code in (disease, *odds)}
        known = pd.DataFrame({"one": 1.0, "age": age, "male": persons["male"], **has})
        model = sm.GLM(
            has[disease].astype(float),
            known.drop(columns=disease).astype(float),
            family=sm.families.Binomial(),
        ).fit()
        intervals = np.exp(model.conf_int())
        for code, ratio in odds.items():
            yield Estimate(f"{disease} by {code}", ratio, *intervals.loc[code])
        ratio = truth[disease]["odds_ratio_per_10_years"]
        yield Estimate(f"{disease} by 10 years", ratio, *intervals.loc["age"])


def _influenza(stays: pd.DataFrame, truth: float, wave: Mapping[str, Any]) -> Estimate:
    """Compare cases with what is expected; they are Poisson but for the share, hence too wide."""
    day = (stays["day"] - pd.Timestamp(date.fromisoformat(wave["peak"]))).dt.days
    at_risk = np.exp(-0.5 * (day / wave["spread_days"]) ** 2).sum()
    cases = int(stays["influenza"].sum())
    low = stats.chi2.ppf(0.025, 2 * cases) / 2 / at_risk
    high = stats.chi2.ppf(0.975, 2 * cases + 2) / 2 / at_risk
    return Estimate("influenza PNEU", truth, low, high)
