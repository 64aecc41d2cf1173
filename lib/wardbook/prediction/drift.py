"""Whether later data are still those that the model was fitted to: values, risks, and since when.

The day of a change is dated by its posterior with flat priors for the day and for the levels before
and after. For the place of a break a flat prior gives intervals that hold in repeated sampling: far
from both ends the problem does not change when it is moved along time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from scipy.special import expit, logit

BINS = 10
UNSTABLE = 0.25
"""From this stability index on a distribution counts as another (Siddiqi, Credit Risk Scorecards,
2006: a rule of thumb)."""
CRITICAL = 12.35
"""1 % critical value of the greatest likelihood ratio over the middle 70 % of the days, for one
parameter (Andrews, Econometrica 1993, table 1)."""
TRIM = 0.15
_EPOCH = date(1970, 1, 1)
Compute = Callable[[int], tuple[float, float]]


@dataclass(frozen=True)
class Change:
    """A break in time. The days are the first ones of the new level; `low` to `high` hold 95 %.

    `ratio` is twice the log-likelihood ratio against no change; `found` says whether it is beyond
    `CRITICAL`. `before` and `after` are the levels on both sides of `day`.
    """

    day: date
    low: date
    high: date
    ratio: float
    before: float
    after: float

    @property
    def found(self) -> bool:
        """Whether there was a change at all."""
        return self.ratio > CRITICAL


def measure_stability(reference: pd.Series[float], later: pd.Series[float]) -> float:
    """Return the population stability index of later values against the reference.

    Over tenths of the reference, and the share that is missing: the sum of (later - reference)
    times the logarithm of their ratio. An empty class counts as half a value.
    """
    inner = np.unique(np.quantile(reference.dropna(), np.linspace(0, 1, BINS + 1)[1:-1]))

    def shares(values: pd.Series[float]) -> np.ndarray:
        known = values.dropna().to_numpy()
        counts = np.bincount(np.searchsorted(inner, known, side="right"), minlength=len(inner) + 1)
        counts = np.append(counts, values.isna().sum()).astype(float)
        return np.maximum(counts, 0.5) / len(values)

    expected, found = shares(reference), shares(later)
    return float(((found - expected) * np.log(found / expected)).sum())


def date_miscalibration(
    risk: np.ndarray, outcome: np.ndarray, days: pd.Series[pd.Timestamp]
) -> Change:
    """Date the day from which outcomes exceed (or fall short of) the risks by other log-odds."""
    odds = logit(np.clip(risk, 1e-6, 1 - 1e-6))
    order = np.argsort(days.to_numpy(), kind="stable")
    odds, having = odds[order], outcome[order].astype(float)

    def level(part: slice) -> tuple[float, float, float]:
        """Return the intercept of a stretch of rows, its log-likelihood and its information."""
        shift = 0.0
        for _ in range(25):
            expected = expit(odds[part] + shift)
            information = float((expected * (1 - expected)).sum())
            step = float((having[part] - expected).sum()) / information
            shift += float(np.clip(step, -2, 2))
            if abs(step) < 1e-9:
                break
        eta = odds[part] + shift
        return shift, float((having[part] * eta - np.logaddexp(0, eta)).sum()), information

    return _date(days.iloc[order], level)


def date_shift(values: pd.Series[float], days: pd.Series[pd.Timestamp]) -> Change:
    """Date the day from which values have another mean; their spread is taken as one."""
    known = values.notna().to_numpy()
    order = np.argsort(days[known].to_numpy(), kind="stable")
    sorted_days, numbers = days[known].iloc[order], values[known].to_numpy()[order]
    # The spread within days: a change of the mean is no part of it.
    means = pd.Series(numbers).groupby(sorted_days.dt.normalize().to_numpy()).transform("mean")
    freedom = max(len(numbers) - sorted_days.dt.normalize().nunique(), 1)
    variance = float(((numbers - means.to_numpy()) ** 2).sum()) / freedom
    sums, squares = (np.append(0, np.cumsum(x)) for x in (numbers, numbers**2))

    def level(part: slice) -> tuple[float, float, float]:
        count = part.stop - part.start
        total = sums[part.stop] - sums[part.start]
        rest = squares[part.stop] - squares[part.start] - total**2 / count
        return float(total / count), float(-rest / (2 * variance)), count / variance

    return _date(sorted_days, level)


def _date(
    days: pd.Series[pd.Timestamp], level: Callable[[slice], tuple[float, float, float]]
) -> Change:
    """Date a break in rows that are in order of days, from the levels of stretches of them."""
    numbers = (days - pd.Timestamp(_EPOCH)).dt.days.to_numpy()
    span = numbers[-1] - numbers[0]
    candidates = np.arange(
        int(numbers[0] + TRIM * span) + 1, int(numbers[0] + (1 - TRIM) * span) + 1
    )
    places = np.searchsorted(numbers, candidates)
    _, whole, _ = level(slice(0, len(numbers)))
    weights, fits, levels = [], [], []
    for place in places:
        before, left, known_left = level(slice(0, int(place)))
        after, right, known_right = level(slice(int(place), len(numbers)))
        fits.append(left + right)
        # Laplace: the level is integrated out under a flat prior.
        weights.append(left + right - 0.5 * np.log(known_left * known_right))
        levels.append((before, after))
    posterior = np.exp(np.array(weights) - max(weights))
    cumulated = np.cumsum(posterior) / posterior.sum()
    best = int(np.argmax(weights))
    low, high = (int(np.searchsorted(cumulated, share)) for share in (0.025, 0.975))
    day, first, last = (_EPOCH + timedelta(days=int(candidates[at])) for at in (best, low, high))
    return Change(day, first, last, 2 * (max(fits) - whole), *levels[best])
