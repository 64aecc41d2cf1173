"""Funnel plot of wards: which share of haemolysed tubes is more than chance and usual difference?

Limits of chance alone are exact binomial ones, interpolated between whole tubes (Spiegelhalter,
Stat Med 2005;24:1185-1202, appendix A.1.1). Wards always differ by more than chance; limits for
that are widened by the additive random-effects model of Spiegelhalter (Qual Saf Health Care
2005;14:347-351): the variance between wards is estimated by the method of moments from winsorised
z-scores, on the arcsine scale, where a share's variance depends on its tubes alone. A ward beyond
these differs by more than wards usually do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom, norm

OUTER, INNER = 0.998, 0.95
WINSORISED = 0.1
"""Share of z-scores at each end that are drawn in before the variance is estimated."""


@dataclass(frozen=True)
class Funnel:
    """`target` is the share of all tubes, `between` the standard deviation between wards.

    `wards` has ward, tubes, haemolysed, share, z (in usual differences) and standing: "high",
    "low" (beyond the outer limits), "watch" (above the inner ones) or "".
    """

    target: float
    between: float
    wards: pd.DataFrame


def compare_wards(by_ward: pd.DataFrame) -> Funnel:
    """Compare the wards of a table with columns ward, tubes, haemolysed."""
    tubes = by_ward["tubes"].to_numpy(dtype=np.float64)
    bad = by_ward["haemolysed"].to_numpy(dtype=np.float64)
    target = float(bad.sum() / tubes.sum())
    distance = np.arcsin(np.sqrt(bad / tubes)) - np.arcsin(np.sqrt(target))
    within = 1 / (4 * tubes)
    between = _estimate_between(distance, within)
    z = distance / np.sqrt(within + between)
    outer, inner = (norm.ppf(0.5 + level / 2) for level in (OUTER, INNER))
    standing = np.select([z > outer, z < -outer, z > inner], ["high", "low", "watch"], "")
    wards = by_ward[["ward", "tubes", "haemolysed"]].assign(
        share=bad / tubes, z=z, standing=standing
    )
    return Funnel(target, float(np.sqrt(between)), wards)


def exact_limits(target: float, tubes: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of chance alone for numbers of tubes: low and high shares."""
    low, high = (_interpolate(target, tubes, 0.5 + sign * level / 2) for sign in (-1, 1))
    return np.maximum(low, 0), np.minimum(high, 1)


def wide_limits(
    target: float, between: float, tubes: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits that allow for the usual difference between wards."""
    middle = np.arcsin(np.sqrt(target))
    reach = norm.ppf(0.5 + level / 2) * np.sqrt(1 / (4 * tubes) + between**2)
    low, high = np.maximum(middle - reach, 0), np.minimum(middle + reach, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


def _interpolate(target: float, tubes: np.ndarray, probability: float) -> np.ndarray:
    count = binom.ppf(probability, tubes, target)
    below = binom.cdf(count, tubes, target)
    excess = (below - probability) / binom.pmf(count, tubes, target)
    shares: np.ndarray = (count - excess) / tubes
    return shares


def _estimate_between(distance: np.ndarray, within: np.ndarray) -> float:
    """Return the variance between wards; 0 where they differ by no more than chance."""
    z = distance / np.sqrt(within)
    low, high = np.quantile(z, [WINSORISED, 1 - WINSORISED])
    dispersion = float((np.clip(z, low, high) ** 2).mean())
    weights, count = 1 / within, len(z)
    if count < 2 or count * dispersion <= count - 1:
        return 0.0
    spread = weights.sum() - (weights**2).sum() / weights.sum()
    return float((count * dispersion - (count - 1)) / spread)
