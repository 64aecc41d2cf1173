"""What a reader can recover of the cells that were suppressed.

A reader knows the shown cells (exactly, or to the width of a rounding), every sum among the cells,
and the policy: that a small count is suppressed and how small, that no count is negative or broken.
Each table that agrees with all of it is a *world*. A suppressed cell is safe when there are two
worlds in which it differs enough, and recovered when there are none.

The verdict "safe" never rests on a solver's tolerance: counts are whole numbers in both worlds, and
all sums are added up again. Where no such worlds are found, the cell counts as recovered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wardbook.disclosure.system import (
    TINY,
    Numbers,
    Part,
    Span,
    System,
    find_components,
    pass_bounds,
)

_TRIES = 4
"""After so many directions that prove nothing more, each cell is looked at alone."""


@dataclass(frozen=True)
class Target:
    """A number that must stay unknown: at least `width` between its extremes.

    What can only be `harmless` or more may be known all the same, and where `zero_is_harmless` so
    may what can only be zero.
    """

    position: int
    width: float
    harmless: float = np.inf
    zero_is_harmless: bool = False


@dataclass(frozen=True)
class Recovered:
    """A number that a reader can work out, and how closely."""

    position: int
    least: float
    greatest: float

    @property
    def is_exact(self) -> bool:
        """Whether only one value is left."""
        return self.greatest - self.least <= TINY * max(1.0, abs(self.greatest))


def find_recovered(
    system: System,
    hidden: Collection[int],
    targets: Iterable[Target],
    worlds: list[Numbers] | None = None,
) -> tuple[Recovered, ...]:
    """Attack: return the targets that a reader can work out, in the order of their positions.

    Args:
        system: all numbers.
        hidden: positions that are not shown.
        targets: what must stay unknown.
        worlds: tables that may agree with all that is known, where some are at hand: they spare
            work. Those that are found are added.
    """
    search = _Search.begin(system, hidden, targets)
    search.settle_together([] if worlds is None else worlds)
    while search.open:
        search.settle_next()
    return tuple(sorted(search.recovered, key=lambda one: one.position))


def is_safe(
    system: System,
    hidden: Collection[int],
    targets: Iterable[Target],
    worlds: list[Numbers] | None = None,
) -> bool:
    """Tell whether an attack recovers none of the targets; it stops at the first."""
    search = _Search.begin(system, hidden, targets)
    if not search.recovered:
        search.settle_together([] if worlds is None else worlds)
    while search.open and not search.recovered:
        search.settle_next()
    return not search.recovered


@dataclass
class _Search:
    """One attack under way: what is known, what is open, and the extremes seen so far."""

    system: System
    known: Span
    open: list[Target]
    recovered: list[Recovered] = field(default_factory=list)
    parts: dict[int, Part] = field(default_factory=dict)

    @classmethod
    def begin(cls, system: System, hidden: Collection[int], targets: Iterable[Target]) -> _Search:
        """Begin an attack with what single relations tell."""
        known = pass_bounds(system, system.known(hidden))
        search = cls(system, known, sorted(targets, key=lambda one: one.position))
        search.settle_by_bounds(list(search.open))
        return search

    def __post_init__(self) -> None:
        self.lowest = np.full(self.system.size, np.inf)
        self.highest = np.full(self.system.size, -np.inf)
        fixed = self.known.greatest <= self.known.least
        self.lowest[fixed] = self.highest[fixed] = self.known.least[fixed]

    def settle_by_bounds(self, targets: Iterable[Target]) -> None:
        """Settle the targets of which enough is known by their bounds alone."""
        for one in targets:
            least, greatest = self.known.least[one.position], self.known.greatest[one.position]
            if least >= one.harmless or (one.zero_is_harmless and greatest <= TINY):
                self.open.remove(one)
            elif greatest - least < one.width - TINY * max(1.0, greatest):
                self.open.remove(one)
                self.recovered.append(Recovered(one.position, float(least), float(greatest)))

    def settle_together(self, worlds: list[Numbers]) -> None:
        """Look for worlds in which many open targets lie far apart at once."""
        if not self.open:
            return
        part = Part.of(self.system, self.known, np.flatnonzero(np.isinf(self.lowest)))
        for world in worlds:
            self._take(part, world[part.columns])
        chance, tries = np.random.default_rng(0), 0
        while self.open and tries < _TRIES:
            before = len(self.open)
            aims = np.zeros(self.system.size)
            aims[[one.position for one in self.open]] = chance.choice((-1.0, 1.0), before)
            for way in (aims, -aims):
                found = part.solve(way[part.columns], whole=False)
                if found is None:
                    return
                if self._take(part, found):
                    world = self.known.least.copy()
                    world[part.columns] = found
                    worlds.append(world)
            tries = tries + 1 if len(self.open) == before else 0

    def _take(self, part: Part, numbers: Numbers) -> bool:
        """Add a world and tell so, if it is one; targets that differ enough by now are settled."""
        if not part.holds(numbers):
            return False
        at = part.columns
        self.lowest[at] = np.minimum(self.lowest[at], numbers)
        self.highest[at] = np.maximum(self.highest[at], numbers)
        spread = self.highest - self.lowest
        self.open = [one for one in self.open if not spread[one.position] >= one.width - TINY]
        return True

    @cached_property
    def components(self) -> NDArray[np.int64]:
        """Which component each number is in."""
        return find_components(self.system, self.known)

    def settle_next(self) -> None:
        """Find the extremes of the first target that is still open."""
        one = self.open[0]
        label = int(self.components[one.position])
        if label not in self.parts:
            columns = np.flatnonzero(self.components == label)
            self.parts[label] = Part.of(self.system, self.known, columns)
        self._settle(self.parts[label], one)

    def _settle(self, part: Part, one: Target) -> None:
        least, greatest = self.known.least, self.known.greatest
        for whole in (False, True):
            low = self._find_extreme(part, one, 1.0, whole=whole)
            high = self._find_extreme(part, one, -1.0, whole=whole)
            if one not in self.open:
                return
            if low is None or high is None:
                break
            least[one.position] = max(low, least[one.position])
            greatest[one.position] = min(high, greatest[one.position])
            self.settle_by_bounds([one])
            if one not in self.open:
                return
        # Neither safe nor not, as far as the solver went: it counts as worked out.
        self.open.remove(one)
        known = float(least[one.position]), float(greatest[one.position])
        self.recovered.append(Recovered(one.position, *known))

    def _find_extreme(self, part: Part, one: Target, way: float, *, whole: bool) -> float | None:
        aims = np.where(part.columns == one.position, way, 0.0)
        numbers = part.solve(aims, whole=whole)
        if numbers is None:
            return None
        self._take(part, numbers)
        at = float(numbers[part.columns == one.position][0])
        if not self.system.whole[one.position]:
            return at
        return float(np.ceil(at - TINY) if way > 0 else np.floor(at + TINY))
