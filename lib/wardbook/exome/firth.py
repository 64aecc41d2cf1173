"""Logistic regression with Firth's penalty, for traits that few persons have.

statsmodels and scikit-learn have none. Where all carriers or none have the trait, the usual
estimate is infinite, and near to that its interval is wrong; with the penalty (Jeffreys' prior)
both are finite. Formulas: Firth, Biometrika 1993; 80: 27-38; intervals by profile penalised
likelihood: Heinze and Schemper, Statistics in Medicine 2002; 21: 2409-2419.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

_TURNS, _STEP, _NEAR = 60, 2.0, 1e-6
_FARTHEST = 30.0
"""Log-odds ratios beyond are taken for infinite."""


@dataclass(frozen=True)
class OddsRatio:
    """An odds ratio with its 95 % interval and the p-value of 1 (penalised likelihood ratio)."""

    estimate: float
    low: float
    high: float
    p: float


def estimate_odds_ratio(
    trait: np.ndarray, exposed: np.ndarray, covariates: np.ndarray, *, level: float = 0.95
) -> OddsRatio:
    """Return the odds ratio of a trait in those exposed, given the covariates.

    Args:
        trait: n booleans.
        exposed: n booleans, neither all alike.
        covariates: n × k numbers; each is centred and scaled here.
        level: of the interval.
    """
    scaled = (covariates - covariates.mean(axis=0)) / covariates.std(axis=0)
    fixed = np.column_stack([np.ones(len(trait)), scaled])
    design = np.column_stack([fixed, exposed.astype(float)])
    outcome = trait.astype(float)
    start = np.zeros(design.shape[1])
    share = outcome.mean().clip(1e-6, 1 - 1e-6)
    start[0] = np.log(share / (1 - share))
    best, top = _maximise(design, outcome, start, free=design.shape[1])
    half = chi2.ppf(level, 1) / 2
    at = best.copy()

    def lacks(value: float) -> float:
        """Return by how much the profile at `value` lies above the interval's bound."""
        held = np.append(at[:-1], value)
        beta, reached = _maximise(design, outcome, held, free=design.shape[1] - 1)
        at[:-1] = beta[:-1]
        return float(reached - (top - half))

    centre = float(best[-1])
    low, high = (_find_bound(lacks, centre, side) for side in (-1.0, 1.0))
    statistic = 2 * (half - lacks(0.0))
    return OddsRatio(
        float(np.exp(centre)),
        float(np.exp(low)),
        float(np.exp(high)),
        float(chi2.sf(max(statistic, 0.0), 1)),
    )


def _find_bound(lacks: Callable[[float], float], centre: float, side: float) -> float:
    far = 0.5
    while lacks(centre + side * far) > 0:
        far *= 2
        if far > _FARTHEST:
            return side * np.inf
    return float(brentq(lacks, centre, centre + side * far, xtol=1e-4))


def _maximise(
    design: np.ndarray, outcome: np.ndarray, start: np.ndarray, *, free: int
) -> tuple[np.ndarray, float]:
    """Return the coefficients and the penalised log-likelihood, the first `free` ones moving."""
    beta = start.copy()
    value, score, information = _penalised(design, outcome, beta)
    for _ in range(_TURNS):
        step = np.linalg.solve(information[:free, :free], score[:free])
        step *= min(1.0, _STEP / max(np.abs(step).max(), _NEAR))
        while True:
            moved = beta.copy()
            moved[:free] += step
            reached = _penalised(design, outcome, moved)
            if reached[0] >= value - _NEAR or np.abs(step).max() < _NEAR:
                break
            step /= 2
        beta = moved
        value, score, information = reached
        if np.abs(step).max() < _NEAR:
            break
    return beta, value


def _penalised(
    design: np.ndarray, outcome: np.ndarray, beta: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the penalised log-likelihood, its score and the information."""
    linear = design @ beta
    chance = 1 / (1 + np.exp(-linear))
    weight = chance * (1 - chance)
    information = (design * weight[:, None]).T @ design
    inverse = np.linalg.inv(information)
    leverage = weight * np.einsum("ij,jk,ik->i", design, inverse, design, optimize=True)
    score = design.T @ (outcome - chance + leverage * (0.5 - chance))
    likelihood = outcome @ linear - np.logaddexp(0, linear).sum()
    return float(likelihood + 0.5 * np.linalg.slogdet(information)[1]), score, information
