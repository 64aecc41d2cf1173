"""Numbers, the sums among them, and what a reader knows of each: what an attack works on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse.csgraph import connected_components

from wardbook.disclosure.table import Relation

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]

TINY = 1e-6
"""What counts as no difference between two numbers that are not whole, as a share of them."""
_SWEEPS = 30
"""How often bounds are passed along the relations before the solver takes over."""
_NODES = 2000
"""How long the solver may look for whole numbers; a count, so that results stay the same."""


@dataclass(frozen=True)
class Span:
    """For each number the least and the greatest that it can be, both finite."""

    least: Numbers
    greatest: Numbers

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Span:
        """Return the span that has these extremes."""
        columns = np.array(pairs, dtype=np.float64).reshape(-1, 2)
        return cls(columns[:, 0].copy(), columns[:, 1].copy())

    def copy(self) -> Span:
        """Return the same, to be narrowed."""
        return Span(self.least.copy(), self.greatest.copy())

    def and_then(self, pairs: Sequence[tuple[float, float]]) -> Span:
        """Return the same with further numbers at the end."""
        more = Span.of(pairs)
        return Span(
            np.concatenate([self.least, more.least]), np.concatenate([self.greatest, more.greatest])
        )


@dataclass(frozen=True)
class System:
    """Numbers, the sums among them, and what a reader knows of each.

    Args:
        shown: what is known of a number that is shown.
        hidden: what is known of it otherwise: from the policy, and because it is a number.
        whole: whether it counts persons.
        relations: positions among the numbers.
    """

    shown: Span
    hidden: Span
    whole: Flags
    relations: tuple[Relation, ...]

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return len(self.whole)

    @cached_property
    def sums(self) -> sparse.csr_array:
        """One row for each relation: parts minus total, which is zero."""
        rows = [n for n, one in enumerate(self.relations) for _ in range(len(one.parts) + 1)]
        columns = [at for one in self.relations for at in (*one.parts, one.total)]
        signs = [sign for one in self.relations for sign in (*([1.0] * len(one.parts)), -1.0)]
        shape = (len(self.relations), self.size)
        return sparse.csr_array((signs, (rows, columns)), shape=shape, dtype=np.float64)

    def known(self, hidden: Collection[int]) -> Span:
        """Return what is known of each number when those at `hidden` are not shown."""
        are = np.zeros(self.size, dtype=bool)
        are[list(hidden)] = True
        return Span(
            np.where(are, self.hidden.least, self.shown.least),
            np.where(are, self.hidden.greatest, self.shown.greatest),
        )


def pass_bounds(system: System, known: Span) -> Span:
    """Narrow what is known by looking at one relation at a time, until nothing more follows."""
    sums = system.sums.tocoo()
    rows, columns, signs = sums.coords[0], sums.coords[1], sums.data
    whole = system.whole[columns]
    least, greatest = known.least.copy(), known.greatest.copy()
    for _ in range(_SWEEPS):
        down = np.where(signs > 0, least[columns], -greatest[columns])
        up = np.where(signs > 0, greatest[columns], -least[columns])
        of_rest = np.bincount(rows, down, len(system.relations))[rows] - down
        to_rest = np.bincount(rows, up, len(system.relations))[rows] - up
        low, high = np.where(signs > 0, (-to_rest, -of_rest), (of_rest, to_rest))
        low = np.where(whole, np.ceil(low - TINY), low)
        high = np.where(whole, np.floor(high + TINY), high)
        narrower = (least.copy(), greatest.copy())
        np.maximum.at(narrower[0], columns, low)
        np.minimum.at(narrower[1], columns, high)
        gained = (narrower[0] - least).sum() + (greatest - narrower[1]).sum()
        least, greatest = narrower
        if gained < TINY:
            break
    return Span(least, greatest)


def snap(numbers: Numbers, whole: Flags) -> Numbers:
    """Return numbers of a solver with counts set right that are whole but for its tolerance."""
    near = np.round(numbers)
    return np.where(whole & (np.abs(near - numbers) < 1e-4), near, numbers)


@dataclass(frozen=True)
class Part:
    """Numbers that are not known exactly, and every relation that ties them.

    Args:
        columns: their positions in the system.
        sums, equal: the relations: `sums @ numbers == equal`.
        least, greatest, whole: what is known of each.
    """

    columns: Positions
    sums: sparse.csr_array
    equal: Numbers
    least: Numbers
    greatest: Numbers
    whole: Flags

    @classmethod
    def of(cls, system: System, known: Span, columns: Positions) -> Part:
        """Return the part with the free numbers at `columns`; all others on its relations are set.

        `columns` are all that are free, or whole components of them (see `find_components`).
        """
        chosen = system.sums[:, columns]
        rows = np.flatnonzero(np.diff(chosen.tocsr().indptr))
        rest = np.where(known.greatest > known.least, 0.0, known.least)
        return cls(
            columns,
            chosen[rows],
            -(system.sums[rows] @ rest),
            known.least[columns],
            known.greatest[columns],
            system.whole[columns],
        )

    @cached_property
    def _magnitudes(self) -> sparse.csr_array:
        return abs(self.sums)

    def solve(self, aims: Numbers, *, whole: bool) -> Numbers | None:
        """Return the world with the least sum of `aims` times its numbers; None if none was found.

        Args:
            aims: one for each number.
            whole: whether counts must come out whole, which takes longer.
        """
        if not len(aims):
            return aims
        answer = milp(
            aims,
            integrality=self.whole.astype(int) if whole else None,
            bounds=Bounds(self.least, self.greatest),
            constraints=LinearConstraint(self.sums, self.equal, self.equal),
            options={"node_limit": _NODES},
        )
        return snap(answer.x, self.whole) if answer.status == 0 else None

    def holds(self, numbers: Numbers) -> bool:
        """Tell whether numbers agree with all that is known, adding everything up."""
        slack = np.where(self.whole, 0.0, TINY * np.maximum(1.0, np.abs(numbers)))
        if (numbers < self.least - slack).any() or (numbers > self.greatest + slack).any():
            return False
        if (self.whole & (numbers != np.round(numbers))).any():
            return False
        allowed = self._magnitudes @ slack
        return bool((np.abs(self.sums @ numbers - self.equal) <= allowed).all())


def find_components(system: System, known: Span) -> NDArray[np.int64]:
    """Return for each number which component it is in: those tied by relations; -1 where it is set.

    A number that is known exactly ties nothing.
    """
    free = np.flatnonzero(known.greatest > known.least)
    sums = system.sums[:, free]
    ties = sparse.block_array([[None, sums], [sums.T, None]], format="csr")
    _, labels = connected_components(ties, directed=False)
    found = np.full(system.size, -1, dtype=np.int64)
    found[free] = labels[sums.shape[0] :]
    return found
