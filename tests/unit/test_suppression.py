"""Suppression and its attack on tables that can be followed by hand."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from wardbook.disclosure.attack import Target, find_recovered, is_safe
from wardbook.disclosure.reader import Reader, pose
from wardbook.disclosure.suppress import Suppression, suppress
from wardbook.disclosure.system import Part, Span, System
from wardbook.disclosure.table import TOTAL, Cell, Relation, Table

READER = Reader()


def cross(rows: Sequence[Sequence[int]]) -> Table:
    """Make a table with its margins: cells row by row, each with its total at the end."""
    inner = np.array(rows)
    full = np.vstack([inner, inner.sum(axis=0)])
    full = np.hstack([full, full.sum(axis=1, keepdims=True)])
    height, width = full.shape
    codes = [[*map(str, range(n - 1)), TOTAL] for n in (height, width)]
    cells = tuple(
        Cell(place, float(count), float(count))
        for place, count in zip(itertools.product(*codes), full.ravel(), strict=True)
    )
    at = np.arange(full.size).reshape(full.shape)
    lines = [*at, *at.T]
    relations = tuple(Relation(int(line[-1]), tuple(map(int, line[:-1]))) for line in lines)
    return Table("stays", ("ward", "age"), cells, relations)


def small(table: Table, minimum: int = 11) -> frozenset[int]:
    return frozenset(n for n, cell in enumerate(table.cells) if 0 < cell.count < minimum)


def attack(table: Table, suppressed: frozenset[int], reader: Reader = READER) -> dict[int, float]:
    """Return the cells that are recovered exactly, with what the attack says they are."""
    problem = pose(table, small(table, reader.minimum), reader)
    hidden = suppressed | problem.hidden
    recovered = find_recovered(problem.system, hidden, problem.targets)
    return {one.position: one.least for one in recovered if one.is_exact}


GRID = cross([[40, 3, 25], [60, 30, 45], [20, 50, 35]])


def test_the_attack_recovers_what_is_suppressed_alone() -> None:
    assert attack(GRID, small(GRID)) == {1: 3.0}


def test_a_single_small_cell_costs_three_more() -> None:
    found = suppress(GRID, small(GRID), READER)
    assert found.is_safe
    assert found.primary == {1} < found.suppressed
    assert len(found.suppressed) == 4
    assert attack(GRID, found.suppressed) == {}


def test_the_cheapest_cells_are_chosen() -> None:
    found = suppress(GRID, small(GRID), READER)
    values = [GRID.cells[at].value for at in found.suppressed - found.primary]
    # The rectangle through 3 whose other corners weigh least: 25, 50 and 35 or 25, 30 and 45 or …
    corners = [
        (
            GRID.cells[4 * row + 1].value,
            GRID.cells[column].value,
            GRID.cells[4 * row + column].value,
        )
        for row in (1, 2)
        for column in (0, 2)
    ]
    assert np.log1p(values).sum() == min(np.log1p(corner).sum() for corner in corners)


def test_marking_a_pair_as_small_and_large_gives_it_away() -> None:
    # 1 + 11 = 12: who knows that one is below 11 and the other is not knows both.
    table = cross([[1, 11, 0], [50, 60, 70], [30, 40, 20]])
    rectangle = frozenset({0, 1, 4, 5})
    assert attack(table, rectangle) == {0: 1.0}
    found = suppress(table, small(table), READER)
    assert found.is_safe
    assert not rectangle >= found.suppressed


def test_what_two_small_cells_are_together_is_not_told_either() -> None:
    table = cross([[4, 5, 30, 40], [3, 3, 50, 60], [20, 30, 40, 50]])
    # The four hide each other, and yet the totals tell that 9 and 6 persons are in them.
    assert attack(table, small(table)) == {20: 9.0, 21: 7.0, 22: 8.0, 23: 6.0}
    found = suppress(table, small(table), READER)
    assert found.is_safe
    assert found.suppressed > small(table)


def test_rounding_hides_without_further_suppression() -> None:
    rounded = Reader(base=5, minimum=11)
    assert suppress(GRID, small(GRID), rounded).suppressed == {1}


def test_a_policy_that_leaves_two_values_is_held_to_them() -> None:
    reader = Reader(minimum=3)
    table = cross([[40, 1, 25], [60, 30, 45], [20, 50, 35]])
    found = suppress(table, small(table, 3), reader)
    assert found.is_safe
    assert attack(table, found.suppressed, reader) == {}


def test_zeros_are_shown_and_never_stand_in_for_a_secondary() -> None:
    table = cross([[5, 0, 25, 30], [0, 30, 45, 50], [20, 50, 35, 0]])
    found = suppress(table, small(table), READER)
    assert found.is_safe
    assert all(table.cells[at].count > 0 for at in found.suppressed)


def test_what_cannot_be_made_safe_is_told() -> None:
    # Ten wards of one person: a reader who knows that the total is small knows each.
    wards = tuple(Cell((str(n),), 1.0, 1.0) for n in range(10))
    total = Cell((TOTAL,), 10.0, 10.0)
    table = Table("stays", ("ward",), (*wards, total), (Relation(10, tuple(range(10))),))
    found = suppress(table, small(table), READER)
    assert not found.is_safe
    assert {one.position for one in found.exposed} >= set(range(11))


def test_a_safe_table_is_left_alone() -> None:
    table = cross([[11, 12, 0], [20, 30, 40]])
    assert suppress(table, small(table), READER) == Suppression(frozenset(), frozenset(), 0.0)


def test_values_that_are_no_counts_are_protected_by_their_share() -> None:
    cells = tuple(Cell(cell.place, cell.count, 100.5 * cell.value) for cell in GRID.cells)
    table = Table("costs", GRID.dimensions, cells, GRID.relations)
    problem = pose(table, {0}, READER)
    assert [one.is_exact for one in find_recovered(problem.system, {0}, problem.targets)] == [True]
    found = suppress(table, {0}, READER)
    assert found.is_safe
    assert len(found.suppressed) == 4


def test_the_choice_is_always_the_same() -> None:
    chance = np.random.default_rng(5)
    table = cross(chance.negative_binomial(1, 1 / 41, (12, 14)).tolist())
    first, second = (suppress(table, small(table), READER) for _ in range(2))
    assert first == second
    assert first.is_safe


def test_sums_that_do_not_hold_are_refused() -> None:
    cells = (*GRID.cells[:-1], Cell((TOTAL, TOTAL), 1.0, 1.0))
    table = Table("stays", GRID.dimensions, cells, GRID.relations)
    with pytest.raises(ValueError, match="do not add up"):
        suppress(table, small(table), READER)


def test_a_world_must_add_up_and_be_whole() -> None:
    span = Span(np.zeros(3), np.full(3, 20.0))
    system = System(span, span, np.ones(3, dtype=bool), (Relation(2, (0, 1)),))
    part = Part.of(system, span, np.arange(3))
    assert part.holds(np.array([3.0, 4.0, 7.0]))
    assert not part.holds(np.array([3.0, 4.0, 8.0]))
    assert not part.holds(np.array([3.5, 3.5, 7.0]))
    assert not part.holds(np.array([-1.0, 8.0, 7.0]))
    assert not part.holds(np.array([21.0, 0.0, 21.0]))


def test_a_world_that_is_handed_over_but_is_none_proves_nothing() -> None:
    problem = pose(GRID, {1}, READER)
    wrong = problem.truth.copy()
    wrong[1] = 9.0
    worlds = [problem.truth, wrong]
    assert not is_safe(problem.system, problem.hidden, problem.targets, worlds)
    assert find_recovered(problem.system, problem.hidden, problem.targets, worlds)


def test_only_whole_numbers_count_as_uncertainty() -> None:
    # 2a + … : a = b = c and a + b + c + d = 4 with d in 0..1 leaves fractions, but one whole world.
    low, high = np.array([0.0, 0.0, 0.0, 0.0, 4.0]), np.array([9.0, 9.0, 9.0, 1.0, 4.0])
    span = Span(low, high)
    same = tuple(Relation(total, (part,)) for total, part in ((0, 1), (1, 2)))
    relations = (*same, Relation(4, (0, 1, 2, 3)))
    counts = System(span, span, np.ones(5, dtype=bool), relations)
    (found,) = find_recovered(counts, range(5), [Target(0, 0.3)])
    assert (found.least, found.greatest) == (1.0, 1.0)
    values = System(span, span, np.zeros(5, dtype=bool), relations)
    assert is_safe(values, range(5), [Target(0, 0.3)])


def test_a_5000_cell_table_is_protected_as_a_whole() -> None:
    chance = np.random.default_rng(0)
    table = cross(chance.negative_binomial(1.2, 1.2 / 161, (49, 99)).tolist())
    assert len(table.cells) == 5000
    assert len(small(table)) > 150
    assert attack(table, small(table))
    found = suppress(table, small(table), READER)
    assert found.is_safe
    assert attack(table, found.suppressed) == {}
