"""What a reader of a table knows before adding anything up, and what they must not get to know."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from wardbook.disclosure.attack import Target
from wardbook.disclosure.cover import Problem
from wardbook.disclosure.system import TINY, Numbers, Span, System
from wardbook.disclosure.table import Relation, Table

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
    """Return a table as a problem: its cells, then the small groups that its sums would tell.

    Two small cells in a row may be uncertain each, and yet the total less the shown cells tells how
    many persons both have. Such a sum below the minimum is a target of its own.

    Raises:
        ValueError: a relation does not hold, or a value is below 0.
    """
    _check(table)
    counts = holds_counts(table)
    values = np.array([cell.value for cell in table.cells])
    groups = find_small_groups(table.relations, unsafe, values, reader.minimum) if counts else ()
    truth = np.concatenate([values, [values[list(group)].sum() for group in groups]])
    system = _build_system(table, unsafe, reader, groups)
    targets = sorted((*unsafe, *range(len(values), len(truth))))
    widths = np.where(system.whole, reader.count_width, truth * reader.share)
    secret = np.zeros(len(truth), dtype=bool)
    secret[targets] = True
    return Problem(
        system,
        truth,
        np.where(secret, 0.0, np.log1p(truth)),
        (truth > 0) & ~secret,
        tuple(Target(at, float(widths[at])) for at in targets if widths[at] > 0),
        frozenset(targets),
    )


def _build_system(
    table: Table, unsafe: Collection[int], reader: Reader, groups: Sequence[tuple[int, ...]]
) -> System:
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
    of_groups = [(len(group) * reader.floor, cap) for group in groups]
    first = len(table.cells)
    relations = (Relation(first + n, group) for n, group in enumerate(groups))
    return System(
        Span.of([*shown, *of_groups]),
        Span.of([*hidden, *of_groups]),
        np.full(first + len(groups), counts),
        (*table.relations, *relations),
    )


def find_small_groups(
    relations: Iterable[Relation], secret: Collection[int], truth: Numbers, minimum: float
) -> tuple[tuple[int, ...], ...]:
    """Return the secret parts of each sum that are several and together below the minimum."""
    secret = frozenset(secret)
    groups = {tuple(sorted({*one.parts} & secret)) for one in relations}
    return tuple(
        sorted(one for one in groups if len(one) > 1 and 0 < truth[list(one)].sum() < minimum)
    )


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
