"""The whole study in the order in which it is told: whom, trained on what, judged by whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from wardbook.datasets.sorting import check_period
from wardbook.errors import DataProblem
from wardbook.prediction.analytes import ANALYTES
from wardbook.prediction.calibration import LEAST, group_risks
from wardbook.prediction.drift import (
    UNSTABLE,
    Change,
    date_miscalibration,
    date_shift,
    measure_stability,
)
from wardbook.prediction.effects import Effects, estimate_effects
from wardbook.prediction.fitting import (
    build_boosting,
    count_points,
    fit_logistic,
    make_design,
    predict,
)
from wardbook.prediction.judging import Judged
from wardbook.prediction.moments import keep_predictable, refuse_late_values
from wardbook.prediction.release import CASES_PER_COEFFICIENT, describe_model
from wardbook.prediction.splits import Split, part_by_time
from wardbook.prediction.values import Settled, settle_values

TEST_CASES = 100
"""Fewest patients with the outcome that a model is judged by (Collins, Ogundimu and Altman,
Statistics in Medicine 2016)."""
_STEPS = ("train", "test", "gone", "known", "lasting", "straddling", "returning")
_ANALYTES = {one.name: one for one in ANALYTES}


@dataclass(frozen=True)
class Study:
    """Visits to train and to test on, what became of the values, and who was left out.

    `flow` has step, visits, persons: of train, test and each reason to be left out.
    """

    split: Split
    values: Settled
    flow: pd.DataFrame


@dataclass(frozen=True)
class Fitted:
    """The scores on the test visits (logistic, boosting, rule), and the model itself.

    `visits` and `cases` are the training's visits and different patients with the outcome.
    """

    scores: Mapping[str, Judged]
    visits: int
    cases: int
    document: Mapping[str, Any]
    effects: Effects
    parameters: int

    @property
    def judged(self) -> Judged:
        """The model on the test visits."""
        return self.scores["logistic"]


def prepare_study(
    rows: pd.DataFrame,
    *,
    start: date,
    end: date,
    first_test_day: date,
    hours: int,
    predictors: Sequence[str],
    file: str,
) -> Study:
    """Settle units, keep who can be predicted for, and part training from test.

    Raises:
        DataProblem: the days are in the wrong order, values are of after the prediction, or there
            are too few patients with the outcome.
    """
    _check_days(start, first_test_day, end)
    refuse_late_values(rows, hours, file=file)
    inside = (rows["arrived"] >= pd.Timestamp(start)) & (
        rows["arrived"] < pd.Timestamp(end) + pd.Timedelta(days=1)
    )
    values = settle_values(rows[inside].reset_index(drop=True))
    known = keep_predictable(values.rows, hours)
    parted = part_by_time(known.rows, first_test_day)
    patients = {
        "train": parted.split.train["patient"],
        "test": parted.split.test["patient"],
        **_by_reason(values.rows, known.reasons),
        **_by_reason(known.rows, parted.reasons),
    }
    flow = pd.DataFrame(
        [
            {"step": step, "visits": len(patients[step]), "persons": patients[step].nunique()}
            for step in _STEPS
            if step in patients
        ]
    )
    _check_cases(parted.split, predictors, file)
    return Study(parted.split, values, flow)


def fit_study(study: Study, predictors: Sequence[str], *, file: str) -> Fitted:
    """Fit the models to the training visits and score the test visits.

    Raises:
        DataProblem: the model gives everybody about the same risk: there is nothing to judge.
    """
    train, test = study.split.train, study.split.test
    design, outcome = make_design(train, predictors), train["outcome"].to_numpy(dtype=int)
    patients = train["patient"].to_numpy()
    model = fit_logistic(design, outcome, patients)
    boosting = build_boosting().fit(design, outcome)
    later, became = make_design(test, predictors), test["outcome"].to_numpy(dtype=int)
    scores = {
        "logistic": Judged(test, predict(model, later), became),
        "boosting": Judged(test, predict(boosting, later), became),
        "rule": Judged(test, count_points(test).astype(float), became),
    }
    judged = scores["logistic"]
    if len(group_risks(judged.risk, judged.outcome, judged.patients)) < 2:
        raise DataProblem("risks_alike", file=file)
    cases = len(np.unique(patients[outcome == 1]))
    return Fitted(
        scores,
        len(train),
        cases,
        describe_model(model, cases),
        estimate_effects(design, outcome, patients),
        int(model["model"].coef_.size) + 1,
    )


def tabulate_values(values: Settled) -> pd.DataFrame:
    """Return line, analyte, state, visits, persons: what became of the values.

    States of fewer than `LEAST` patients count as `missing`; an analyte that is then missing in
    fewer is left out, for all analytes have the same number of visits.
    """
    table = values.count()
    small = table["persons"] < LEAST
    merged = values.states.copy()
    for analyte, state in table.loc[small, ["analyte", "state"]].itertuples(index=False):
        merged[analyte] = merged[analyte].mask(merged[analyte] == state, "missing")
    table = Settled(values.rows, merged).count()
    told = table.groupby("analyte")["persons"].transform("min") >= LEAST
    table = table[told].reset_index(drop=True)
    table.insert(0, "line", table["analyte"] + ":" + table["state"])
    return table


def tabulate_effects(effects: Effects, names: Mapping[str, str]) -> pd.DataFrame:
    """Return predictor, name, odds_ratio, low, high, cases, degrees.

    Odds ratios are for a doubling of a value that is taken as a logarithm, for 5 mmol/L of sodium,
    for ten years of age, and for men.
    """
    rows = []
    for predictor, found in effects.coefficients.items():
        if predictor == "const":
            continue
        one = _ANALYTES.get(predictor)
        step = 1.0 if one is None else np.log(2) if one.logarithm else 5.0
        low, ratio, high = np.exp(step * np.array([found.low, found.value, found.high]))
        rows.append(
            {
                "predictor": predictor,
                "name": names[predictor],
                "odds_ratio": ratio,
                "low": low,
                "high": high,
                "cases": effects.cases,
                "degrees": effects.degrees,
            }
        )
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Watched:
    """What is watched for drift: the stability of each value, and its change and the outcome's."""

    stability: Mapping[str, float]
    changes: Mapping[str, Change]

    def list_shifted(self) -> list[str]:
        """Return the values whose level changed and whose distribution is another."""
        return [
            name
            for name, index in self.stability.items()
            if self.changes[name].found and index >= UNSTABLE
        ]

    @property
    def outcome(self) -> Change:
        """The change of how often the outcome is, at the same risk."""
        return self.changes["outcome"]


