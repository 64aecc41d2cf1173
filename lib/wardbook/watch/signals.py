"""From charts to alerts, and the day on which a change began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from wardbook.errors import DataProblem
from wardbook.watch.charts import CHARTS, SHEWHART_LIMIT, standardise
from wardbook.watch.expected import Expected, fit_expected
from wardbook.watch.series import Metric

LEVEL = 0.95


@dataclass(frozen=True)
class Watched:
    """One group: `points` has date, group, value, expected, low, high and for each chart its
    statistic and call (CHART, CHART_call); only periods after the baseline are watched.
    """

    group: str
    points: pd.DataFrame
    expected: Expected
    rows: pd.DataFrame
    baseline: int


def watch_group(metric: Metric, group: str, baseline: int, *, file: str) -> Watched:
    """Fit one group's baseline, and run all charts over what follows it.

    Raises:
        DataProblem: the baseline is too short, or constant.
    """
    rows = metric.of_group(group)
    expected = fit_expected(rows, metric.kind, metric.step, baseline, group=group, file=file)
    after = rows.iloc[baseline:]
    mean, spread = (one.iloc[baseline:] for one in (expected.mean, expected.spread))
    z = standardise(
        after["value"].to_numpy(),
        mean.to_numpy(),
        spread.to_numpy(),
        expected.dispersion,
        metric.kind,
    )
    low, high = find_limits(mean.to_numpy(), spread.to_numpy(), expected)
    points = pd.DataFrame(
        {
            "date": after.index,
            "group": group,
            "value": after["value"].to_numpy(),
            "expected": mean.round(3).to_numpy(),
            "low": low.round(3),
            "high": high.round(3),
        }
    )
    for name, run in CHARTS.items():
        chart = run(z[None, :])
        points[name] = chart.statistic[0].round(3)
        points[f"{name}_call"] = chart.calls[0]
    return Watched(group, points, expected, rows, baseline)


def find_limits(
    mean: np.ndarray, spread: np.ndarray, expected: Expected
) -> tuple[np.ndarray, np.ndarray]:
    """Return Shewhart's limits as values: those whose z is -3 and 3."""
    if expected.kind != "count":
        low, high = mean - SHEWHART_LIMIT * spread, mean + SHEWHART_LIMIT * spread
        return (low if expected.kind == "number" else np.maximum(low, 0)), high
    # z = (y - 3 mu + 2 sqrt(mu y)) / (2 sqrt(mu)) is a quadratic in sqrt(y).
    mu = mean / expected.dispersion
    bounds = []
    for z in (-SHEWHART_LIMIT, SHEWHART_LIMIT):
        root = -np.sqrt(mu) + np.sqrt(np.maximum(4 * mu + 2 * z * np.sqrt(mu), 0))
        bounds.append(np.maximum(root, 0) ** 2 * expected.dispersion)
    return bounds[0], bounds[1]


def list_alerts(watched: Watched) -> pd.DataFrame:
    """Return a row for each alert, calls of one chart in one direction in a row being one.

    Columns: date (of the first call), group, chart, direction (`up`, `down`), value, expected, low,
    high, periods (how many in a row).
    """
    found: list[dict[str, Any]] = []
    for name in CHARTS:
        calls = watched.points[f"{name}_call"]
        runs = (calls != calls.shift()).cumsum()
        for _, part in watched.points[calls != 0].groupby(runs):
            first = part.iloc[0]
            found.append(
                {
                    "date": first["date"],
                    "group": first["group"],
                    "chart": name,
                    "direction": "up" if first[f"{name}_call"] > 0 else "down",
                    **{n: first[n] for n in ("value", "expected", "low", "high")},
                    "periods": len(part),
                }
            )
    columns = ["date", "group", "chart", "direction", "value", "expected", "low", "high", "periods"]
    table = pd.DataFrame(found, columns=columns).astype({"date": "datetime64[us]"})
    return table.sort_values(["date", "chart"], ignore_index=True)


@dataclass(frozen=True)
class Change:
    """A lasting change: the first day of it with its 95 % interval, and how large it is.

    `size` is the ratio to the expected; of numbers, the difference.
    """

    group: str
    began: pd.Timestamp
    began_low: pd.Timestamp
    began_high: pd.Timestamp
    size: float
    size_low: float
    size_high: float


def find_change(watched: Watched) -> Change | None:
    """Estimate when the latest period's level began, or None where CUSUM has not called.

    For each day from which on the level might be another, the best ratio and its likelihood
    (quasi-likelihood: divided by the dispersion), the ratio integrated out by Laplace's method;
    days being equally likely beforehand, those that together have 95 % are the interval (D. V.
    Hinkley, Biometrika 1970;57:1-17, for the likelihood; M. West, J. Harrison for the Bayesian
    form). The ratio's interval has the baseline's own uncertainty in it. One change is assumed,
    that lasts to the end: after a change that has passed, the interval says little.
    """
    if not (watched.points["cusum_call"] != 0).any():
        return None
    points, expected = watched.points, watched.expected
    value, mean = points["value"].to_numpy(), points["expected"].to_numpy()
    phi = expected.dispersion
    later = np.cumsum(value[::-1])[::-1], np.cumsum(mean[::-1])[::-1]
    periods = np.arange(len(value), 0, -1)
    if expected.kind == "number":
        size = (later[0] - later[1]) / periods
        weight = periods * size**2 / (2 * phi) - 0.5 * np.log(periods / phi)
    else:
        ratio = np.maximum(later[0], 0.5) / later[1]
        gain = (later[0] * np.log(ratio) - later[1] * (ratio - 1)) / phi
        weight = gain - 0.5 * np.log(np.maximum(later[0], 0.5) / phi)
        size = ratio
    chance = np.exp(weight - weight.max())
    chance /= chance.sum()
    order = np.argsort(-chance)
    enough = order[: int(np.searchsorted(np.cumsum(chance[order]), LEVEL)) + 1]
    best, margin = int(order[0]), norm.ppf((1 + LEVEL) / 2)
    if expected.kind == "number":
        error = np.sqrt(phi / periods[best] + phi / expected.information)
        bounds = size[best] - margin * error, size[best] + margin * error
    else:
        error = np.sqrt(phi / max(later[0][best], 1) + phi / max(expected.information, 1))
        bounds = size[best] * np.exp(-margin * error), size[best] * np.exp(margin * error)
    days = points["date"]
    return Change(
        watched.group,
        days.iloc[best],
        days.iloc[int(enough.min())],
        days.iloc[int(enough.max())],
        float(size[best]),
        float(bounds[0]),
        float(bounds[1]),
    )


def watch_all(
    metric: Metric, baseline: int, *, file: str
) -> tuple[dict[str, Watched], dict[str, str]]:
    """Watch every group that can be; the others by name with the code of what keeps them back.

    Raises:
        DataProblem: no group can be watched.
    """
    watched, left = {}, {}
    for group in metric.groups:
        try:
            watched[group] = watch_group(metric, group, baseline, file=file)
        except DataProblem as problem:
            left[group], last = problem.code, problem
    if not watched:
        raise last
    return watched, left
