"""An estimate with its 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

Z = float(norm.ppf(0.975))


@dataclass(frozen=True)
class Interval:
    """An estimate and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def spread_by_patient(influence: np.ndarray, patients: np.ndarray) -> float:
    """Return the standard error of a sum of contributions, those of one patient taken together.

    A patient's visits are not independent; patients are. `influence` are each visit's contributions
    to the estimate, less their mean.
    """
    places = np.unique(patients, return_inverse=True)[1]
    sums = np.bincount(places, weights=influence)
    count = len(sums)
    return float(np.sqrt(count / (count - 1) * (sums**2).sum()))


def around(value: float, error: float) -> Interval:
    """Return the normal interval."""
    return Interval(value, value - Z * error, value + Z * error)
