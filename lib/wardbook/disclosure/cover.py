"""Which further cells to suppress so that what must stay unknown does: the choice by a solver.

Both choices look for worlds beside the true one. In such a world some numbers differ from the
truth; those of them that would be shown must be suppressed, at the cost of their weight.
`add_cheapest` is one linear program for many targets, and quick (Kelly, Golden and Assad 1992 solve
one for each target); `choose_best` has a yes-or-no for each cell that may be suppressed, and is for
smaller tables or few candidates (after Fischetti and Salazar 2001, whose targets each have worlds
of their own; here they may share them).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from wardbook.disclosure.attack import Target
from wardbook.disclosure.program import Program
from wardbook.disclosure.system import Flags, Numbers, Positions, Span, System, snap

_NODES = 200
_GAP = 0.01
_SEEN = 1e-7
"""A move as small as this is none."""


@dataclass(frozen=True)
class Problem:
    """What is to be hidden, and what may be for its sake.

    Args:
        system: all numbers.
        truth: one world: each number as it is, or as it may be.
        weights: what a reader loses with each number, above 0 where it may be hidden.
        can_hide: which numbers may be suppressed.
        targets: what must stay unknown; their positions are hidden from the start.
        hidden: those, and whatever is not shown in any case.
    """

    system: System
    truth: Numbers
    weights: Numbers
    can_hide: Flags
    targets: tuple[Target, ...]
    hidden: frozenset[int]

    def payable(self, hidden: Collection[int]) -> Positions:
        """Return the numbers that may be hidden beside `hidden`."""
        open_to_choice = self.can_hide.copy()
        open_to_choice[list(hidden)] = False
        return np.flatnonzero(open_to_choice)


def add_cheapest(
    problem: Problem, hidden: Collection[int], targets: Sequence[Target], turn: int
) -> tuple[frozenset[int], Numbers]:
    """Return the numbers to hide beside `hidden`, and the world that this makes possible.

    As many targets as can move together each move by their width, up or down; `turn` decides the
    way of those that have room for both.
    """
    system, truth, weights = problem.system, problem.truth, problem.weights
    known, paying = system.known(hidden), problem.payable(hidden)
    moving = np.flatnonzero(known.greatest > known.least)
    at, widths = _read(targets)
    ways = _choose_ways(truth[at] - known.least[at], known.greatest[at] - truth[at], widths, turn)
    least, greatest = _moves(known, truth)
    lowest, highest = _moves(system.hidden, truth)
    prices = weights[paying] / widths.max()

    program, nothing = Program(), np.zeros(len(paying))
    program.add_columns("free", least[moving], greatest[moving])
    program.add_columns("raised", nothing, highest[paying], prices)
    program.add_columns("lowered", nothing, -lowest[paying], prices)
    reward = (weights.sum() + 1.0) / widths
    program.add_columns("done", np.zeros(len(at)), widths, -reward)
    sums = system.sums
    paid = sums[:, paying]
    program.require({"free": sums[:, moving], "raised": paid, "lowered": -paid}, 0.0, 0.0)
    follow = sparse.diags_array(-ways) @ _pick(moving, at)
    program.require({"free": follow, "done": sparse.eye_array(len(at))}, -np.inf, 0.0)
    found = program.solve(_NODES)
    if found is None:
        return frozenset(), truth
    world, moved = truth.copy(), found["raised"] - found["lowered"]
    world[moving] += found["free"]
    world[paying] += moved
    return _positions(paying[np.abs(moved) > _SEEN]), snap(world, system.whole)


def choose_best(
    problem: Problem,
    targets: Sequence[Target],
    worlds: int,
    candidates: Collection[int] | None = None,
) -> frozenset[int] | None:
    """Return the cheapest numbers to hide beside those hidden from the start.

    Args:
        problem: what is to be hidden.
        targets: those that are not safe yet.
        worlds: how many other worlds there are; each target differs by its width in one of them.
        candidates: what to choose from; None is all that may be hidden.

    Returns:
        None where no choice was found.
    """
    system, truth = problem.system, problem.truth
    known, paying = system.known(problem.hidden), problem.payable(problem.hidden)
    if candidates is not None:
        paying = np.intersect1d(paying, sorted(candidates)).astype(np.intp)
    moving = np.union1d(paying, np.flatnonzero(known.greatest > known.least)).astype(np.intp)
    at, widths = _read(targets)
    reach = float(widths.max())
    least, greatest = (np.clip(one, -reach, reach) for one in _moves(known, truth))
    lowest, highest = (np.clip(one, -reach, reach) for one in _moves(system.hidden, truth))
    low, high = least.copy(), greatest.copy()
    low[paying], high[paying] = lowest[paying], highest[paying]

    program = Program()
    no, yes = np.zeros(len(paying)), np.ones(len(paying))
    program.add_columns("hide", no, yes, problem.weights[paying], whole=True)
    pick, aim = _pick(moving, paying), _pick(moving, at)
    above = sparse.diags_array((greatest - highest)[paying])
    below = sparse.diags_array((least - lowest)[paying])
    step, each = sparse.diags_array(widths + reach), sparse.eye_array(len(at))
    no, yes = np.zeros(len(at)), np.ones(len(at))
    for n in range(worlds):
        move, up, down = f"move {n}", f"up {n}", f"down {n}"
        program.add_columns(move, low[moving], high[moving])
        program.add_columns(up, no, yes, whole=True)
        program.add_columns(down, no, yes, whole=True)
        program.require({move: system.sums[:, moving]}, 0.0, 0.0)
        program.require({"hide": above, move: pick}, -np.inf, greatest[paying])
        program.require({"hide": below, move: pick}, least[paying], np.inf)
        program.require({move: aim, up: -step}, -reach, np.inf)
        program.require({move: aim, down: step}, -np.inf, reach)
    ways = [f"{way} {n}" for way in ("up", "down") for n in range(worlds)]
    program.require(dict.fromkeys(ways, each), 1.0, np.inf)
    found = program.solve(_NODES, _GAP)
    return None if found is None else _positions(paying[found["hide"] > 0.5])


def _read(targets: Sequence[Target]) -> tuple[Positions, Numbers]:
    at = np.array([one.position for one in targets], dtype=np.intp)
    return at, np.array([one.width for one in targets])


def _moves(span: Span, truth: Numbers) -> tuple[Numbers, Numbers]:
    """Return how far each number can be below and above the truth."""
    return span.least - truth, span.greatest - truth


def _choose_ways(down: Numbers, up: Numbers, widths: Numbers, turn: int) -> Numbers:
    """Return 1 for each target that is to move up, -1 for down."""
    chance = np.random.default_rng(turn).choice((-1.0, 1.0), len(widths))
    return np.where(up < widths, -1.0, np.where(down < widths, 1.0, chance))


def _pick(among: Positions, wanted: Positions) -> sparse.csr_array:
    """Return the matrix that picks the numbers at `wanted` out of those at `among` (ascending)."""
    rows, columns = np.arange(len(wanted)), np.searchsorted(among, wanted)
    return sparse.csr_array(
        (np.ones(len(wanted)), (rows, columns)), shape=(len(wanted), len(among))
    )


def _positions(found: Positions) -> frozenset[int]:
    return frozenset(int(one) for one in found)
