"""From marginals to rows that nobody is behind. Nothing here ever sees the source."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wardbook.datasets import Column, Kind
from wardbook.twin.groups import draw_codes, draw_distinct, draw_numbers
from wardbook.twin.marginals import Marginals, Told
from wardbook.twin.roles import (
    After,
    Birth,
    Category,
    Identifier,
    Invented,
    Moment,
    Plan,
    Role,
)
from wardbook.twin.times import draw_moments, reach_of, skip_changes

ROWS = 100_000
"""About so many rows are drawn at once."""
_EARLIEST = np.datetime64("1900-01-01", "m")


def draw_twin(plan: Plan, marginals: Marginals, rows: int, seed: int) -> Iterator[pd.DataFrame]:
    """Yield the rows of a twin, in parts; the same arguments give the same rows.

    Persons are numbered from 1, so twins of the same house have persons in common: those who died
    are among those who stayed. There are at most as many as in the source, in proportion.

    Args:
        plan: of the kind.
        marginals: what is known.
        rows: at most so many.
        seed: of the drawing.
    """
    generator = np.random.default_rng(seed)
    most = math.ceil(marginals.persons * rows / marginals.rows)
    each = max(1, math.ceil(ROWS * marginals.persons / marginals.rows))
    numbers = _Numbers()
    drawn = done = 0
    while drawn < rows and done < most:
        count = min(each, most - done)
        part = _Part(plan, marginals, generator, numbers, done + 1, count).draw()[: rows - drawn]
        done, drawn = done + count, drawn + len(part)
        yield part


@dataclass
class _Numbers:
    """The last number of each identifier."""

    last: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, count: int) -> NDArray[np.int64]:
        first = self.last.get(name, 0) + 1
        self.last[name] = first + count - 1
        return np.arange(first, first + count)


class _Part:
    """The rows of some persons, column by column."""

    def __init__(
        self,
        plan: Plan,
        marginals: Marginals,
        generator: np.random.Generator,
        numbers: _Numbers,
        first: int,
        persons: int,
    ) -> None:
        self.plan = plan
        self.marginals = marginals
        self.generator = generator
        self.numbers = numbers
        self.values: dict[str, NDArray[Any]] = {}
        self.periods: dict[str, NDArray[Any]] = {}
        self.beyond: NDArray[np.bool_] | None = None
        self.entities = self._draw_levels(first, persons)
        self.size = len(next(iter(self.entities.values())))

    def draw(self) -> pd.DataFrame:
        """Return the rows, typed as the dataset's."""
        for name, role in self.plan.roles.items():
            if name not in self.values:
                self._draw_column(name, role)
        dataset = self.plan.dataset
        columns = {one.name: _typed(one, self.values[one.name]) for one in dataset.columns}
        frame = pd.DataFrame(columns)
        if self.beyond is not None:
            frame = frame[~self.beyond]
        if dataset.key != (self._own_identifier,):
            frame = frame.drop_duplicates(list(dataset.key))
        return frame.reset_index(drop=True)

    @property
    def _own_identifier(self) -> str:
        names = [n for n, role in self.plan.roles.items() if isinstance(role, Identifier)]
        return names[-1]

    def _draw_levels(self, first: int, persons: int) -> dict[str, NDArray[np.int64]]:
        """Return for each identifier which one of it each row has, counted from 0 in this part."""
        levels = self.plan.levels
        person = self.plan.person
        self.offsets = {person: first}
        entities = {person: np.arange(persons)}
        size = persons
        for level in levels:
            bins = self.marginals.levels[level]
            weights = np.array([n for _, _, n in bins], dtype=float)
            chosen = self.generator.choice(len(bins), size=size, p=weights / weights.sum())
            low, high = (np.array([one[at] for one in bins])[chosen] for at in (0, 1))
            below = self.generator.integers(low, high + 1)
            entities = {name: np.repeat(one, below) for name, one in entities.items()}
            size = int(below.sum())
            deeper = levels[levels.index(level) + 1 :]
            if deeper:
                entities[deeper[0]] = np.arange(size)
                self.offsets[deeper[0]] = int(self.numbers.take(deeper[0], size)[0])
        own = self._own_identifier
        if own not in entities:
            entities[own] = np.arange(size)
            self.offsets[own] = int(self.numbers.take(own, size)[0]) if size else 1
        return entities

    def _draw_column(self, name: str, role: Role) -> None:
        if isinstance(role, Identifier):
            numbers = self.entities[name] + self.offsets[name]
            self.values[name] = _write(role.form, numbers) if role.form else numbers + role.above
        elif isinstance(role, Invented):
            numbers = (
                self.entities[role.level] + self.offsets[role.level]
                if role.level
                else self.generator.integers(1, 41, self.size)
            )
            self.values[name] = _write(role.form, numbers)
        elif isinstance(role, Moment) and role.chain:
            self._draw_chain(name, role)
        else:
            rows, spread = self._rows_of(role.level)
            told = self.marginals.columns[name]
            drawn, periods = self._draw_values(name, role, told, rows)
            self.values[name] = drawn[spread]
            if periods is not None:
                self.periods[name] = periods[spread]

    def _rows_of(self, level: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return one row for each of a level, and to which of them each row belongs."""
        if not level:
            every = np.arange(self.size)
            return every, every
        _, first, spread = np.unique(self.entities[level], return_index=True, return_inverse=True)
        return first, spread

    def _draw_values(
        self, name: str, role: Role, told: Told, rows: NDArray[np.int64]
    ) -> tuple[NDArray[Any], NDArray[Any] | None]:
        column = self.plan.dataset.column(name)
        given = self._given(told.given, rows)
        if isinstance(role, Category):
            if role.distinct:
                entities = self.entities[self.plan.levels[-1]][rows]
                return draw_distinct(self.generator, told.groups, given, entities), None
            return draw_codes(self.generator, told.groups, given, len(rows)), None
        if isinstance(role, Moment):
            drawn, periods = draw_moments(self.generator, told, len(rows), self._made)
            if column.kind is Kind.DAY:
                drawn = drawn.astype("datetime64[D]").astype("datetime64[m]")
        else:
            numbers = draw_numbers(self.generator, told.classes, given, len(rows))
            drawn, periods = self._place_numbers(numbers, column, role, told, rows), None
        drawn[~self._is_present(role, told, rows)] = _nothing(drawn)
        return drawn, periods

    def _place_numbers(
        self,
        numbers: NDArray[np.float64],
        column: Column,
        role: Role,
        told: Told,
        rows: NDArray[np.int64],
    ) -> NDArray[Any]:
        if isinstance(role, After | Birth):
            other = self.values[role.start if isinstance(role, After) else role.on][rows]
            scale = 365.25 * 24 * 60 if isinstance(role, Birth) else 1
            minutes = np.round(numbers * scale)
            empty = np.isnan(minutes) | np.isnat(other)
            offset = np.where(empty, 0, minutes).astype("timedelta64[m]")
            if isinstance(role, Birth):
                placed = np.maximum(other - offset, _EARLIEST)
            else:
                placed = skip_changes(other + offset)
            if column.kind is Kind.DAY:
                placed = placed.astype("datetime64[D]").astype("datetime64[m]")
            placed[empty] = np.datetime64("NaT")
            return np.asarray(placed)
        rounded = np.round(numbers, told.decimals)
        low, high = (
            one if isinstance(one, int | float) else None for one in (column.low, column.high)
        )
        return np.asarray(rounded if low is None and high is None else np.clip(rounded, low, high))

    def _is_present(self, role: Role, told: Told, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        if isinstance(role, After) and role.beside:
            return ~pd.isna(self.values[role.beside][rows])
        if not told.present:
            return np.ones(len(rows), dtype=bool)
        given = self._given(getattr(role, "given", ()), rows)
        return np.asarray(draw_codes(self.generator, told.present, given, len(rows)) == "1")

    def _given(self, names: Sequence[str], rows: NDArray[np.int64]) -> list[NDArray[Any]]:
        return [{**self.values, **self.periods}[name][rows] for name in names]

    @property
    def _made(self) -> date:
        return date.fromisoformat(self.marginals.made)

    def _draw_chain(self, name: str, role: Moment) -> None:
        """Draw where each row of a chain begins and ends: one after the other, never before."""
        told, ending = self.marginals.columns[name], self.marginals.columns[role.end]
        end_role = self.plan.roles[role.end]
        first, spread = self._rows_of(role.chain)
        begun, _ = draw_moments(self.generator, told, len(first), self._made)
        every = np.arange(self.size)
        given = self._given(ending.given, every)
        lengths = draw_numbers(self.generator, ending.classes, given, self.size)
        gaps = draw_numbers(self.generator, told.gaps, [], self.size)
        steps = pd.Series(np.nan_to_num(np.round(lengths)) + np.nan_to_num(np.round(gaps)))
        before = steps.groupby(spread).cumsum() - steps
        starts = skip_changes(begun[spread] + before.to_numpy().astype("timedelta64[m]"))
        empty = np.isnan(lengths)
        ends = skip_changes(starts + np.nan_to_num(np.round(lengths)).astype("timedelta64[m]"))
        reach = reach_of(told, self._made)
        if isinstance(end_role, After) and end_role.lasting:
            empty |= ends > reach
        ends[empty] = np.datetime64("NaT")
        self.values[name], self.values[role.end] = starts, ends
        self.beyond = starts > reach


def _nothing(values: NDArray[Any]) -> Any:
    return np.datetime64("NaT") if values.dtype.kind == "M" else np.nan


def _write(form: str, numbers: NDArray[np.int64]) -> NDArray[Any]:
    """Return numbers in their form; each is written once."""
    unique, at = np.unique(numbers, return_inverse=True)
    texts = np.array([form.format(int(number)) for number in unique], dtype=object)
    return texts[at]


def _typed(column: Column, values: NDArray[Any]) -> Any:
    """Return a column's values in its dtype."""
    match column.kind:
        case Kind.TEXT:
            return pd.Series(values, dtype="str")
        case Kind.FLAG:
            return pd.Series(values == "1")
        case Kind.INTEGER:
            numbers = pd.to_numeric(pd.Series(values))
            return numbers.round().astype("Int64" if column.optional else "int64")
        case Kind.NUMBER:
            return pd.Series(values, dtype="float64")
        case _:
            return pd.Series(values.astype("datetime64[us]"))
