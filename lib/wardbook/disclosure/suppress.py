"""Suppression: which cells of a table are not shown, so that no small group can be worked out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from wardbook.disclosure.attack import Recovered, Target, find_recovered
from wardbook.disclosure.cover import Problem, add_cheapest
from wardbook.disclosure.system import Numbers, Span, System
from wardbook.disclosure.table import Relation, Table

_TURNS = 12


@dataclass(frozen=True)
class Reader:
    """What a reader knows of the policy, and how uncertain they must stay.

    Args:
        minimum: the least count that is shown: a suppressed small count is below it.
        base: what shown counts are rounded to, 0 for not at all.
        zeros: whether zeros are suppressed as small counts are.
        width: how far apart the least and the greatest possible count must be.
        share: the same for other values, as a share of the value.
    """

    minimum: int = 11
    base: int = 0
    zeros: bool = False
    width: int = 3
    share: float = 0.2

    @property
    def count_width(self) -> int:
        return max(1, min(self.width, (self.minimum - 2) // 2))


@dataclass(frozen=True)
class Suppression:
    suppressed: frozenset[int]
    primary: frozenset[int]
    lost: float
    exposed: tuple[Recovered, ...] = ()


def suppress(table: Table, unsafe: Collection[int], reader: Reader) -> Suppression:
    problem = pose(table, unsafe, reader)
    hidden, worlds = set(problem.hidden), [problem.truth]
    recovered: tuple[Recovered, ...] = ()
    targets = list(problem.targets)
    for turn in range(_TURNS):
        if not targets:
            break
        added, world = add_cheapest(problem, hidden, targets, turn)
        hidden |= added
        worlds.append(world)
        recovered = find_recovered(problem.system, hidden, problem.targets, worlds)
        still = {one.position for one in recovered}
        targets = [one for one in problem.targets if one.position in still]
    cells = frozenset(at for at in hidden if at < len(table.cells))
    lost = problem.weights[list(cells)].sum() / max(1, problem.weights.sum())
    return Suppression(cells, frozenset(unsafe), float(lost), recovered)


def pose(table: Table, unsafe: Collection[int], reader: Reader) -> Problem:
    values = np.array([cell.value for cell in table.cells])
    counts = np.array([cell.count for cell in table.cells])
    is_unsafe = np.zeros(len(values), dtype=bool)
    is_unsafe[list(unsafe)] = True
    of_counts = bool((values == counts).all() and (values == np.round(values)).all())
    cap = 4 * values.max(initial=0) + 100 * reader.minimum
    floor = 0.0 if reader.zeros else 1.0
    if of_counts:
        small = is_unsafe & (counts < reader.minimum)
        least = np.where(small, floor, np.where(is_unsafe, floor, reader.minimum))
        greatest = np.where(small, reader.minimum - 1.0, cap)
        widths = np.full(len(values), float(reader.count_width))
    else:
        least, greatest = np.zeros(len(values)), np.full(len(values), cap)
        widths = values * reader.share
    half = reader.base // 2 if of_counts else 0
    base = max(1, reader.base)
    shown = np.round(values / base) * base if half else values
    low = np.where(values > 0, np.maximum(shown - half, reader.minimum), 0.0) if half else values
    high = np.where(values > 0, shown + half, 0.0) if half else values
    system = System(Span(low, high), Span(least, greatest), np.full(len(values), of_counts), table.relations)
    weights = np.log1p(values)
    targets = tuple(Target(p, float(widths[p])) for p in sorted(unsafe))
    return Problem(system, values, weights, (values > 0) & ~is_unsafe, targets, frozenset(unsafe))
