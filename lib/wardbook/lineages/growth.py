"""How fast lineages grow against each other: multinomial logistic regression on the day.

Where every infection of one lineage leads to a constant multiple of those of another in the same
time, the logarithm of the ratio of their shares is a straight line in time; its slope is the growth
advantage per day (Davies et al., Science 2021, doi 10.1126/science.abg3055). The lines of all
lineages against a reference are fitted together to the single sequences (statsmodels, MNLogit).

Which sequences are reported late does not matter as long as this does not depend on the lineage.
Sequences of one outbreak are alike: Pearson's statistic over the weeks tells how much more the
counts vary than by chance, and where they do the variances are multiplied by it (quasi-likelihood;
McCullagh and Nelder, Generalized Linear Models, 1989, section 4.5). Intervals of the lineages of
one model hold together with 95 % (Sidak 1967): an alert looks at all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import brentq
from scipy.stats import chi2, norm
from statsmodels.tools.sm_exceptions import ConvergenceWarning, HessianInversionWarning

from wardbook.lineages.names import OTHER

CONFIDENCE = 0.95
LEAST_EXPECTED = 1.0
"""Cells of a week with a smaller expectation are put together for Pearson's statistic."""
MOST_SE = 1.0
"""Per day: a slope that is known no better was fitted to lineages that never met in time."""


@dataclass(frozen=True)
class Fit:
    """The lines of all lineages against the first, the reference.

    lineages: names, reference first.
    first: day 0. last: the last day of the data.
    coefficients: lineages × (intercept, slope per day), zeros for the reference.
    covariance: of the coefficients of all but the reference, in that order, times the dispersion.
    dispersion: Pearson's statistic over its degrees of freedom, at least 1.
    p_dispersion: of the test that there is none above chance; degrees: of that test.
    """

    lineages: tuple[str, ...]
    first: date
    last: date
    coefficients: np.ndarray
    covariance: np.ndarray
    dispersion: float
    p_dispersion: float
    degrees: int
    residual_degrees: int

    def shares(self, days: np.ndarray) -> np.ndarray:
        """Return the share of each lineage on days counted from the first: days × lineages."""
        lines = np.outer(np.ones(len(days)), self.coefficients[:, 0])
        lines = lines + np.outer(days, self.coefficients[:, 1])
        odds = np.exp(lines - lines.max(axis=1, keepdims=True))
        shares: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return shares


class NotFitted(Exception):
    """The data do not tell how fast the lineages grow: too few of them, or never side by side."""


def fit_growth(
    chosen: pd.DataFrame, *, least: int, reference: str | None = None, column: str = "lineage"
) -> Fit:
    """Fit the growth of the lineages with at least `least` sequences, all but OTHER.

    Args:
        chosen: sampled (day), week, and the lineage in `column`.
        least: sequences that a lineage needs.
        reference: the lineage that the others are set against; None: the commonest.

    Raises:
        NotFitted: fewer than two lineages are common enough, the reference is not among them, or
            no finite lines fit.
    """
    counts = chosen[column].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    names = [str(name) for name in counts.index[counts >= least] if name != OTHER]
    reference = reference or (names[0] if names else "")
    if len(names) < 2 or reference not in names:
        raise NotFitted
    lineages = (reference, *(name for name in names if name != reference))
    rows = chosen[chosen[column].isin(lineages)]
    first = rows["sampled"].min()
    day = (rows["sampled"] - first).dt.days.to_numpy(dtype="float64")
    code = rows[column].map({name: at for at, name in enumerate(lineages)}).to_numpy()
    coefficients, covariance = _fit_lines(code, day, len(lineages))
    last = rows["sampled"].max()
    plain = Fit(lineages, first.date(), last.date(), coefficients, covariance, 1.0, 1.0, 0, 0)
    statistic, degrees = _measure_dispersion(plain, code, day, rows["week"].to_numpy())
    dispersion = max(1.0, statistic / degrees) if degrees > 0 else 1.0
    return replace(
        plain,
        covariance=covariance * dispersion,
        dispersion=dispersion,
        p_dispersion=float(chi2.sf(statistic, degrees)) if degrees > 0 else 1.0,
        degrees=degrees,
        residual_degrees=len(rows) - 2 * (len(lineages) - 1),
    )


