"""Suppression: which cells of a table are not shown, so that no small group can be worked out.

The unsafe cells are given (primary); others follow (secondary). What is chosen is attacked at the
end in any case: a table of which the attack still recovers something is to be held as a whole. The
attacker is described in docs/suppression.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from wardbook.disclosure.attack import Recovered, Target, find_recovered, is_safe
from wardbook.disclosure.cover import Problem, add_cheapest, choose_best
from wardbook.disclosure.reader import Reader, pose
from wardbook.disclosure.system import Numbers
from wardbook.disclosure.table import Table

_TURNS = 12
"""How many further choices are made for what is not safe yet."""
_SMALL = 60
"""Up to so many numbers, the best choice among all cells is looked for."""
_MIDDLE = 1000
"""Up to so many, the best among the cells that quick choices bring up."""
_WORLDS = 2
"""How many worlds the targets of a small table share."""
_QUICK = 8
"""How many quick choices bring up candidates."""


@dataclass(frozen=True)
class Suppression:
    """What is not shown of a table.

    Args:
        suppressed: positions of all suppressed cells.
        primary: those of them that are unsafe themselves.
        lost: the share of the table's weight (the sum of log(1 + value)) that is not shown.
        exposed: what could be worked out all the same: the whole table is to be held.
    """

    suppressed: frozenset[int]
    primary: frozenset[int]
    lost: float
    exposed: tuple[Recovered, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether the table may be shown without the suppressed cells."""
        return not self.exposed


def suppress(table: Table, unsafe: Collection[int], reader: Reader) -> Suppression:
    """Choose the cells to suppress so that none of the unsafe ones can be worked out.

    Args:
        table: the cells; counts where every value is its cell's count, else values of at least 0.
        unsafe: positions of the cells that must not be known.
        reader: what is known of the policy.

    Raises:
        ValueError: a relation does not hold, or a value is below 0.
    """
    problem = pose(table, unsafe, reader)
    hidden, exposed = protect(problem)
    cells = frozenset(at for at in hidden if at < len(table.cells))
    return Suppression(cells, frozenset(unsafe), lost_share(table, cells), exposed)


def protect(problem: Problem) -> tuple[frozenset[int], tuple[Recovered, ...]]:
    """Return what to hide, and what of the targets can be worked out all the same."""
    worlds = [problem.truth]
    found = find_recovered(problem.system, problem.hidden, problem.targets, worlds)
    if not found:
        return problem.hidden, ()
    targets = _among(problem.targets, found)
    hidden = set(problem.hidden) | (_choose(problem, targets) or frozenset())
    for turn in range(_TURNS):
        found = find_recovered(problem.system, hidden, problem.targets, worlds)
        if not found:
            break
        added, world = add_cheapest(problem, hidden, _among(problem.targets, found), turn)
        hidden |= added
        worlds.append(world)
    if found:
        # To hide more never tells more: where all is hidden in vain, nothing helps.
        everything = hidden | {int(at) for at in problem.payable(hidden)}
        found = find_recovered(problem.system, everything, problem.targets, worlds)
        hidden = hidden if found else everything
    if not found and problem.system.size <= _MIDDLE:
        hidden = _show_again(problem, hidden, targets, worlds)
        found = find_recovered(problem.system, hidden, problem.targets, worlds)
    return frozenset(hidden), found


def _choose(problem: Problem, targets: Sequence[Target]) -> frozenset[int] | None:
    """Return the best choice that is found within reason; None leaves it to quick choices."""
    if problem.system.size <= _SMALL:
        return choose_best(problem, targets, min(_WORLDS, len(targets)))
    if problem.system.size > _MIDDLE:
        return None
    quick = (add_cheapest(problem, problem.hidden, targets, turn)[0] for turn in range(_QUICK))
    return choose_best(problem, targets, 1, frozenset().union(*quick))


def _show_again(
    problem: Problem, hidden: set[int], targets: Sequence[Target], worlds: list[Numbers]
) -> set[int]:
    """Return what must stay hidden when each cell is shown again that is not needed, dearest first.

    Only `targets` need looking at: the others are safe without any of these cells.
    """
    added = hidden - problem.hidden
    for one in sorted(added, key=lambda at: (-problem.weights[at], at)):
        if is_safe(problem.system, hidden - {one}, targets, worlds):
            hidden = hidden - {one}
    return hidden


def _among(targets: Sequence[Target], found: Collection[Recovered]) -> list[Target]:
    positions = {one.position for one in found}
    return [one for one in targets if one.position in positions]


def lost_share(table: Table, suppressed: Collection[int]) -> float:
    """Return the share of a table's weight that is not shown."""
    weights = np.log1p([max(0.0, cell.value) for cell in table.cells])
    return float(weights[list(suppressed)].sum() / weights.sum()) if weights.any() else 0.0
