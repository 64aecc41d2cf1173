"""What share of the haemolysed tubes would be avoided, were tubes drawn or carried otherwise?

The attributable fraction, adjusted by the regression (Greenland and Drescher, Biometrics
1993;49:865-872): one less the tubes that the model expects haemolysed after the change over those
that it expects now. The interval is that of log(1 - fraction), by the delta method over the
coefficients and the intercepts of wards: these follow those, as what they leave unexplained, and
each is known as well as its ward's tubes tell.

It is what would be avoided if the association were wholly causal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from wardbook.haemolysis.design import FACTORS, HOURS, Z95, Regression, make_design

HOURS_AT_MOST = 1.0


def _set_to_reference(factor: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda tubes: tubes.assign(**{factor: FACTORS[factor][0]})


CHANGES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "transport": _set_to_reference("transport"),
    "device": _set_to_reference("device"),
    "site": _set_to_reference("site"),
    "hours": lambda tubes: tubes.assign(hours=tubes[HOURS].clip(upper=HOURS_AT_MOST)),
}
"""What could be done otherwise: the porter for all, the vein for all, its bend for all, an hour at
most."""


@dataclass(frozen=True)
class Avoided:
    """The share of haemolysed tubes avoided by a change, with its 95 % interval; below 0: added."""

    change: str
    share: float
    low: float
    high: float


def tell_avoidable(regression: Regression) -> list[Avoided]:
    """Return the share that each change would avoid, the greatest first."""
    factors = {factor for factor, _ in regression.terms}
    found = [_avoid(regression, change) for change in CHANGES if change in factors]
    return sorted(found, key=lambda one: -one.share)


def _avoid(regression: Regression, change: str) -> Avoided:
    fit, rows = regression.fit, regression.rows
    group = np.searchsorted(regression.wards, rows["ward"].to_numpy(dtype=str))
    now = make_design(rows, regression.terms)
    then = make_design(CHANGES[change](rows), regression.terms)
    expected, expected_then = (
        expit(design @ fit.coefficients + fit.modes[group]) for design in (now, then)
    )
    weight = expected * (1 - expected)
    groups = len(regression.wards)
    # How a ward's intercept follows the coefficients: where its likelihood stays at its top.
    curve = np.bincount(group, weights=weight, minlength=groups) + 1 / fit.spread**2
    follow = np.column_stack(
        [-np.bincount(group, weights=weight * column, minlength=groups) / curve for column in now.T]
    )[group]
    slope_then = ((expected_then * (1 - expected_then))[:, None] * (then + follow)).sum(axis=0)
    slope_now = (weight[:, None] * (now + follow)).sum(axis=0)
    ratio = expected_then.sum() / expected.sum()
    slope = slope_then / expected_then.sum() - slope_now / expected.sum()
    by_ward = [
        np.bincount(group, weights=chance * (1 - chance), minlength=groups) / chance.sum()
        for chance in (expected_then, expected)
    ]
    of_wards = float(((by_ward[0] - by_ward[1]) ** 2 / curve).sum())
    margin = Z95 * float(np.sqrt(slope @ fit.covariance @ slope + of_wards))
    low, high = (1 - ratio * np.exp(sign * margin) for sign in (1, -1))
    return Avoided(change, float(1 - ratio), float(low), float(high))


def tabulate(avoided: Sequence[Avoided], names: Mapping[str, str], degrees: int) -> pd.DataFrame:
    """Return the table that leaves: change, name, avoided, low, high, degrees (of freedom)."""
    rows = [(one.change, names[one.change], one.share, one.low, one.high) for one in avoided]
    table = pd.DataFrame(rows, columns=["change", "name", "avoided", "low", "high"])
    return table.round(4).assign(degrees=degrees)
