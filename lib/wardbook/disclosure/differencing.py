"""Suppression beside what was released before: no table may tell on another.

All tables of the same persons are joined into one system and attacked together. What the new table
would reveal, in itself, in an earlier one or in what lies between them, is kept back by suppressing
more of the new one; where that does not help, the table is to be held.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from wardbook.disclosure.attack import Recovered, Target, find_recovered
from wardbook.disclosure.codes import Hierarchy
from wardbook.disclosure.cover import Problem
from wardbook.disclosure.program import Program
from wardbook.disclosure.reader import Reader, find_small_groups, holds_counts
from wardbook.disclosure.regions import Layout, join
from wardbook.disclosure.register import Release, Scope
from wardbook.disclosure.suppress import Suppression, lost_share, protect, suppress
from wardbook.disclosure.system import (
    TINY,
    Numbers,
    Part,
    Span,
    System,
    find_components,
)
from wardbook.disclosure.table import Relation, Table

_ADJUSTMENTS = 3
"""How often earlier releases are given more room before they count as contradicting the table."""


@dataclass(frozen=True)
class Beside:
    """What is not shown of a table because of itself and of what was released before.

    Args:
        suppression: what is suppressed; not safe where the table is to be held.
        because_of: titles of the earlier releases that make more of it necessary, or that let it
            be held.
        corrected: how many earlier figures the table shows otherwise.
    """

    suppression: Suppression
    because_of: tuple[str, ...] = ()
    corrected: int = 0


def suppress_beside(
    table: Table,
    unsafe: Collection[int],
    reader: Reader,
    scope: Scope,
    earlier: Sequence[Release],
    hierarchies: Mapping[str, Hierarchy] | None = None,
) -> Beside:
    """Choose the cells to suppress so that neither the table nor earlier ones tell what they hide.

    Args:
        table: the new table.
        unsafe: positions of its cells that must not be known.
        reader: what is known of the policy.
        scope: what the table is about.
        earlier: the releases that meet it, oldest first (`register.find_neighbours`).
        hierarchies: by dimension, which codes make up which, as far as the tables' own sums do not
            tell.

    Raises:
        ValueError: a relation of the table does not hold, or a value is below 0.
    """
    alone = suppress(table, unsafe, reader)
    if not earlier or not alone.is_safe:
        return Beside(alone)
    joint = _Joint.of(table, unsafe, reader, scope, earlier, hierarchies or {})
    problem = joint.pose()
    if problem is None:
        return Beside(
            replace(alone, exposed=joint.as_exposed(unsafe)), joint.titles(), joint.corrected
        )
    first = problem.hidden | {joint.own[at] for at in alone.suppressed}
    found = find_recovered(problem.system, first, problem.targets, [problem.truth])
    if not found:
        return Beside(alone, (), joint.corrected)
    because = joint.titles(problem.system, first, found)
    hidden, exposed = protect(problem)
    cells = frozenset(at for at, place in enumerate(joint.own) if place in hidden)
    lost = lost_share(table, cells)
    return Beside(Suppression(cells, frozenset(unsafe), lost, exposed), because, joint.corrected)


@dataclass
class _Joint:
    """A new table and the earlier ones in one system.

    Args:
        own: where the cells of the new table are among the numbers.
        theirs: the same for each earlier release.
        size: how many numbers there are, small groups of the new table included at the end.
    """

    table: Table
    unsafe: frozenset[int]
    reader: Reader
    earlier: Sequence[Release]
    own: list[int]
    theirs: list[list[int]]
    size: int
    groups: int
    relations: tuple[Relation, ...]
    corrected: int = 0

    @classmethod
    def of(
        cls,
        table: Table,
        unsafe: Collection[int],
        reader: Reader,
        scope: Scope,
        earlier: Sequence[Release],
        hierarchies: Mapping[str, Hierarchy],
    ) -> _Joint:
        """Join the tables."""
        sums = tuple((one.total, *one.parts) for one in table.relations)
        new = Layout(scope, table.dimensions, tuple(cell.place for cell in table.cells), sums)
        old = (Layout(one.scope, one.dimensions, one.places, one.sums) for one in earlier)
        (own, *theirs), size, relations = join([new, *old], hierarchies)
        groups = find_small_groups(table, unsafe, reader) if holds_counts(table) else []
        of_groups = tuple(
            Relation(size + n, tuple(sorted({own[at] for at in group})))
            for n, group in enumerate(groups)
        )
        return cls(
            table,
            frozenset(unsafe),
            reader,
            earlier,
            own,
            theirs,
            size + len(groups),
            len(groups),
            (*relations, *of_groups),
        )

    def pose(self) -> Problem | None:
        """Return the joint problem; None where the earlier releases contradict the table."""
        values = [cell.value for cell in self.table.cells]
        figures = (value for one in self.earlier for value in one.shown if value is not None)
        cap = self.reader.cap(max([0.0, *values, *figures]))
        drift = [0.0] * len(self.earlier)
        for _ in range(_ADJUSTMENTS):
            before = self._know_before(cap, drift)
            shown, hidden = self._know_after(before, cap)
            truth = self._find_world(hidden)
            if truth is not None:
                return self._pose(truth, before, shown, hidden)
            drift = [a + b for a, b in zip(drift, self._find_drift(hidden, cap), strict=True)]
        return None

    def _know_before(self, cap: float, drift: Sequence[float]) -> Span:
        """Return what is known from the earlier releases; the later one is right."""
        known = Span(np.zeros(self.size), np.full(self.size, cap))
        for release, places, more in zip(self.earlier, self.theirs, drift, strict=True):
            reader = replace(self.reader, minimum=release.minimum, base=release.base)
            for at, value in zip(places, release.shown, strict=True):
                if value is None:
                    _narrow(known, at, self.reader.floor if self._counts else 0.0, cap)
                else:
                    low, high = reader.of_shown(value) if self._counts else (value, value)
                    _narrow(known, at, max(0.0, low - more), high + more)
        return known

    @property
    def _counts(self) -> bool:
        return holds_counts(self.table)

    def _know_after(self, before: Span, cap: float) -> tuple[Span, Span]:
        """Return the same with the new table, its cells shown and its cells hidden."""
        shown = Span(before.least.copy(), before.greatest.copy())
        hidden = Span(before.least.copy(), before.greatest.copy())
        self.corrected = 0
        for n, (at, cell) in enumerate(zip(self.own, self.table.cells, strict=True)):
            value = cell.value
            if self._counts:
                _narrow(
                    hidden, at, *self.reader.of_hidden_count(value, cap, is_unsafe=n in self.unsafe)
                )
                self.corrected += not _narrow(shown, at, *self.reader.of_shown_count(value))
            else:
                self.corrected += not _narrow(shown, at, value, value)
                if not before.least[at] <= value <= before.greatest[at]:
                    hidden.least[at], hidden.greatest[at] = 0.0, cap
        return shown, hidden

    def _find_world(self, hidden: Span) -> Numbers | None:
        """Return numbers that agree with everything and have the new table as it is."""
        fixed = self._fix_own(hidden)
        system = self._system(fixed, fixed)
        part = Part.of(system, fixed, np.flatnonzero(fixed.greatest > fixed.least))
        for whole in (False, True):
            found = part.solve(np.zeros(len(part.columns)), whole=whole)
            if found is None:
                return None
            world = fixed.least.copy()
            world[part.columns] = found
            if part.holds(found) and self._agrees(system, world):
                return world
        return None

    def _agrees(self, system: System, world: Numbers) -> bool:
        wrong = np.abs(system.sums @ world)
        return bool((wrong <= TINY * np.maximum(1.0, abs(system.sums) @ world)).all())

    def _fix_own(self, span: Span) -> Span:
        fixed = Span(span.least.copy(), span.greatest.copy())
        for at, cell in zip(self.own, self.table.cells, strict=True):
            fixed.least[at] = fixed.greatest[at] = cell.value
        return fixed

    def _find_drift(self, hidden: Span, cap: float) -> list[float]:
        """Return how far each earlier release is from a world that has the new table, at least."""
        fixed, size = self._fix_own(hidden), self.size
        mine = np.zeros(size, dtype=bool)
        mine[self.own] = True
        program, none, one = Program(), np.zeros(size), sparse.eye_array(size)
        room = np.where(mine, 0.0, cap)
        program.add_columns(
            "number", np.where(mine, fixed.least, 0.0), np.where(mine, fixed.least, 2 * cap)
        )
        program.add_columns("over", none, room, np.ones(size))
        program.add_columns("under", none, room, np.ones(size))
        system = self._system(fixed, fixed)
        program.require({"number": system.sums}, 0.0, 0.0)
        program.require({"number": one, "over": -one}, -np.inf, fixed.greatest)
        program.require({"number": one, "under": one}, fixed.least, np.inf)
        found = program.solve(1)
        if found is None:
            return [cap] * len(self.earlier)
        off = np.ceil(found["over"] + found["under"] - TINY)
        return [float(off[places].max(initial=0.0)) for places in self.theirs]

    def _system(self, shown: Span, hidden: Span) -> System:
        return System(shown, hidden, np.full(self.size, self._counts), self.relations)

    def _pose(self, truth: Numbers, before: Span, shown: Span, hidden: Span) -> Problem:
        system = self._system(shown, hidden)
        secret = {self.own[at] for at in self.unsafe} | set(
            range(self.size - self.groups, self.size)
        )
        mine = set(self.own)
        others = frozenset(range(self.size)) - mine
        everything = range(self.size)
        targets = list(self._find_targets(truth, secret, others))
        known = find_recovered(self._system(before, before), everything, targets)
        gone = {one.position for one in known}
        can_hide = np.zeros(self.size, dtype=bool)
        can_hide[self.own] = truth[self.own] > 0
        can_hide[list(secret)] = False
        weights = np.where(can_hide, np.log1p(truth), 0.0)
        return Problem(
            system,
            truth,
            weights,
            can_hide,
            tuple(one for one in targets if one.position not in gone),
            frozenset(secret) | others,
        )

    def _find_targets(
        self, truth: Numbers, secret: Collection[int], others: Collection[int]
    ) -> list[Target]:
        """Return what must stay unknown: what is unsafe here, and whatever is shown nowhere."""
        reader = self.reader
        if not self._counts:
            found = [Target(at, float(truth[at]) * reader.share) for at in sorted(secret)]
            return [one for one in found if one.width > 0]
        width = reader.count_width
        open_ones = sorted(set(others) - set(secret))
        return [Target(at, width) for at in sorted(secret)] + [
            Target(at, width, harmless=reader.minimum, zero_is_harmless=True) for at in open_ones
        ]

    def as_exposed(self, unsafe: Collection[int]) -> tuple[Recovered, ...]:
        """Return the unsafe cells as recovered: nothing could be proven of them."""
        return tuple(Recovered(self.own[at], 0.0, 0.0) for at in sorted(unsafe))

    def titles(
        self,
        system: System | None = None,
        hidden: Collection[int] = (),
        found: Sequence[Recovered] = (),
    ) -> tuple[str, ...]:
        """Return the titles of the earlier releases that have to do with what was found; or all."""
        if system is None:
            return tuple(one.title for one in self.earlier)
        components = find_components(system, system.known(hidden))
        labels = {int(components[one.position]) for one in found} - {-1}
        positions = {one.position for one in found} | set(
            np.flatnonzero(np.isin(components, list(labels)))
        )
        tied = {
            at
            for one in system.relations
            if not positions.isdisjoint(ends := {one.total, *one.parts})
            for at in ends
        }
        pairs = zip(self.earlier, self.theirs, strict=True)
        return tuple(one.title for one, places in pairs if not tied.isdisjoint(places))


def _narrow(known: Span, at: int, low: float, high: float) -> bool:
    """Add to what is known of a number; what contradicts it takes its place, and tells False."""
    least, greatest = max(known.least[at], low), min(known.greatest[at], high)
    agrees = bool(least <= greatest + TINY)
    known.least[at], known.greatest[at] = (least, max(least, greatest)) if agrees else (low, high)
    return agrees