def watch_drift(study: Study, judged: Judged, predictors: Sequence[str]) -> Watched:
    """Compare the test visits' values with the training's, and date changes within the test."""
    train, test = study.split.train, study.split.test
    earlier, later = make_design(train, predictors), make_design(test, predictors)
    days = test["arrived"]
    changes = {name: date_shift(later[name], days) for name in predictors}
    changes["outcome"] = date_miscalibration(judged.risk, judged.outcome, days)
    stability = {name: measure_stability(earlier[name], later[name]) for name in predictors}
    return Watched(stability, changes)


def tabulate_drift(
    watched: Watched, names: Mapping[str, str], *, cases: int, degrees: int
) -> pd.DataFrame:
    """Return predictor, name, stability, changed_on, earliest, latest, cases, degrees.

    The days are empty where no change was found; `outcome` has no stability.
    """
    rows = []
    for predictor, change in watched.changes.items():
        days = (change.day, change.low, change.high) if change.found else (None, None, None)
        rows.append(
            {
                "predictor": predictor,
                "name": names[predictor],
                "stability": watched.stability.get(predictor, np.nan),
                **dict(zip(("changed_on", "earliest", "latest"), days, strict=True)),
                "cases": cases,
                "degrees": degrees,
            }
        )
    return pd.DataFrame(rows)


def _by_reason(rows: pd.DataFrame, reasons: pd.Series[str]) -> dict[str, pd.Series[str]]:
    return {
        reason: rows.loc[reasons.index[reasons == reason], "patient"] for reason in set(reasons)
    }


def _check_days(start: date, first_test_day: date, end: date) -> None:
    check_period(start, end, None)
    if not start < first_test_day < end:
        asked = {"start": start.isoformat(), "end": end.isoformat()}
        raise DataProblem("day_outside", day=first_test_day.isoformat(), **asked)


def _check_cases(split: Split, predictors: Sequence[str], file: str) -> None:
    found = {
        name: rows.loc[rows["outcome"], "patient"].nunique()
        for name, rows in (("train", split.train), ("test", split.test))
    }
    # Each value may have an indicator of being missing; age and sex have none.
    needed = CASES_PER_COEFFICIENT * (2 * len(predictors) + 2)
    if found["train"] < needed or found["test"] < TEST_CASES:
        raise DataProblem("few_cases", file=file, need_train=needed, need_test=TEST_CASES, **found)
