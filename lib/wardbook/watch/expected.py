"""What a metric should be: a model of its weekday and season, fitted to a baseline.

Counts: a Poisson regression with a free dispersion; shares: a binomial one; numbers: least
squares. Terms: the weekday where periods are days, and one yearly wave where the baseline is at
least a year. There is no trend: it would take a slow change for granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm

from wardbook.errors import DataProblem
from wardbook.watch.series import Kind

YEAR = 365.25
LEAST = 28
"""Periods that a baseline needs, and four times as many as the model has terms."""


@dataclass(frozen=True)
class Expected:
    """`mean` of each period of a series; `spread` its standard deviation if nothing changes.

    `dispersion` is how many times the variance of a Poisson (binomial) count it is, at least 1; of
    numbers, the variance. `information` is what the baseline holds: the sum of its counts, or the
    number of its periods. `season` tells whether the yearly wave is in it.
    """

    kind: Kind
    mean: pd.Series[float]
    spread: pd.Series[float]
    dispersion: float
    information: float
    season: bool


def fit_expected(
    rows: pd.DataFrame, kind: Kind, step: int, baseline: int, *, group: str = "", file: str = ""
) -> Expected:
    """Fit the first `baseline` periods of a group (date → value, of) and expect all of them.

    Raises:
        DataProblem: the baseline is too short, or all its values are the same.
    """
    first = rows.iloc[:baseline]
    season = (first.index[-1] - first.index[0]).days >= YEAR - step if len(first) else False
    matrix = _design(pd.DatetimeIndex(rows.index), step, season=season)
    needed = max(LEAST, 4 * matrix.shape[1])
    if len(first) < needed or len(rows) <= len(first):
        raise DataProblem("baseline_short", file=file, group=group, count=len(rows), needed=needed)
    if first["value"].nunique() < 2:
        raise DataProblem("baseline_constant", file=file, group=group)
    whole = rows["of"].to_numpy(dtype=float)
    fit = _fit(first, matrix[: len(first)], kind)
    freedom = len(first) - matrix.shape[1]
    if kind == "number":
        mean = fit.predict(matrix)
        dispersion = float((fit.resid**2).sum() / freedom)
        variance = np.full(len(rows), dispersion)
        information = float(len(first))
    elif kind == "count":
        exposure = np.ones(len(rows)) if np.isnan(whole).all() else whole
        mean = fit.predict(matrix, offset=np.log(exposure))
        dispersion = max(1.0, float(fit.pearson_chi2 / freedom))
        variance = dispersion * mean
        information = float(first["value"].sum())
    else:
        share = fit.predict(matrix)
        mean = share * whole
        dispersion = max(1.0, float(fit.pearson_chi2 / freedom))
        variance = dispersion * mean * (1 - share)
        information = float(first["value"].sum())
    means, spreads = (pd.Series(one, rows.index) for one in (mean, np.sqrt(variance)))
    return Expected(kind, means, spreads, dispersion, information, season)


def _design(days: pd.DatetimeIndex, step: int, *, season: bool) -> np.ndarray:
    columns = [np.ones(len(days))]
    if step == 1:
        columns += [(days.day_of_week == weekday).astype(float) for weekday in range(1, 7)]
    if season:
        angle = 2 * np.pi * days.day_of_year / YEAR
        columns += [np.sin(angle), np.cos(angle)]
    return np.column_stack(columns)


def _fit(first: pd.DataFrame, matrix: np.ndarray, kind: Kind) -> Any:
    value, whole = (first[name].to_numpy(dtype=float) for name in ("value", "of"))
    if kind == "number":
        return sm.OLS(value, matrix).fit()
    if kind == "count":
        exposure = np.ones(len(value)) if np.isnan(whole).all() else whole
        return sm.GLM(value, matrix, family=sm.families.Poisson(), offset=np.log(exposure)).fit()
    some = whole > 0
    shares = np.column_stack([value, whole - value])[some]
    return sm.GLM(shares, matrix[some], family=sm.families.Binomial()).fit()