def measure_advantages(fit: Fit) -> pd.DataFrame:
    """Return each lineage's growth: against the reference, and against all others on the last day.

    Columns: lineage, advantage, advantage_low, advantage_high (per day, against the reference, 0
    for itself), growth, growth_low, growth_high (per day: how the logarithm of share / (1 - share)
    changes on the last day), doubling_days (in which these odds double; missing unless the low
    bound of the growth is above 0), share (on the last day), degrees.
    """
    last = float((fit.last - fit.first).days)
    share = fit.shares(np.array([last]))[0]
    slopes = fit.coefficients[:, 1]
    rows = []
    for at, name in enumerate(fit.lineages):
        apart = np.eye(len(slopes))[at] - np.eye(len(slopes))[0]
        advantage = _bound(float(slopes[at] - slopes[0]), _slope_se(fit, apart), fit)
        others = np.where(np.arange(len(share)) == at, 0.0, share) / (1 - share[at])
        against = float(slopes[at] - others @ slopes)
        growth = _bound(against, _growth_se(fit, at, last), fit)
        doubling = np.log(2) / against if growth[1] > 0 else np.nan
        rows.append((name, *advantage, *growth, doubling, share[at], fit.residual_degrees))
    bounded = [f"{name}{end}" for name in ("advantage", "growth") for end in ("", "_low", "_high")]
    columns = ["lineage", *bounded, "doubling_days", "share", "degrees"]
    digits = dict.fromkeys(bounded, 5) | {"doubling_days": 1, "share": 4}
    return pd.DataFrame(rows, columns=columns).round(digits)


def follow_shares(fit: Fit, weeks: Sequence[str]) -> pd.DataFrame:
    """Return the fitted shares in the middle of each ISO week: week, lineage, share, low, high, ….

    Bounds are those of the logarithm of share / (1 - share), for all lineages together. The last
    column, `degrees`, has the residual degrees of freedom.
    """
    middles = [date.fromisocalendar(int(week[:4]), int(week[6:]), 4) for week in weeks]
    days = np.array([(middle - fit.first).days for middle in middles], dtype="float64")
    quantile = _quantile(fit)
    rows = []
    for week, day, share in zip(weeks, days, fit.shares(days), strict=True):
        for at, name in enumerate(fit.lineages):
            logit = np.log(share[at] / (1 - share[at]))
            error = quantile * np.sqrt(_quadratic(fit, _logit_gradient(fit, at, day)))
            low, high = (1 / (1 + np.exp(-(logit + sign * error))) for sign in (-1, 1))
            rows.append((week, name, share[at], low, high, fit.residual_degrees))
    table = pd.DataFrame(rows, columns=["week", "lineage", "share", "low", "high", "degrees"])
    return table.round({"share": 4, "low": 4, "high": 4})


def change_by_day(rate: float) -> float:
    """Return by which part a ratio changes in a day whose logarithm changes by `rate`."""
    return float(np.expm1(rate))


@dataclass(frozen=True)
class Passing:
    """The day on which a lineage's share passed a level, with the interval at 95 %."""

    day: date
    low: date
    high: date
    place: float
    error: float


def find_passing(fit: Fit, lineage: str, level: float) -> Passing | None:
    """Return when the fitted share of a lineage rose past `level`, looking back half a year.

    None where it does not pass it upwards between half a year before the first day and the last.
    The interval is that of the delta method; `place` and `error` (standard) are in days from the
    fit's first.
    """
    at = fit.lineages.index(lineage)

    def above(day: float) -> float:
        share = fit.shares(np.array([day]))[0, at]
        return float(np.log(share / (1 - share)) - np.log(level / (1 - level)))

    days = np.arange(-183, (fit.last - fit.first).days + 1, dtype="float64")
    heights = np.array([above(day) for day in days])
    rising = np.flatnonzero((heights[:-1] < 0) & (heights[1:] >= 0))
    if not len(rising):
        return None
    place = float(brentq(above, days[rising[-1]], days[rising[-1] + 1]))
    steep = (above(place + 0.01) - above(place - 0.01)) / 0.02
    error = float(np.sqrt(_quadratic(fit, _logit_gradient(fit, at, place))) / abs(steep))
    reach = float(norm.ppf(0.5 + CONFIDENCE / 2)) * error
    low, day, high = (
        fit.first + timedelta(days=round(place + shift)) for shift in (-reach, 0.0, reach)
    )
    return Passing(day, low, high, place, error)


