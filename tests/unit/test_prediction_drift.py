"""Drift: the stability index, and the day of a change with its interval."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from wardbook.prediction.drift import UNSTABLE, date_miscalibration, date_shift, measure_stability

FIRST = pd.Timestamp("2025-01-01")
CHANGED = date(2025, 6, 1)


def some_days(count: int, rng: np.random.Generator) -> pd.Series:
    return pd.Series(FIRST + pd.to_timedelta(rng.integers(0, 365 * 24, count), unit="h"))


def outcomes(seed: int, step: float) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    rng = np.random.default_rng(seed)
    odds, days = rng.normal(-2.2, 1.2, 3000), some_days(3000, rng)
    late = (days >= pd.Timestamp(CHANGED)).to_numpy()
    return expit(odds), (rng.random(3000) < expit(odds + step * late)).astype(int), days


def test_the_stability_index_by_hand() -> None:
    reference = pd.Series(np.arange(1000.0))
    assert measure_stability(reference, reference) == pytest.approx(0)
    # All in the highest tenth: one class has everything, nine and the missing half a value.
    later = pd.Series(np.full(1000, 950.0))
    full, empty = (1 - 0.1) * np.log(1 / 0.1), (0.0005 - 0.1) * np.log(0.0005 / 0.1)
    assert measure_stability(reference, later) == pytest.approx(full + 9 * empty)
    half = later.where(np.arange(1000) % 2 == 0)
    assert measure_stability(later, half) > UNSTABLE, "that half is missing is a change"


def test_the_same_distribution_is_stable() -> None:
    rng = np.random.default_rng(1)
    first, second = (pd.Series(rng.normal(size=2000)) for _ in range(2))
    assert measure_stability(first, second) < 0.05
    assert measure_stability(first, second + 1) > UNSTABLE


def test_a_change_of_calibration_is_dated() -> None:
    found = date_miscalibration(*outcomes(1, 1.0))
    assert found.found
    assert found.low <= CHANGED <= found.high
    assert found.high - found.low < timedelta(days=60)
    assert found.before == pytest.approx(0, abs=0.25)
    assert found.after == pytest.approx(1, abs=0.25)


def test_the_order_of_rows_does_not_matter() -> None:
    risk, outcome, days = outcomes(1, 1.0)
    order = np.random.default_rng(2).permutation(len(risk))
    shuffled = date_miscalibration(risk[order], outcome[order], days.iloc[order])
    assert shuffled.day == date_miscalibration(risk, outcome, days).day


def test_where_nothing_changes_hardly_ever_an_alarm() -> None:
    alarms = sum(date_miscalibration(*outcomes(seed, 0.0)).found for seed in range(12))
    assert alarms <= 1, "one in a hundred is expected"


def levels(seed: int, step: float) -> tuple[pd.Series, pd.Series]:
    rng = np.random.default_rng(seed)
    days = some_days(3000, rng)
    values = pd.Series(rng.normal(139, 3.5, 3000)) + step * (days >= pd.Timestamp(CHANGED))
    return values.mask(rng.random(3000) < 0.2), days


def test_a_change_of_level_is_dated_and_missing_values_do_not_matter() -> None:
    changes = [date_shift(*levels(seed, 3.0)) for seed in range(40)]
    assert all(one.found for one in changes)
    held = sum(one.low <= CHANGED <= one.high for one in changes)
    assert held >= 34, "38 of 40 are expected"
    assert max(one.high - one.low for one in changes) <= timedelta(days=14)
    assert np.mean([one.after - one.before for one in changes]) == pytest.approx(3, abs=0.1)
    assert sum(date_shift(*levels(seed, 0.0)).found for seed in range(40)) <= 3
