"""An attack on released tables that shares nothing with the one of the platform.

It works on the atoms of a population: each shown cell says what some of them add up to, each
suppressed one between what it lies. Two linear programs tell the extremes of each suppressed cell.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from scipy.optimize import linprog

from tests.disclosure_tables import TableSet, find_differences, find_unsafe


def recover(
    one: TableSet,
    suppressed: Sequence[Collection[int] | None],
    *,
    useless: Sequence[Collection[int]] | None = None,
) -> set[tuple[int, int]]:
    """Return the small cells (table, cell) whose count a reader can tell exactly.

    Also the small differences between shown cells of two tables: as (table, cell) of the greater.

    Args:
        one: the tables.
        suppressed: of each table the cells that are not shown; None where it is held.
        useless: of each table the cells that are shown with a value that says nothing.
    """
    rows, lows, highs = [], [], []
    wanted = []
    for t, (drawn, hidden) in enumerate(zip(one.tables, suppressed, strict=True)):
        if hidden is None:
            continue
        unsafe = find_unsafe(drawn.table, one.reader)
        for n, cell in enumerate(drawn.table.cells):
            if useless is not None and n in useless[t]:
                continue
            low, high = _know(one, cell.count, n in hidden, n in unsafe)
            rows.append(drawn.made_of[n])
            lows.append(low)
            highs.append(high)
            if n in hidden and n in unsafe:
                wanted.append((t, n))
    found = {at for at in wanted if _is_told(rows, lows, highs, one.tables[at[0]].made_of[at[1]])}
    untold = useless or [()] * len(suppressed)
    known = [None if h is None else {*h, *u} for h, u in zip(suppressed, untold, strict=True)]
    return found | _find_told_differences(one, known)


def _know(one: TableSet, count: float, hidden: bool, small: bool) -> tuple[float, float]:
    least, base = one.reader.minimum, one.reader.base
    if hidden:
        floor = min(1.0, count)  # a plain rule may hide zeros
        return (floor, least - 1.0) if small or not count else (float(least), np.inf)
    if not base or count == 0:
        return count, count
    middle = round(count / base) * base
    return min(count, max(least, middle - base // 2)), max(count, middle + base // 2)


def _is_told(
    rows: Sequence[np.ndarray], lows: Sequence[float], highs: Sequence[float], aim: np.ndarray
) -> bool:
    matrix, low, high = np.array(rows, dtype=float), np.array(lows), np.array(highs)
    exact = low == high
    bounded = ~exact & np.isfinite(high)
    below = np.concatenate([matrix[bounded], -matrix[~exact]])
    limit = np.concatenate([high[bounded], -low[~exact]])
    ends = []
    for sign in (1.0, -1.0):
        answer = linprog(
            sign * aim.astype(float),
            A_ub=below if len(below) else None,
            b_ub=limit if len(below) else None,
            A_eq=matrix[exact] if exact.any() else None,
            b_eq=low[exact] if exact.any() else None,
            bounds=(0, None),
            method="highs",
        )
        if answer.status == 3:
            return False  # without bound
        assert answer.status == 0, answer.message
        ends.append(sign * answer.fun)
    return bool(np.ceil(ends[0] - 1e-6) >= np.floor(ends[1] + 1e-6))


def _find_told_differences(
    one: TableSet, suppressed: Sequence[Collection[int] | None]
) -> set[tuple[int, int]]:
    found = set()
    for (a, n), (b, m), size in find_differences(one):
        hidden = (suppressed[a], suppressed[b])
        if hidden[0] is None or hidden[1] is None or n in hidden[0] or m in hidden[1]:
            continue
        if 0 < size < one.reader.minimum and not one.reader.base:
            found.add((a, n))
    return found
