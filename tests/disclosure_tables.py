"""Sets of tables for the disclosure rules, drawn from small made-up populations.

A population is how many persons there are in each of its atoms (ward × age × sex × month). Every
cell of every table is the sum of some atoms, so that what is true, and what a reader could know, is
known here without the code under test.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from wardbook.disclosure.reader import Reader
from wardbook.disclosure.register import Scope
from wardbook.disclosure.table import TOTAL, Cell, Relation, Table

Kind = str
KINDS: tuple[Kind, ...] = ("primary", "marginal", "hierarchical", "releases")
TIME_AXIS = "month"
AGES = ("0-19", "20-39", "40-59", "60-79", "80+")
MONTHS = ("2026-01", "2026-02", "2026-03")
DAYS = {
    "2026-01": (date(2026, 1, 1), date(2026, 1, 31)),
    "2026-02": (date(2026, 2, 1), date(2026, 2, 28)),
    "2026-03": (date(2026, 3, 1), date(2026, 3, 31)),
    "2026-Q1": (date(2026, 1, 1), date(2026, 3, 31)),
}


@dataclass(frozen=True)
class Drawn:
    """A table, what it is about, and for each cell which atoms it sums (a row of booleans)."""

    table: Table
    scope: Scope
    made_of: NDArray[np.bool_]


@dataclass(frozen=True)
class TableSet:
    """Tables in the order in which they are released, and the policy that they are under."""

    name: str
    kind: Kind
    atoms: NDArray[np.int64]
    tables: tuple[Drawn, ...]
    reader: Reader
    hierarchies: Mapping[str, Mapping[str, tuple[str, ...]]]


def draw_set(kind: Kind, seed: int, *, safe: bool) -> TableSet:
    """Draw one set: a safe one has no atom between 1 and the minimum; an unsafe one has some."""
    for attempt in itertools.count():
        chance = np.random.default_rng((seed, KINDS.index(kind), safe, attempt))
        found = _draw(kind, seed, chance, safe=safe)
        if safe or has_secret(found):
            return found
    raise AssertionError


def draw_large(height: int, width: int, mean: float) -> Table:
    """Draw a table of so many rows and columns, with its margins."""
    chance = np.random.default_rng(int(mean))
    wards, ages = [f"W{n}" for n in range(height)], [str(n) for n in range(width)]
    atoms = chance.negative_binomial(1.2, 1.2 / (1.2 + mean), (height, width, 1, 1))
    axes = {"ward": tuple(wards), "age": tuple(ages), "sex": ("*",), TIME_AXIS: MONTHS[:1]}
    return _Draft(axes, atoms, {}).table(("ward", "age")).table


def find_unsafe(table: Table, reader: Reader) -> frozenset[int]:
    """Return the cells below the minimum."""
    return frozenset(n for n, cell in enumerate(table.cells) if 0 < cell.count < reader.minimum)


def has_secret(one: TableSet) -> bool:
    """Tell whether a cell, or a cell less one inside it, is below the minimum."""
    return any(find_unsafe(drawn.table, one.reader) for drawn in one.tables) or any(
        0 < size < one.reader.minimum for _, _, size in find_differences(one)
    )


def find_differences(one: TableSet) -> list[tuple[tuple[int, int], tuple[int, int], int]]:
    """Return the pairs (table, cell) of different tables where one is inside the other.

    With each pair comes the number of persons who are in the greater alone.
    """
    found = []
    for a, b in itertools.permutations(range(len(one.tables)), 2):
        outer, inner = one.tables[a].made_of, one.tables[b].made_of
        inside = ~(inner.astype(int) @ (~outer).T.astype(int)).astype(bool)
        for n, m in zip(*np.nonzero(inside.T), strict=True):
            size = int(one.atoms[outer[n] & ~inner[m]].sum())
            found.append(((a, int(n)), (b, int(m)), size))
    return found


def _draw(kind: Kind, seed: int, chance: np.random.Generator, *, safe: bool) -> TableSet:
    wards = [f"W{n}" for n in range(1, int(chance.integers(3, 8)))]
    ages = AGES[: int(chance.integers(3, 6))]
    sexes = ("F", "M") if chance.random() < 0.5 else ()
    months = MONTHS if kind == "releases" else MONTHS[:1]
    axes = {"ward": tuple(wards), "age": ages, "sex": sexes or ("*",), TIME_AXIS: months}
    shape = tuple(len(codes) for codes in axes.values())
    mean = float(chance.choice([8, 20, 60, 200])) * (0.5 if sexes else 1.0)
    atoms = chance.negative_binomial(1.0, 1.0 / (1.0 + mean), shape)
    atoms[chance.random(shape) < chance.choice([0.0, 0.1, 0.4])] = 0
    reader = Reader(minimum=13, base=5) if chance.random() < 0.2 else Reader()
    if safe:
        small = (atoms > 0) & (atoms < reader.minimum)
        atoms[small] += reader.minimum
    poles = {
        f"P{n + 1}": tuple(group)
        for n, group in enumerate(np.array_split(wards, max(2, len(wards) // 2)))
    }
    poles = {pole: tuple(str(ward) for ward in group) for pole, group in poles.items()}
    draft = _Draft(axes, atoms, poles)
    dimensions = ("ward", "age", "sex") if sexes else ("ward", "age")
    draw = {
        "primary": lambda: (draft.table(dimensions, margins=False),),
        "marginal": lambda: (draft.table(dimensions),),
        "hierarchical": lambda: (draft.table(dimensions, with_poles=True),),
        "releases": lambda: _draw_releases(draft, dimensions, chance),
    }[kind]
    return TableSet(f"{kind} {seed}", kind, atoms.ravel(), draw(), reader, {"ward": poles})


def _draw_releases(
    draft: _Draft, dimensions: tuple[str, ...], chance: np.random.Generator
) -> tuple[Drawn, ...]:
    """Draw some releases that overlap in one of the ways that are known from practice."""
    flat = dimensions[:2]
    ward, months = draft.axes["ward"][0], MONTHS
    adults, older = "20+", "40+"
    ways = {
        "months, then their quarter": lambda: (
            *(draft.table(flat, period=month) for month in months[: int(chance.integers(2, 4))]),
            draft.table(flat, period="2026-Q1"),
        ),
        "a quarter by month, then a month": lambda: (
            draft.table(("ward", TIME_AXIS), period="2026-Q1"),
            draft.table(flat, period="2026-02"),
        ),
        "poles, then wards": lambda: (
            draft.table(flat, poles_only=True),
            draft.table(flat),
        ),
        "all ages, then adults, then older": lambda: (
            draft.table(("ward",)),
            draft.table(("ward",), ages=adults),
            draft.table(("ward",), ages=older),
        ),
        "all wards, then one": lambda: (
            draft.table(("age",)),
            draft.table(("age",), ward=ward),
        ),
        "bands of age that overlap": lambda: (
            draft.table(("ward",), ages="0-39"),
            draft.table(("ward",), ages="20-59"),
            draft.table(("ward", "age")),
        ),
        "one more dimension": lambda: (draft.table(flat), draft.table(dimensions)),
        "the same again": lambda: (draft.table(flat), draft.table(flat)),
    }
    return ways[str(chance.choice(list(ways)))]()


@dataclass(frozen=True)
class _Draft:
    """A population and how tables are made of it."""

    axes: Mapping[str, tuple[str, ...]]
    atoms: NDArray[np.int64]
    poles: Mapping[str, tuple[str, ...]]

    def table(
        self,
        dimensions: Sequence[str],
        *,
        margins: bool = True,
        with_poles: bool = False,
        poles_only: bool = False,
        period: str = MONTHS[0],
        ages: str = "",
        ward: str = "",
    ) -> Drawn:
        """Draw a table with its margins, of a period, of some ages or of one ward."""
        months = self.axes[TIME_AXIS]
        chosen = {name: np.ones(len(codes), dtype=bool) for name, codes in self.axes.items()}
        chosen[TIME_AXIS] = np.array([period in (month, "2026-Q1") for month in months])
        if ages:
            chosen["age"] = np.array([_is_within(code, ages) for code in self.axes["age"]])
        if ward:
            chosen["ward"] = np.array([code == ward for code in self.axes["ward"]])
        codes = {
            name: self._codes(name, chosen[name], with_poles=with_poles, poles_only=poles_only)
            for name in dimensions
        }
        if not margins:
            codes = {
                name: {c: m for c, m in of.items() if c != TOTAL} for name, of in codes.items()
            }
        places = list(itertools.product(*(codes[name] for name in dimensions)))
        masks = []
        for place in places:
            of_axes = dict(chosen)
            for name, code in zip(dimensions, place, strict=True):
                of_axes[name] = codes[name][code]
            masks.append(reduce(np.logical_and.outer, of_axes.values()).ravel())
        made_of = np.array(masks)
        counts = made_of @ self.atoms.ravel()
        cells = tuple(
            Cell(place, float(count), float(count))
            for place, count in zip(places, counts, strict=True)
        )
        relations = _find_relations(dimensions, places, self._sums(codes)) if margins else ()
        limits = {**({"age": ages} if ages else {}), **({"ward": ward} if ward else {})}
        first, last = DAYS[period]
        table = Table("stays", tuple(dimensions), cells, tuple(relations), "stays")
        return Drawn(table, Scope("stays", "count", first, last, limits), made_of)

    def _codes(
        self, name: str, chosen: NDArray[np.bool_], *, with_poles: bool, poles_only: bool
    ) -> dict[str, NDArray[np.bool_]]:
        of = {TOTAL: chosen}
        if name == "ward" and (with_poles or poles_only):
            of |= {
                pole: np.array([ward in wards for ward in self.axes["ward"]])
                for pole, wards in self.poles.items()
            }
        if not (name == "ward" and poles_only):
            of |= {
                code: np.arange(len(chosen)) == at
                for at, code in enumerate(self.axes[name])
                if chosen[at]
            }
        return of

    def _sums(
        self, codes: Mapping[str, Mapping[str, NDArray[np.bool_]]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        """Return for each dimension which codes make up which."""
        sums: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, of in codes.items():
            poles = tuple(code for code in of if code in self.poles)
            leaves = tuple(code for code in of if code not in self.poles and code != TOTAL)
            sums[name] = {TOTAL: poles or leaves}
            if poles and leaves:
                sums[name] |= {pole: self.poles[pole] for pole in poles}
        return sums


def _find_relations(
    dimensions: Sequence[str],
    places: Sequence[tuple[str, ...]],
    sums: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> list[Relation]:
    position = {place: n for n, place in enumerate(places)}
    relations = []
    for place in places:
        for at, name in enumerate(dimensions):
            if parts := sums[name].get(place[at]):
                inner = (position[(*place[:at], part, *place[at + 1 :])] for part in parts)
                relations.append(Relation(position[place], tuple(inner)))
    return relations


def _is_within(code: str, ages: str) -> bool:
    first = int(code.rstrip("+").split("-")[0])
    if ages.endswith("+"):
        return first >= int(ages[:-1])
    low, high = map(int, ages.split("-"))
    return low <= first <= high and not code.endswith("+")
