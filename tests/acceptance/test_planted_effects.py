"""What is planted in the hospital is found again: `python -m tests.planted_effects` in small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scipy import stats

from tests.planted_effects import (
    Estimate,
    Tally,
    estimate_seed,
    load_planted,
    planted_modules,
    tally,
)

SEEDS = (501, 502, 503)
RARELY = 0.001


def far_too_few(one: Tally) -> bool:
    """Whether an interval that holds the truth in 95 of 100 would hardly ever do so this rarely."""
    return bool(stats.binom.cdf(one.held, one.seeds, 0.95) < RARELY)


@pytest.mark.parametrize("name", planted_modules())
def test_the_intervals_hold_what_is_planted(name: str) -> None:
    planted = load_planted(name)
    found = tally(lambda seed: estimate_seed(planted, seed), SEEDS)
    assert found
    assert [one for one in found if far_too_few(one)] == []


class Wrong:
    """Says of one effect that something else is planted, the half of it."""

    PARTS, PATIENTS = load_planted("stays").PARTS, 3_000

    @staticmethod
    def estimate(database: Path) -> list[Estimate]:
        first, *others = load_planted("stays").estimate(database)
        return [replace(first, truth=first.truth / 2), *others]


def test_a_wrong_truth_is_found_out() -> None:
    found = tally(lambda seed: estimate_seed(Wrong(), seed), SEEDS)
    assert [one.name for one in found if far_too_few(one)] == [found[0].name]


def test_an_effect_that_some_hospitals_do_not_show_is_not_held_there() -> None:
    shown = {501: [Estimate("rare", 1.0, 0.0, 2.0)], 502: [], 503: []}
    assert [(one.held, one.enough) for one in tally(shown.__getitem__, SEEDS)] == [(1, False)]


def test_an_interval_without_ends_holds_nothing() -> None:
    assert not Estimate("none", 1.0, float("nan"), float("nan")).holds
