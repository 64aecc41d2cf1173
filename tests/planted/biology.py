"""What the diagnosis aid's own functions find of the effects that the part `biology` plants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from tests.planted_effects import Estimate
from wardbook.datasets import find_dataset
from wardbook.prediction.calibration import measure_brier, measure_intercept, measure_slope
from wardbook.prediction.discrimination import measure_auc
from wardbook.prediction.drift import date_miscalibration, date_shift
from wardbook.prediction.effects import estimate_effects
from wardbook.prediction.fitting import make_design
from wardbook.prediction.interval import Interval
from wardbook.prediction.moments import keep_predictable
from wardbook.prediction.values import settle_values
from wardbook.warehouse import extract, open_warehouse

PARTS = ("biology",)
PATIENTS = 16_000
NAMES = ("crp", "procalcitonin", "leukocytes", "creatinine", "lactate", "sodium")
HOURS = 2


def read_visits(database: Path) -> pd.DataFrame:
    """Return the visits as the template gets them, through the view and an extract."""
    dataset = find_dataset("laboratory-values")
    assert dataset is not None
    asked = {
        "start": date(2024, 1, 1),
        "end": date(2025, 12, 31),
        "window_hours": HOURS,
        "outcome": ["R65.1"],
    }
    out = database.with_name("laboratory_values.parquet")
    with open_warehouse(f"duckdb://{database}") as open_table:
        extract(dataset, open_table, asked, out)
    return keep_predictable(settle_values(dataset.read(out)).rows, HOURS).rows


def estimate(database: Path) -> list[Estimate]:
    """Return every planted effect with its interval."""
    planted = json.loads(database.with_name("truth.json").read_text(encoding="utf-8"))["biology"]
    rows = read_visits(database)
    return [*_effects(rows, planted), *_of_the_score(rows, planted), *_changes(rows, planted)]


def _effects(rows: pd.DataFrame, planted: dict) -> Iterator[Estimate]:
    truth = planted["coefficients"]
    design = make_design(rows, NAMES)
    for name in NAMES:
        design[name] -= planted["reference"][name]
    old = (rows["age"] >= 75).astype(float)
    # An own intercept of the old would be no part of the planted model, and takes nothing from it.
    design["crp_old"] = design["crp"] * old
    design["drift"] = (rows["arrived"] >= planted["drift"]["day"]).astype(float)
    found = estimate_effects(
        design, rows["outcome"].to_numpy(dtype=int), rows["patient"].to_numpy()
    ).coefficients
    expected = {name: truth[name] for name in (*NAMES, "age_10", "male")}
    expected["crp_old"] = planted["crp_from_75"] - truth["crp"]
    for name, value in expected.items():
        yield _hold(f"log-odds of {name}", value, found[name])


def score_as_planted(rows: pd.DataFrame, planted: dict) -> np.ndarray:
    """Return the planted risk, without the drift; NaN where a value is missing."""
    truth = planted["coefficients"]
    design = make_design(rows, NAMES)
    odds = truth["intercept"] + truth["age_10"] * design["age_10"] + truth["male"] * design["male"]
    for name in NAMES:
        slope = pd.Series(truth[name], index=rows.index)
        if name == "crp":
            slope = slope.mask(rows["age"] >= 75, planted["crp_from_75"])
        odds += slope * (design[name] - planted["reference"][name])
    return np.asarray(expit(odds))


def _of_the_score(rows: pd.DataFrame, planted: dict) -> Iterator[Estimate]:
    """Judge the planted score in the emergency department: truth is of its ages."""
    risk = score_as_planted(rows, planted)
    here = (rows["ward"] == "URGE").to_numpy() & ~np.isnan(risk)
    late = (rows["arrived"] >= planted["drift"]["day"]).to_numpy()
    old = (rows["age"] >= 75).to_numpy()
    y, patients = rows["outcome"].to_numpy(dtype=int), rows["patient"].to_numpy()
    for name, chosen in (
        ("emergency", here & ~late),
        ("emergency_after_drift", here & late),
        ("emergency_from_75", here & ~late & old),
    ):
        of = (risk[chosen], y[chosen], patients[chosen])
        yield _hold(f"AUC, {name}", planted["ideal"][name]["auc"], measure_auc(*of))
    # By how much the same risk comes true more often does not depend on who has it: all wards.
    after = late & ~np.isnan(risk)
    of = (risk[after], y[after], patients[after])
    yield _hold("intercept after the drift", planted["drift"]["log_odds"], measure_intercept(*of))
    of = (risk[here & ~late], y[here & ~late], patients[here & ~late])
    yield _hold("Brier score", planted["ideal"]["emergency"]["brier"], measure_brier(*of))
    yield _hold("calibration intercept", 0.0, measure_intercept(*of))
    yield _hold("calibration slope", 1.0, measure_slope(*of))


def _changes(rows: pd.DataFrame, planted: dict) -> Iterator[Estimate]:
    risk = score_as_planted(rows, planted)
    known, late = ~np.isnan(risk), (rows["arrived"] >= "2025-01-01").to_numpy()
    chosen = known & late
    y = rows["outcome"].to_numpy(dtype=int)
    drift = date_miscalibration(risk[chosen], y[chosen], rows["arrived"][chosen])
    analyser = date_shift(rows["sodium"][late], rows["arrived"][late])
    for name, change in (("drift", drift), ("analyser", analyser)):
        day = date.fromisoformat(planted[name]["day"]).toordinal()
        low, high = change.low.toordinal(), change.high.toordinal()
        yield Estimate(f"day of the {name}", day, low, high)


def _hold(name: str, truth: float, found: Interval) -> Estimate:
    return Estimate(name, truth, found.low, found.high)
