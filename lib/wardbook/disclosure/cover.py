"""Which further cells to suppress so that what must stay unknown does: the choice by a solver.

Both choices look for worlds beside the true one. In such a world some numbers differ from the
truth; those of them that would be shown must be suppressed, at the cost of their weight.
`add_cheapest` does so for many targets in one linear program and is quick (Kelly, Golden and Assad
1992 do so for one target at a time); `choose_best` finds the cheapest choice of all, in a program
with one yes-or-no for each cell (Fischetti and Salazar 2001), and is for small tables.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from wardbook.disclosure.attack import Target
from wardbook.disclosure.system import Flags, Numbers, System

_NODES = 200
"""How far the search for the best choice goes; a count, so that results stay the same."""


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


def add_cheapest(
    problem: Problem, hidden: Collection[int], targets: Sequence[Target], turn: int
) -> tuple[frozenset[int], Numbers]:
    """Return the numbers to hide beside `hidden`, and the world that this makes possible.

    As many targets as can move together each move by their width, up or down; `turn` decides the
    way of those that have room for both.
    """
    system, truth = problem.system, problem.truth
    known = system.known(hidden)
    moving = np.flatnonzero(known.greatest > known.least)
    paying = np.flatnonzero(problem.can_hide & ~_flags(hidden, system.size))
    up = problem.system.hidden.greatest[paying] - truth[paying]
    down = truth[paying] - problem.system.hidden.least[paying]
    at = np.array([one.position for one in targets])
    widths = np.array([one.width for one in targets])
    ways = _choose_ways(truth[at] - known.least[at], known.greatest[at] - truth[at], widths, turn)

    sums = system.sums
    balance = sparse.hstack(
        [sums[:, moving], sums[:, paying], -sums[:, paying], sparse.csr_array((sums.shape[0], len(at)))]
    )
    column = {int(position): n for n, position in enumerate(moving)}
    follow = sparse.hstack(
        [
            sparse.csr_array(
                (-ways, (np.arange(len(at)), [column[int(one)] for one in at])),
                shape=(len(at), len(moving)),
            ),
            sparse.csr_array((len(at), 2 * len(paying))),
            sparse.eye_array(len(at)),
        ]
    )
    prices = problem.weights[paying] / widths.max()
    reward = (problem.weights.sum() + 1.0) / widths
    answer = milp(
        np.concatenate([np.zeros(len(moving)), prices, prices, -reward]),
        bounds=Bounds(
            np.concatenate([known.least[moving] - truth[moving], np.zeros(2 * len(paying) + len(at))]),
            np.concatenate([known.greatest[moving] - truth[moving], up, down, widths]),
        ),
        constraints=[
            LinearConstraint(balance, 0.0, 0.0),
            LinearConstraint(follow, -np.inf, 0.0),
        ],
    )
    world = truth.copy()
    if answer.x is None:
        return frozenset(), world
    moved, raised, lowered, _ = np.split(
        answer.x, np.cumsum([len(moving), len(paying), len(paying)])
    )
    world[moving] += moved
    world[paying] += raised - lowered
    changed = paying[np.abs(raised - lowered) > 1e-7]
    world = np.where(system.whole & (np.abs(world - np.round(world)) < 1e-4), np.round(world), world)
    return frozenset(int(one) for one in changed), world


def _choose_ways(down: Numbers, up: Numbers, widths: Numbers, turn: int) -> Numbers:
    chance = np.random.default_rng(turn).choice((-1.0, 1.0), len(widths))
    return np.where(up < widths, -1.0, np.where(down < widths, 1.0, chance))


def _flags(positions: Collection[int], size: int) -> Flags:
    flags = np.zeros(size, dtype=bool)
    flags[list(positions)] = True
    return flags
