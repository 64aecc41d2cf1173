"""Draws from tables told by groups; a group that is not told is drawn as those most like it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wardbook.twin.marginals import Classes, Groups

Given = Sequence[NDArray[Any]]
"""What each row has in the columns by which a table is told."""
_T = TypeVar("_T")


def draw_codes(
    generator: np.random.Generator, groups: Groups, given: Given, size: int
) -> NDArray[Any]:
    """Draw a code for each row, by the frequencies of its group."""
    drawn = np.full(size, None, dtype=object)
    for of, rows in _split(given, size):
        codes, shares = _pool_codes(groups, of)
        if len(codes):
            drawn[rows] = codes[generator.choice(len(codes), size=len(rows), p=shares)]
    return drawn


def draw_distinct(
    generator: np.random.Generator, groups: Groups, given: Given, entities: NDArray[np.int64]
) -> NDArray[Any]:
    """Draw codes without putting them back, for the rows of one entity after another.

    An entity with more rows than there are codes gets the first one again in those.

    Args:
        generator: draws.
        groups: frequencies.
        given: constant in an entity.
        entities: which one each row is of, ascending.
    """
    size = len(entities)
    drawn = np.full(size, None, dtype=object)
    _, firsts, counts = np.unique(entities, return_index=True, return_counts=True)
    rank = np.arange(size) - np.repeat(firsts, counts)
    for of, chosen in _split([one[firsts] for one in given], len(firsts)):
        codes, shares = _pool_codes(groups, of)
        if not len(codes):
            continue
        # The greatest of logarithms plus Gumbel noise: drawing without putting back.
        for part in np.array_split(chosen, max(1, len(chosen) * len(codes) // 2_000_000)):
            noise = generator.gumbel(size=(len(part), len(codes))) + np.log(shares)
            order = np.argsort(-noise, axis=1)
            lengths = counts[part]
            rows = np.repeat(firsts[part], lengths) + _count_up(lengths)
            at = np.where(rank[rows] < len(codes), rank[rows], 0)
            drawn[rows] = codes[order[np.repeat(np.arange(len(part)), lengths), at]]
    return drawn


def draw_numbers(
    generator: np.random.Generator, classes: Sequence[Classes], given: Given, size: int
) -> NDArray[np.float64]:
    """Draw a number for each row, between the means of its group's classes of rank."""
    drawn = np.full(size, np.nan)
    told = [(one.of, one) for one in classes]
    for of, rows in _split(given, size):
        pool = _find_nearest(told, of)
        if not pool:
            continue
        weights = np.array([one.rows for one in pool], dtype=float)
        chosen = generator.choice(len(pool), size=len(rows), p=weights / weights.sum())
        for number, one in enumerate(pool):
            here = rows[chosen == number]
            middles = (np.arange(len(one.means)) + 0.5) / len(one.means)
            drawn[here] = np.interp(generator.random(len(here)), middles, one.means)
    return drawn


def _split(given: Given, size: int) -> Iterator[tuple[tuple[Any, ...], NDArray[np.int64]]]:
    """Yield each combination of what is given, and its rows."""
    every = np.arange(size)
    if not given:
        yield (), every
        return
    frame = pd.DataFrame({n: pd.Series(one, dtype=object) for n, one in enumerate(given)})
    frame = frame.where(frame.notna(), None)
    numbers = frame.groupby(list(frame.columns), dropna=False, sort=True).ngroup().to_numpy()
    order = np.argsort(numbers, kind="stable")
    if not size:
        return
    for rows in np.split(every[order], np.flatnonzero(np.diff(numbers[order])) + 1):
        first = frame.iloc[rows[0]]
        yield tuple(None if pd.isna(code) else code for code in first), rows


def _find_nearest(told: Sequence[tuple[tuple[Any, ...], _T]], of: tuple[Any, ...]) -> list[_T]:
    """Return what is told of a group, or of all those that have the most of it in common."""
    for length in range(len(of), -1, -1):
        found = [one for group, one in told if group[:length] == of[:length]]
        if found:
            return found
    return []


def _pool_codes(groups: Groups, of: tuple[Any, ...]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    counts: Counter[str | None] = Counter()
    for cells in _find_nearest(groups, of):
        counts.update(dict(cells))
    codes = np.empty(len(counts), dtype=object)
    codes[:] = list(counts)
    weights = np.array(list(counts.values()), dtype=float)
    return codes, weights / weights.sum() if len(counts) else weights


def _count_up(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return 0, 1, … for each length, one after the other."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
