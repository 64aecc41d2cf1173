"""The rules by themselves: a cell on each side of every threshold."""

from __future__ import annotations

import pytest

from tests.sample_outputs import policy
from wardbook.disclosure.rules import (
    Reason,
    find_unsafe,
    find_unsafe_steps,
    judge_percentile,
    judge_share,
)
from wardbook.disclosure.table import Cell, Relation, Table

FR, ACRO = policy(), policy("acro-default")


def frequencies(*counts: float, relations: tuple[Relation, ...] = ()) -> Table:
    cells = tuple(Cell((f"c{number}",), count, count) for number, count in enumerate(counts))
    return Table("t", ("code",), cells, relations)


def crossed(counts: dict[tuple[str, str], float], timeline: str = "") -> Table:
    cells = tuple(Cell(place, count, count) for place, count in counts.items())
    return Table("t", ("ward", "trait"), cells, timeline=timeline)


def magnitude(value: float, *largest: float, count: float = 20) -> Table:
    return Table("t", ("code",), (Cell(("a",), count, value, largest),))


@pytest.mark.parametrize(
    ("count", "fr", "acro"),
    [(1, True, True), (9, True, True), (10, True, False), (11, False, False), (9.99, True, True)],
)
def test_the_minimum_count(count: float, fr: bool, acro: bool) -> None:
    table = frequencies(count, 50)
    assert (find_unsafe(table, FR) == {0: (Reason.SMALL_COUNT,)}) is fr
    assert (find_unsafe(table, ACRO) == {0: (Reason.SMALL_COUNT,)}) is acro


WARDS = {(ward, trait): 20.0 for ward in "ABC" for trait in ("x", "y", "z")}


def test_zeros_by_policy() -> None:
    table = crossed(WARDS | {("A", "x"): 0})
    assert find_unsafe(table, FR) == {}
    assert find_unsafe(table, ACRO) == {0: (Reason.ZERO,)}


def test_everybody_of_a_group_has_a_trait() -> None:
    assert find_unsafe(crossed(WARDS), FR) == {}
    one = WARDS | {("A", "x"): 0}
    assert find_unsafe(crossed(one), FR) == {}
    two = one | {("A", "y"): 0}
    assert find_unsafe(crossed(two), FR) == {2: (Reason.EVERYBODY,)}
    assert find_unsafe(crossed(two), policy(zeros="allowed")) == {}


def test_everybody_who_has_a_trait_is_of_a_group() -> None:
    gathered = WARDS | {("A", "x"): 0, ("B", "x"): 0}
    assert find_unsafe(crossed(gathered), FR) == {6: (Reason.EVERYBODY,)}


def test_a_row_that_is_left_out_is_a_zero_too() -> None:
    sparse = {place: n for place, n in WARDS.items() if place not in {("A", "x"), ("A", "y")}}
    assert find_unsafe(crossed(sparse), FR) == {0: (Reason.EVERYBODY,)}


def test_a_dimension_with_one_code_says_nothing_of_traits() -> None:
    assert find_unsafe(crossed({("A", "yes"): 20, ("B", "yes"): 30}), FR) == {}


def test_nobody_has_a_trait() -> None:
    nobody = WARDS | dict.fromkeys([("A", "x"), ("B", "x"), ("C", "x")], 0)
    assert find_unsafe(crossed(nobody), FR) == dict.fromkeys((0, 3, 6), (Reason.NOBODY,))
    two_have = nobody | {("B", "x"): 15, ("C", "x"): 15}
    assert find_unsafe(crossed(two_have), FR) == {}
    assert find_unsafe(frequencies(0, 0, 0), FR) == {}


def test_a_day_is_nobodys_trait() -> None:
    counts = {("A", "day1"): 0, ("A", "day2"): 20, ("B", "day1"): 0, ("B", "day2"): 50}
    assert find_unsafe(crossed(counts, timeline="trait"), FR) == {}
    assert find_unsafe(crossed(counts), FR) != {}


def test_a_margin_is_not_taken_for_a_part_of_its_group() -> None:
    cells = {"yes": 30, "no": 0, "TOTAL": 30}
    table = frequencies(*cells.values(), relations=(Relation(2, (0, 1)),))
    assert find_unsafe(table, FR) == {0: (Reason.EVERYBODY,), 1: (Reason.NOBODY,)}
    # Without the relation the margin looks like a further trait.
    assert find_unsafe(frequencies(*cells.values()), FR) == {1: (Reason.NOBODY,)}


