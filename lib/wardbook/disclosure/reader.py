"""What a reader of a table knows before adding anything up, and what they must not get to know."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from wardbook.disclosure.attack import Target
from wardbook.disclosure.cover import Problem
from wardbook.disclosure.system import TINY, Numbers, Span, System
from wardbook.disclosure.table import Relation, Table

NEW = -1
"""The position of a figure that is not among the numbers yet."""
_TIMES = 4.0
"""A reader knows that no hidden number is more than so many times the greatest of the table."""


@dataclass(frozen=True)
class Reader:
    """What a reader knows of the policy, and how uncertain they must stay.

    Args:
        minimum: the least count that is shown; a suppressed small count is below it.
        base: what shown counts are rounded to; 0 for not at all.
        zeros: whether zeros are suppressed as small counts are.
        width: how far apart the least and the greatest possible count must be at least; no more is
            asked for than half of what the policy itself leaves open.
        share: the same for values that are no counts, as a share of the value.
    """

    minimum: int = 11
    base: int = 0
    zeros: bool = False
    width: int = 3
    share: float = 0.2

    @property
    def count_width(self) -> float:
        """How far apart the extremes of a count must be."""
        return float(max(1, min(self.width, (self.minimum - 2) // 2)))

    @property
    def floor(self) -> float:
        """The least that a suppressed count can be."""
        return 0.0 if self.zeros else 1.0

    def cap(self, greatest: float) -> float:
        """Return the most that a hidden number can be beside a table's greatest."""
        return _TIMES * greatest + 100.0 * self.minimum

    def show(self, value: float) -> float:
        """Return what is shown of a value."""
        return round(value / self.base) * self.base if self.base else value

    def of_shown(self, shown: float) -> tuple[float, float]:
        """Return the least and the greatest that a count can be that is shown so."""
        if not self.base or shown == 0:
            return shown, shown
        half = self.base // 2
        return max(shown - half, self.minimum), shown + half

    def of_shown_count(self, count: float) -> tuple[float, float]:
        """Return the same for a count that is given itself."""
        least, greatest = self.of_shown(self.show(count))
        return min(count, least), max(count, greatest)

    def of_hidden_count(self, count: float, cap: float, *, is_unsafe: bool) -> tuple[float, float]:
        """Return the same for a suppressed count, for a reader who knows whether it is unsafe.

        One that is unsafe for another reason than its size can be anything.
        """
        if not is_unsafe:
            return float(self.minimum), cap
        return self.floor, (self.minimum - 1.0 if count < self.minimum else cap)


def holds_counts(table: Table) -> bool:
    """Tell whether what a table shows are its counts."""
    return all(cell.value == cell.count and cell.count % 1 == 0 for cell in table.cells)


def pose(table: Table, unsafe: Collection[int], reader: Reader) -> Problem:
    """Return a table as a problem: its cells, then the small figures that its sums would tell.

    Two small cells in a row may be uncertain each, and yet the total less the shown cells tells how
    many persons both have. Such a figure below the minimum is a target of its own.

    Raises:
        ValueError: a relation does not hold, or a value is below 0.
    """
    _check(table)
    values = np.array([cell.value for cell in table.cells])
    told: tuple[Relation, ...] = ()
    if holds_counts(table):
        told = find_small_figures(table.relations, unsafe, values, reader.minimum)
    relations, truth = add_figures(table.relations, values, told)
    unsafe = frozenset(unsafe)
    system = _build_system(table, unsafe, reader, relations, len(told))
    targets = sorted((*unsafe, *range(len(values), len(truth))))
    widths = np.where(system.whole, reader.count_width, truth * reader.share)
    secret = np.zeros(len(truth), dtype=bool)
    secret[targets] = True
    return Problem(
        system,
        truth,
        np.where(secret, 0.0, np.log1p(truth)),
        (truth > 0) & ~secret,
        tuple(
            Target(at, float(widths[at]), inf if at in unsafe else reader.minimum)
            for at in targets
            if widths[at] > 0
        ),
        frozenset(targets),
    )


