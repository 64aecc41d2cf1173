"""What is planted in the hospital is found again: `python -m tests.planted_effects` in small.

One hospital a module, and intervals of twice the width: a right method misses the truth by that
much once in ten thousand tries (3.9 standard errors), a wrong one by far more.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.crash_form import chosen
from tests.planted_effects import (
    Estimate,
    count,
    estimate_seed,
    load_planted,
    planted_modules,
)

SEED = 501


def twice_as_wide(one: Estimate) -> Estimate:
    half = (one.high - one.low) / 2
    return replace(one, low=one.low - half, high=one.high + half)


def missed(estimates: list[Estimate]) -> list[str]:
    return [one.name for one in map(twice_as_wide, estimates) if not one.holds]


@pytest.mark.parametrize("name", chosen(planted_modules(), 6))
def test_the_intervals_hold_what_is_planted(name: str) -> None:
    estimates = estimate_seed(load_planted(name), SEED)
    assert len(estimates) > 0
    assert missed(estimates) == []


class Wrong:
    """Says of one effect that something else is planted, the half of it."""

    PARTS, PATIENTS = load_planted("stays").PARTS, 3_000

    @staticmethod
    def estimate(database: Path) -> list[Estimate]:
        first, *others = load_planted("stays").estimate(database)
        return [replace(first, truth=first.truth / 2), *others]


def test_a_wrong_truth_is_found_out() -> None:
    estimates = estimate_seed(Wrong(), SEED)
    assert missed(estimates) == [estimates[0].name]


def test_an_effect_that_some_hospitals_do_not_show_is_not_held_there() -> None:
    (one,) = count([[Estimate("rare", 1.0, 0.0, 2.0)], [], []])
    assert (one.held, one.seeds, one.enough) == (1, 3, False)


@pytest.mark.parametrize(("held", "enough"), [(93, True), (92, False)])
def test_ninety_three_of_a_hundred_are_enough(held: int, enough: bool) -> None:
    right, wrong = Estimate("one", 1.0, 0.0, 2.0), Estimate("one", 1.0, 1.5, 2.0)
    (one,) = count([[right]] * held + [[wrong]] * (100 - held))
    assert one.enough is enough


def test_an_interval_without_ends_holds_nothing() -> None:
    assert not Estimate("none", 1.0, float("nan"), float("nan")).holds
