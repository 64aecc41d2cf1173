"""How well a score tells those with the outcome from the others: the area under the ROC curve."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from wardbook.prediction.interval import Interval, Z, around, spread_by_patient


def measure_auc(score: np.ndarray, outcome: np.ndarray, patients: np.ndarray) -> Interval:
    """Return the area under the ROC curve with its interval, which allows for repeated visits.

    The structural components are those of DeLong, DeLong and Clarke-Pearson (Biometrics 1988); they
    are summed by patient as Obuchowski does (Biometrics 1997). By hand because neither scikit-learn
    nor scipy has a variance of it. The interval is taken on the logit scale.

    Raises:
        ValueError: all rows have the same outcome.
    """
    area, influence = _components(score, outcome)
    error = spread_by_patient(influence, patients)
    if not 0 < area < 1 or not error:
        return Interval(area, area, area)
    middle, wide = float(logit(area)), Z * error / (area * (1 - area))
    return Interval(area, float(expit(middle - wide)), float(expit(middle + wide)))


def compare_auc(
    score: np.ndarray, other: np.ndarray, outcome: np.ndarray, patients: np.ndarray
) -> Interval:
    """Return by how much the area of `score` is greater than that of `other` in the same visits."""
    area, influence = _components(score, outcome)
    second, of_second = _components(other, outcome)
    return around(area - second, spread_by_patient(influence - of_second, patients))


def _components(score: np.ndarray, outcome: np.ndarray) -> tuple[float, np.ndarray]:
    having = outcome.astype(bool)
    cases, others = int(having.sum()), int((~having).sum())
    if not cases or not others:
        raise ValueError("an area needs rows with the outcome and rows without")
    ranks = rankdata(score)
    # How many of the other kind a score beats; ties count half.
    beaten = np.empty(len(score))
    beaten[having] = (ranks[having] - rankdata(score[having])) / others
    beaten[~having] = 1 - (ranks[~having] - rankdata(score[~having])) / cases
    area = float(beaten[having].mean())
    return area, (beaten - area) / np.where(having, cases, others)
