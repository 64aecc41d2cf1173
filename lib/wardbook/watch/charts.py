"""Three control charts of standardised values, and when each calls.

    Shewhart   |z| > 3: a single period far off (W. A. Shewhart, Economic Control of Quality of
               Manufactured Product, 1931)
    EWMA       e = 0.2 z + 0.8 e, called when e is beyond 2.86 of its own standard deviations
               (J. M. Lucas, M. S. Saccucci, Technometrics 1990;32:1-12)
    CUSUM      s = max(0, s + z - 0.5), called above 4.77, likewise downwards (E. S. Page,
               Biometrika 1954;41:100-115); after a call it begins anew

On independent normal values each runs about 370 periods to a false call. Counts are skewed: z is
that of P. Rossi, C. Lampugnani and M. Marchi (Stat Med 1999;18:2111-2122), with the counts divided
by their dispersion. Written here because statsmodels has no control charts; a test compares CUSUM
and transformation with the R package surveillance. A missing period moves no chart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from wardbook.watch.series import Kind

SHEWHART_LIMIT = 3.0
EWMA_WEIGHT, EWMA_LIMIT = 0.2, 2.86
CUSUM_SLACK, CUSUM_LIMIT = 0.5, 4.77


@dataclass(frozen=True)
class Chart:
    """A chart's statistic of each period (per series a row, periods in columns), and its calls.

    `calls` is 1 where it calls upwards, -1 downwards, else 0.
    """

    statistic: np.ndarray
    calls: np.ndarray


def standardise(
    value: np.ndarray, mean: np.ndarray, spread: np.ndarray, dispersion: float, kind: Kind
) -> np.ndarray:
    """Return z, about standard normal while nothing changes; of the shape of `value`."""
    if kind != "count":
        with np.errstate(divide="ignore", invalid="ignore"):
            z: np.ndarray = np.where(spread > 0, (value - mean) / spread, 0.0)
        return z
    y, mu = value / dispersion, mean / dispersion
    rossi: np.ndarray = (y - 3 * mu + 2 * np.sqrt(mu * y)) / (2 * np.sqrt(mu))
    return rossi


def run_shewhart(z: np.ndarray) -> Chart:
    """Call each period that is far off by itself."""
    return Chart(z, np.where(np.abs(z) > SHEWHART_LIMIT, np.sign(z), 0).astype(int))


def run_ewma(z: np.ndarray) -> Chart:
    """Call while the weighted mean of the past is far off."""
    weight = EWMA_WEIGHT
    level, variance = np.zeros(len(z)), np.zeros(len(z))
    statistic = np.zeros(z.shape)
    for at in range(z.shape[1]):
        seen = ~np.isnan(z[:, at])
        level = np.where(seen, weight * np.nan_to_num(z[:, at]) + (1 - weight) * level, level)
        variance = np.where(seen, weight**2 + (1 - weight) ** 2 * variance, variance)
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic[:, at] = np.where(seen, level / np.sqrt(variance), np.nan)
    calls = np.where(np.abs(statistic) > EWMA_LIMIT, np.sign(statistic), 0).astype(int)
    return Chart(statistic, calls)


def run_cusum(z: np.ndarray) -> Chart:
    """Call when small departures have added up; then begin anew."""
    high, low = np.zeros(len(z)), np.zeros(len(z))
    statistic, calls = np.zeros(z.shape), np.zeros(z.shape, dtype=int)
    for at in range(z.shape[1]):
        step = np.nan_to_num(z[:, at])
        slack = np.where(np.isnan(z[:, at]), 0.0, CUSUM_SLACK)
        high, low = np.maximum(0, high + step - slack), np.maximum(0, low - step - slack)
        statistic[:, at] = np.where(high >= low, high, -low)
        up, down = high > CUSUM_LIMIT, low > CUSUM_LIMIT
        calls[:, at] = np.where(up, 1, np.where(down, -1, 0))
        high, low = np.where(up | down, 0.0, high), np.where(up | down, 0.0, low)
    return Chart(statistic, calls)


CHARTS: Mapping[str, Callable[[np.ndarray], Chart]] = {
    "shewhart": run_shewhart,
    "ewma": run_ewma,
    "cusum": run_cusum,
}
"""Each takes z, a series a row, NaN where a period is missing."""