def _build_system(
    table: Table,
    unsafe: Collection[int],
    reader: Reader,
    relations: tuple[Relation, ...],
    figures: int,
) -> System:
    """Return a table's cells, and after them so many figures of which nothing is known."""
    cap = reader.cap(max((cell.value for cell in table.cells), default=0.0))
    counts, unsafe = holds_counts(table), frozenset(unsafe)
    if counts:
        shown = [reader.of_shown_count(cell.count) for cell in table.cells]
        hidden = [
            reader.of_hidden_count(cell.count, cap, is_unsafe=at in unsafe)
            for at, cell in enumerate(table.cells)
        ]
    else:
        shown = [(cell.value, cell.value) for cell in table.cells]
        hidden = [(0.0, cap)] * len(table.cells)
    anything = [(0.0, cap)] * figures
    whole = np.full(len(table.cells) + figures, counts)
    return System(Span.of([*shown, *anything]), Span.of([*hidden, *anything]), whole, relations)


def find_small_figures(
    relations: Sequence[Relation], secret: Collection[int], truth: Numbers, minimum: float
) -> tuple[Relation, ...]:
    """Return the figures below the minimum that no cell shows and that sums may tell all the same.

    The secret parts of one sum, where they are several, are together its total less what is shown.
    And what a cell has beside another that lies inside it, over several sums, is their difference.

    Returns:
        for each such figure the relation that makes it, where it has the position NEW.
    """
    secret = frozenset(secret)
    groups = {tuple(sorted({*one.parts} & secret)) for one in relations}
    small = sorted(one for one in groups if len(one) > 1 and 0 < truth[list(one)].sum() < minimum)
    pairs = _find_near_pairs(relations, truth, minimum)
    return (
        *(Relation(NEW, one) for one in small),
        *(Relation(outer, (inner, NEW)) for outer, inner in pairs),
    )


def _find_near_pairs(
    relations: Sequence[Relation], truth: Numbers, minimum: float
) -> list[tuple[int, int]]:
    """Return the pairs of a number and one nearly as great that is inside it by several sums.

    Only parts that are nearly as great themselves lead to one, so that few are looked at.
    """
    parts: dict[int, set[int]] = {}
    for one in relations:
        parts.setdefault(one.total, set()).update(one.parts)
    found = set()
    for outer, direct in parts.items():
        least = max(minimum, truth[outer] - minimum + 1)
        near, seen = [at for at in direct if truth[at] >= least], set(direct) | {outer}
        while near:
            for at in parts.get(near.pop(), ()):
                if at not in seen and truth[at] >= least:
                    seen.add(at)
                    near.append(at)
                    if truth[at] < truth[outer]:
                        found.add((outer, at))
    return sorted(found)


def add_figures(
    relations: Sequence[Relation], truth: Numbers, found: Sequence[Relation]
) -> tuple[tuple[Relation, ...], Numbers]:
    """Return relations and numbers with those that `find_small_figures` found at the end."""
    size, added, values = len(truth), [], []
    for n, one in enumerate(found):
        known = truth[[at for at in one.parts if at != NEW]].sum()
        values.append(known if one.total == NEW else truth[one.total] - known)
        parts = tuple(size + n if at == NEW else at for at in one.parts)
        added.append(Relation(size + n if one.total == NEW else one.total, parts))
    return (*relations, *added), np.concatenate([truth, values])


def _check(table: Table) -> None:
    """Raise ValueError where the figures of a table are not what its relations promise."""
    values = [cell.value for cell in table.cells]
    if any(value < 0 for value in values):
        raise ValueError(f"Table {table.name}: a value is below 0. Only sums of parts are judged.")
    for one in table.relations:
        total = values[one.total]
        if abs(sum(values[at] for at in one.parts) - total) > TINY * max(1.0, total):
            place = ", ".join(table.cells[one.total].place)
            raise ValueError(
                f"Table {table.name}: the parts of {place} do not add up to it. Compute the "
                "margins from the cells, before rounding."
            )
