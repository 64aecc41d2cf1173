"""What the best possible score of a planted logistic can do, by numerical integration.

Where the linear predictor is normal given age and sex, the distributions of cases and of others
follow from it, and from these the area under the ROC curve and the Brier score. Nothing is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import expit
from scipy.stats import norm

_GRID = np.linspace(-14.0, 9.0, 4601)


def measure_ideal(
    strata: Iterable[tuple[float, float, float]], shift: float = 0.0
) -> dict[str, float]:
    """Return prevalence, auc and brier of the score that is the planted probability itself.

    Args:
        strata: weight, mean and standard deviation of the linear predictor in each stratum.
        shift: added to every patient's log-odds, and to the score's.
    """
    density = np.zeros_like(_GRID)
    for weight, mean, spread in strata:
        density += weight * norm.pdf(_GRID, mean, spread)
    density /= density.sum()
    risk = expit(_GRID + shift)
    cases, others = density * risk, density * (1 - risk)
    below = np.cumsum(others) - others / 2
    prevalence = float(cases.sum())
    return {
        "prevalence": prevalence,
        "auc": float((cases * below).sum() / (prevalence * (1 - prevalence))),
        "brier": float((density * risk * (1 - risk)).sum()),
    }
