"""How long each chart runs to its first call: while nothing changes, and after a change.

Simulated from the fitted model, for each chart alone: counts from the negative binomial, parts
from the beta-binomial with the fitted dispersion, numbers from the normal distribution. What the
baseline does not know for sure is not in it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wardbook.watch.charts import CHARTS, standardise
from wardbook.watch.expected import Expected

SERIES, PERIODS = 400, 2000


def simulate(
    random: np.random.Generator,
    expected: Expected,
    whole: np.ndarray,
    ratio: float,
    *,
    series: int,
    periods: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return z of simulated series (series × periods) whose mean is `ratio` times the expected."""
    at = np.arange(periods) % len(expected.mean)
    mean, spread = (one.to_numpy()[at] for one in (expected.mean, expected.spread))
    of, phi, size = whole[at], expected.dispersion, (series, periods)
    value: np.ndarray
    if expected.kind == "number":
        value = random.normal(mean * ratio, spread, size)
    elif expected.kind == "count":
        level = np.broadcast_to(mean * ratio, size)
        if phi > 1:
            level = random.gamma(level / (phi - 1), phi - 1)
        value = random.poisson(level)
    else:
        share = np.clip(mean * ratio / np.maximum(of, 1), 1e-9, 1 - 1e-9)
        # The variance of a beta-binomial count is the binomial one times 1 + (n - 1) rho.
        rho = np.clip((phi - 1) / np.maximum(of - 1, 1), 1e-9, 0.5)
        chance = random.beta(share * (1 / rho - 1), (1 - share) * (1 / rho - 1), size)
        value = random.binomial(of.astype(int), chance if phi > 1 else share, size)
    return standardise(value, mean, spread, phi, expected.kind), value


def measure_run_lengths(
    expected: Expected,
    whole: np.ndarray,
    *,
    ratio: float,
    seed: int = 1,
    series: int = SERIES,
    periods: int = PERIODS,
) -> pd.DataFrame:
    """Return periods to the first call of each chart, the change being there from the first on.

    A series without a call within `periods` counts as that many: the mean is then too low, and
    `unfinished` says how often.

    Columns: chart, mean, mean_low, mean_high (95 % of the simulation), median, p90, unfinished.
    """
    random = np.random.default_rng(seed)
    z, _ = simulate(random, expected, whole, ratio, series=series, periods=periods)
    found = []
    for name, run in CHARTS.items():
        called = run(z).calls != 0
        there = called.any(axis=1)
        lengths = np.where(there, called.argmax(axis=1) + 1, periods)
        margin = 1.96 * lengths.std(ddof=1) / np.sqrt(series)
        found.append(
            {
                "chart": name,
                "mean": round(float(lengths.mean()), 1),
                "mean_low": round(float(lengths.mean() - margin), 1),
                "mean_high": round(float(lengths.mean() + margin), 1),
                "median": float(np.median(lengths)),
                "p90": float(np.quantile(lengths, 0.9)),
                "unfinished": round(float((~there).mean()), 4),
            }
        )
    return pd.DataFrame(found)