def _fit_lines(code: np.ndarray, day: np.ndarray, lineages: int) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients (lineages × 2) and covariance, in days."""
    # Centred and in units of the spread: the days of a year as they are make a steep valley.
    centre, spread = day.mean(), day.std()
    if spread == 0:
        raise NotFitted
    design = sm.add_constant((day - centre) / spread, has_constant="add")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", HessianInversionWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            result = sm.MNLogit(code, design).fit(method="newton", maxiter=200, disp=0)
        except np.linalg.LinAlgError:
            raise NotFitted from None
        covariance = np.asarray(result.cov_params())
    fitted = np.asarray(result.params).T
    if not result.mle_retvals["converged"] or not np.isfinite(covariance).all():
        raise NotFitted
    # intercept + slope (day - centre) / spread, written in days.
    back = np.array([[1.0, -centre / spread], [0.0, 1.0 / spread]])
    blocks = np.kron(np.eye(lineages - 1), back)
    covariance = blocks @ covariance @ blocks.T
    if np.sqrt(np.diag(covariance)[1::2]).max() > MOST_SE:
        raise NotFitted
    return np.vstack([np.zeros(2), fitted @ back.T]), covariance


def _measure_dispersion(
    fit: Fit, code: np.ndarray, day: np.ndarray, week: np.ndarray
) -> tuple[float, int]:
    """Return Pearson's statistic of the counts by week and lineage, and its degrees of freedom."""
    kinds = len(fit.lineages)
    at, weeks = pd.factorize(week)
    expected = np.zeros((len(weeks), kinds))
    np.add.at(expected, at, fit.shares(day))
    observed = np.zeros_like(expected)
    np.add.at(observed, (at, code), 1.0)
    large = expected >= LEAST_EXPECTED
    statistic, cells = 0.0, 0
    for told, wanted, kept in zip(observed, expected, large, strict=True):
        pairs = [*zip(told[kept], wanted[kept], strict=True)]
        if wanted[~kept].sum() >= LEAST_EXPECTED:
            pairs.append((told[~kept].sum(), wanted[~kept].sum()))
        statistic += sum((o - e) ** 2 / e for o, e in pairs)
        cells += max(0, len(pairs) - 1)
    return statistic, cells - 2 * (kinds - 1)


def _quantile(fit: Fit) -> float:
    """Return the normal quantile of intervals that hold together for all but the reference."""
    single = CONFIDENCE ** (1 / (len(fit.lineages) - 1))
    return float(norm.ppf(0.5 + single / 2))


def _bound(value: float, error: float, fit: Fit) -> tuple[float, float, float]:
    reach = _quantile(fit) * error
    return value, value - reach, value + reach


def _quadratic(fit: Fit, gradient: np.ndarray) -> float:
    """Return the variance of a function with this gradient by (intercept, slope) of lineages."""
    inner = gradient[1:].ravel()
    return float(max(inner @ fit.covariance @ inner, 0.0))


def _slope_se(fit: Fit, weights: np.ndarray) -> float:
    gradient = np.column_stack([np.zeros(len(weights)), weights])
    return float(np.sqrt(_quadratic(fit, gradient)))


def _logit_gradient(fit: Fit, at: int, day: float) -> np.ndarray:
    """Return the gradient of the logarithm of share / (1 - share) on a day."""
    share = fit.shares(np.array([day]))[0]
    weight = np.where(np.arange(len(share)) == at, 1.0, -share / (1 - share[at]))
    return np.column_stack([weight, weight * day])


def _growth_se(fit: Fit, at: int, day: float) -> float:
    """Return the error of the growth against all others on a day.

    With q the others' shares among themselves and s the slopes, the growth is s_at - Σ q s; q moves
    with each line by q (δ - q), which is what the intercept's part of the gradient has.
    """
    share, slopes = fit.shares(np.array([day]))[0], fit.coefficients[:, 1]
    others = np.where(np.arange(len(share)) == at, 0.0, share) / (1 - share[at])
    moved = -others * (slopes - others @ slopes)
    direct = np.where(np.arange(len(share)) == at, 1.0, -others)
    gradient = np.column_stack([moved, direct + moved * day])
    return float(np.sqrt(_quadratic(fit, gradient)))