@pytest.mark.parametrize(
    ("largest", "unsafe"),
    [((45, 45), False), ((45.1, 45), True), ((85, 1), False), ((85.1, 1), True)],
)
def test_dominance_of_one_and_of_two(largest: tuple[float, float], unsafe: bool) -> None:
    only_dominance = policy(p_ratio=0.0)
    found = find_unsafe(magnitude(100, *largest), only_dominance)
    assert found == ({0: (Reason.DOMINANCE,)} if unsafe else {})


def test_acro_does_not_look_at_one_alone() -> None:
    table = magnitude(100, 86, 1)
    assert Reason.DOMINANCE in find_unsafe(table, FR)[0]
    assert find_unsafe(table, ACRO) == {}


@pytest.mark.parametrize(("second", "unsafe"), [(45, False), (45.1, True)])
def test_the_p_ratio(second: float, unsafe: bool) -> None:
    # What is left beside the two largest must be at least a tenth of the largest: 100 - 50 - 45.
    only_ratio = policy(dominance=())
    found = find_unsafe(magnitude(100, 50, second), only_ratio)
    assert found == ({0: (Reason.P_RATIO,)} if unsafe else {})
    assert find_unsafe(magnitude(100, 50, second), policy(dominance=(), p_ratio=0.0)) == {}


@pytest.mark.parametrize("largest", [(50,), (20, 30), (30, -1)], ids=["few", "order", "sign"])
def test_contributions_that_do_not_go_with_the_total(largest: tuple[float, ...]) -> None:
    assert find_unsafe(magnitude(100, *largest), FR) == {0: (Reason.CONTRIBUTORS_UNKNOWN,)}


def test_contributions_above_a_rounded_total_dominate_it() -> None:
    assert find_unsafe(magnitude(100, 99, 2), FR) == {0: (Reason.DOMINANCE, Reason.P_RATIO)}


def test_a_sum_of_zero_says_only_what_its_count_says() -> None:
    assert find_unsafe(magnitude(0, 0, 0), FR) == {}
    assert find_unsafe(magnitude(0, 0, 0, count=3), FR) == {0: (Reason.SMALL_COUNT,)}


@pytest.mark.parametrize(
    ("part", "whole", "reasons"),
    [
        (11, 22, ()),
        (10, 50, (Reason.SMALL_COUNT,)),
        (40, 50, (Reason.SMALL_COUNT,)),
        (39, 50, ()),
        (0, 50, (Reason.EVERYBODY,)),
        (50, 50, (Reason.EVERYBODY,)),
        (0, 0, ()),
        (60, 50, (Reason.SMALL_COUNT,)),
        (5, 10, (Reason.SMALL_COUNT,)),
    ],
)
def test_a_share_has_enough_who_have_it_and_who_have_not(
    part: float, whole: float, reasons: tuple[Reason, ...]
) -> None:
    assert judge_share(part, whole, FR) == reasons


@pytest.mark.parametrize(
    ("count", "percent", "unsafe"),
    [(22, 50, False), (21, 50, True), (110, 90, False), (109, 90, True), (110, 10, False),
     (109, 10, True), (1100, 99, False), (1099, 99, True), (440, 2.5, False)],
)  # fmt: skip
def test_enough_persons_stand_beyond_a_percentile(
    count: float, percent: float, unsafe: bool
) -> None:
    assert judge_percentile(count, percent, FR) is unsafe


@pytest.mark.parametrize(
    ("at_risk", "events", "unsafe"),
    [
        ((100, 80, 60), (20, 20, 20), ()),
        ((100, 89, 60), (11, 29, 0), ()),
        ((100, 90, 60), (10, 30, 0), (0,)),  # ten deaths
        ((100, 75, 60), (20, 15, 0), (0,)),  # five lost without one
        ((100, 69, 60), (20, 9, 0), (1,)),
        ((100, 50, 10), (50, 40, 0), (2,)),  # ten left at risk
        ((100, 50, 11), (50, 39, 0), ()),
        ((50, 60), (0, 0), (0,)),  # more later than before
        ((11,), (0,), ()),
    ],
)
def test_steps_of_a_survival_curve(
    at_risk: tuple[float, ...], events: tuple[float, ...], unsafe: tuple[int, ...]
) -> None:
    assert find_unsafe_steps(at_risk, events, FR) == unsafe
