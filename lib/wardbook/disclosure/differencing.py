"""Suppression beside what was released before: no table may tell on another.

All tables of the same persons are joined into one system and attacked together. What the new table
would reveal, in itself, in an earlier one or in what lies between them, is kept back by suppressing
more of the new one; where that does not help, the table is to be held.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from scipy import sparse

from wardbook.disclosure.attack import Recovered, Target, find_recovered
from wardbook.disclosure.codes import Hierarchy
from wardbook.disclosure.cover import Problem
from wardbook.disclosure.program import Program
from wardbook.disclosure.reader import Reader, add_figures, find_small_figures, holds_counts
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
        exposed = tuple(Recovered(at, 0.0, inf) for at in sorted(unsafe) or range(len(table.cells)))
        return Beside(replace(alone, exposed=exposed), joint.name_all(), joint.corrected)
    first = problem.hidden | {joint.own[at] for at in alone.suppressed}
    found = find_recovered(problem.system, first, problem.targets, [problem.truth])
    if not found:
        return Beside(alone, (), joint.corrected)
    because = joint.name_tied(problem.system, first, found)
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
        size: how many numbers there are.
        cap: the most that any can be.
        corrected: how many earlier figures the new table contradicts.
    """

    table: Table
    unsafe: frozenset[int]
    reader: Reader
    earlier: Sequence[Release]
    own: list[int]
    theirs: list[list[int]]
    size: int
    relations: tuple[Relation, ...]
    cap: float
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
        figures = (value for one in earlier for value in one.shown if value is not None)
        cap = reader.cap(max([0.0, *(cell.value for cell in table.cells), *figures]))
        return cls(table, frozenset(unsafe), reader, earlier, own, theirs, size, relations, cap)

    def pose(self) -> Problem | None:
        """Return the joint problem; None where the earlier releases contradict the table."""
        drift = [0.0] * len(self.earlier)
        for _ in range(_ADJUSTMENTS):
            before = self._know_before(drift)
            shown, hidden = self._know_after(before)
            truth = self._find_world(hidden)
            if truth is not None:
                return self._pose(truth, before, shown, hidden)
            drift = [a + b for a, b in zip(drift, self._find_drift(hidden), strict=True)]
        return None

    def _know_before(self, drift: Sequence[float]) -> Span:
        """Return what is known from the earlier releases; of two figures the later is right."""
        known = Span(np.zeros(self.size), np.full(self.size, self.cap))
        for release, places, more in zip(self.earlier, self.theirs, drift, strict=True):
            for at, (low, high) in zip(places, release.known, strict=True):
                greatest = self.cap if high is None else high + more
                _narrow(known, at, max(0.0, low - more), greatest)
        return known

    def _know_after(self, before: Span) -> tuple[Span, Span]:
        """Return the same with the new table, its cells shown and its cells hidden."""
        shown, hidden = before.copy(), before.copy()
        counts, self.corrected = holds_counts(self.table), 0
        for n, (at, cell) in enumerate(zip(self.own, self.table.cells, strict=True)):
            if counts:
                of_hidden = self.reader.of_hidden_count(
                    cell.count, self.cap, is_unsafe=n in self.unsafe
                )
                of_shown = self.reader.of_shown_count(cell.count)
            else:
                of_hidden, of_shown = (0.0, self.cap), (cell.value, cell.value)
            agrees = _narrow(shown, at, *of_shown)
            self.corrected += not agrees
            if agrees:
                _narrow(hidden, at, *of_hidden)
            else:
                hidden.least[at], hidden.greatest[at] = of_hidden
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
            if part.holds(found) and _adds_up(system, world):
                return world
        return None

    def _fix_own(self, span: Span) -> Span:
        fixed = span.copy()
        for at, cell in zip(self.own, self.table.cells, strict=True):
            fixed.least[at] = fixed.greatest[at] = cell.value
        return fixed

    def _find_drift(self, hidden: Span) -> list[float]:
        """Return how far each earlier release is from a world that has the new table, at least."""
        fixed, size = self._fix_own(hidden), self.size
        is_own = np.isin(np.arange(size), self.own)
        program, none, each = Program(), np.zeros(size), sparse.eye_array(size)
        low = np.where(is_own, fixed.least, 0.0)
        high = np.where(is_own, fixed.least, 2 * self.cap)
        room = np.where(is_own, 0.0, self.cap)
        program.add_columns("number", low, high)
        program.add_columns("over", none, room, np.ones(size))
        program.add_columns("under", none, room, np.ones(size))
        program.require({"number": self._system(fixed, fixed).sums}, 0.0, 0.0)
        program.require({"number": each, "over": -each}, -np.inf, fixed.greatest)
        program.require({"number": each, "under": each}, fixed.least, np.inf)
        found = program.solve(1)
        if found is None:
            return [self.cap] * len(self.earlier)
        off = np.ceil(found["over"] + found["under"] - TINY)
        return [float(off[places].max(initial=0.0)) for places in self.theirs]

    def _system(
        self, shown: Span, hidden: Span, relations: tuple[Relation, ...] | None = None
    ) -> System:
        relations = self.relations if relations is None else relations
        figures = len(relations) - len(self.relations)
        anything = [(0.0, self.cap)] * figures
        return System(
            shown.and_then(anything),
            hidden.and_then(anything),
            np.full(self.size + figures, holds_counts(self.table)),
            relations,
        )

    def _pose(self, truth: Numbers, before: Span, shown: Span, hidden: Span) -> Problem:
        counts, minimum = holds_counts(self.table), self.reader.minimum
        secret = {self.own[at] for at in self.unsafe}
        others = set(range(self.size)) - set(self.own)
        unknown = np.flatnonzero(hidden.greatest > hidden.least)
        untold = (secret | others) & set(map(int, unknown))
        told = find_small_figures(self.relations, untold, truth, minimum) if counts else ()
        relations, truth = add_figures(self.relations, truth, told)
        others |= set(range(self.size, len(truth)))
        targets = self._find_targets(truth, secret, others if counts else ())
        old = self._system(before, before, relations)
        gone = {one.position for one in find_recovered(old, range(old.size), targets)}
        can_hide = np.isin(np.arange(len(truth)), list(set(self.own) - secret)) & (truth > 0)
        return Problem(
            self._system(shown, hidden, relations),
            truth,
            np.where(can_hide, np.log1p(truth), 0.0),
            can_hide,
            tuple(one for one in targets if one.position not in gone),
            frozenset(secret | others),
        )

    def _find_targets(
        self, truth: Numbers, secret: Collection[int], untold: Collection[int]
    ) -> list[Target]:
        """Return what must stay unknown: what is unsafe here, and small figures shown nowhere."""
        reader = self.reader
        if not holds_counts(self.table):
            found = (Target(at, float(truth[at]) * reader.share) for at in sorted(secret))
            return [one for one in found if one.width > 0]
        width, least = reader.count_width, float(reader.minimum)
        mine = [Target(at, width) for at in sorted(secret)]
        return mine + [Target(at, width, least, zero_is_harmless=True) for at in sorted(untold)]

    def name_all(self) -> tuple[str, ...]:
        """Return the titles of all earlier releases."""
        return tuple(one.title for one in self.earlier)

    def name_tied(
        self, system: System, hidden: Collection[int], found: Sequence[Recovered]
    ) -> tuple[str, ...]:
        """Return the titles of the earlier releases that have to do with what was found."""
        components = find_components(system, system.known(hidden))
        at = [one.position for one in found]
        labels = set(components[at]) - {-1}
        near = {*at, *np.flatnonzero(np.isin(components, sorted(labels)))}
        ends = [{one.total, *one.parts} for one in system.relations]
        tied = frozenset().union(*(one for one in ends if not near.isdisjoint(one)))
        pairs = zip(self.earlier, self.theirs, strict=True)
        return tuple(one.title for one, places in pairs if not tied.isdisjoint(places))


def _adds_up(system: System, world: Numbers) -> bool:
    wrong = np.abs(system.sums @ world)
    return bool((wrong <= TINY * np.maximum(1.0, abs(system.sums) @ world)).all())


def _narrow(known: Span, at: int, low: float, high: float) -> bool:
    """Add to what is known of a number; what contradicts it takes its place, and tells False."""
    least, greatest = max(known.least[at], low), min(known.greatest[at], high)
    agrees = bool(least <= greatest)
    known.least[at], known.greatest[at] = (least, greatest) if agrees else (low, high)
    return agrees
