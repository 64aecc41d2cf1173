"""Whether risks come true: groups of risk, calibration intercept and slope, Brier score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import logit

from wardbook.prediction.interval import Interval, Z, around, spread_by_patient

LEAST = 11
"""Fewest different patients with the outcome, and without, in a group that is told."""
CUTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.10, 0.15, 0.20, 0.30, 0.50, 1.0)


def group_risks(
    risk: np.ndarray,
    outcome: np.ndarray,
    patients: np.ndarray,
    cuts: Sequence[float] = CUTS,
    least: int = LEAST,
) -> pd.DataFrame:
    """Return groups of risk, each with enough patients with the outcome and without.

    Neighbouring groups are joined from the lowest on until they have: a curve from groups of a few
    would be noise, and would tell of persons.

    Returns:
        low, high (of the group, 0 to 1), visits, persons, events (visits with the outcome), cases
        (persons with it), predicted (mean risk), first, second (the greatest sums of risks of
        single persons).
    """
    frame = pd.DataFrame({"risk": risk, "outcome": outcome.astype(bool), "patient": patients})
    groups, open_from = [], 0
    for place in range(1, len(cuts)):
        part = _between(frame, cuts[open_from], cuts[place])
        if _suffices(part, least):
            groups.append([cuts[open_from], cuts[place]])
            open_from = place
    if not groups:
        return _describe(frame, [[cuts[0], cuts[-1]]])
    groups[-1][1] = cuts[-1]  # what is left above joins the last
    return _describe(frame, groups)


def _between(frame: pd.DataFrame, low: float, high: float) -> pd.DataFrame:
    above = frame["risk"] <= high if high == 1 else frame["risk"] < high
    return frame[(frame["risk"] >= low) & above]


def _suffices(part: pd.DataFrame, least: int) -> bool:
    having = part[part["outcome"]]["patient"].nunique()
    return having >= least and part[~part["outcome"]]["patient"].nunique() >= least


def _describe(frame: pd.DataFrame, groups: Sequence[Sequence[float]]) -> pd.DataFrame:
    rows = []
    for low, high in groups:
        part = _between(frame, low, high)
        sums = part.groupby("patient")["risk"].sum().nlargest(2).tolist()
        first, second = (*sums, 0.0, 0.0)[:2]
        having = part[part["outcome"]]
        rows.append(
            {
                "low": low,
                "high": high,
                "visits": len(part),
                "persons": part["patient"].nunique(),
                "events": len(having),
                "cases": having["patient"].nunique(),
                "predicted": part["risk"].mean(),
                "first": first,
                "second": second,
            }
        )
    return pd.DataFrame(rows)


def measure_intercept(risk: np.ndarray, outcome: np.ndarray, patients: np.ndarray) -> Interval:
    """Return calibration-in-the-large: the log-odds by which outcomes exceed the risks.

    Of a logistic regression with the risks' log-odds as offset, with variance by patient (Van
    Calster et al., BMC Medicine 2019).
    """
    return _regress(np.ones((len(risk), 1)), outcome, patients, offset=_log_odds(risk))


def measure_slope(risk: np.ndarray, outcome: np.ndarray, patients: np.ndarray) -> Interval:
    """Return the calibration slope: below 1 risks are too extreme, above 1 too timid."""
    design = np.column_stack([_log_odds(risk), np.ones(len(risk))])
    return _regress(design, outcome, patients, offset=None)


def measure_brier(risk: np.ndarray, outcome: np.ndarray, patients: np.ndarray) -> Interval:
    """Return the Brier score, the mean square of outcome (0 or 1) less risk."""
    squares = (outcome - risk) ** 2
    value = float(squares.mean())
    return around(value, spread_by_patient((squares - value) / len(squares), patients))


def _regress(
    design: np.ndarray, outcome: np.ndarray, patients: np.ndarray, *, offset: np.ndarray | None
) -> Interval:
    import statsmodels.api as sm

    groups = np.unique(patients, return_inverse=True)[1]
    model = sm.GLM(outcome.astype(float), design, family=sm.families.Binomial(), offset=offset)
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    value, error = float(fitted.params[0]), float(fitted.bse[0])
    return Interval(value, value - Z * error, value + Z * error)


def _log_odds(risk: np.ndarray) -> np.ndarray:
    odds: np.ndarray = logit(np.clip(risk, 1e-6, 1 - 1e-6))
    return odds
