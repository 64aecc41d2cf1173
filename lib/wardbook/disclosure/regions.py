"""Cells of several tables as regions of one space, so that it is seen which are sums of which.

A region says for every dimension which part of it is meant; a dimension that a table does not have
is meant as a whole. Time is a dimension: a table's own period, narrowed by a column of weeks or
months where it has one. Regions that differ in one dimension only are cut into pieces there: total
less a part, week in month, ward in pole, age bands that nest or overlap. A piece that no table
shows is a number like any other, which nobody was to know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from wardbook.disclosure.codes import REST, Atom, Atoms, Hierarchy, read_span, split_codes
from wardbook.disclosure.register import Scope
from wardbook.disclosure.table import TOTAL, Relation

TIME = "\0time"
"""The name of time among the dimensions."""
_PASSES = 2
"""How often each dimension is cut: pieces of one dimension are cut along the others."""
_MOST = 4
"""Pieces are looked for until there are so many times more regions than cells."""

Region = tuple[Atoms, ...]


@dataclass(frozen=True)
class Layout:
    """Where the cells of one table are: its scope, dimensions and places, and its sums.

    Each of `sums` is the position of a total and those of its parts.
    """

    scope: Scope
    dimensions: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]
    sums: tuple[tuple[int, ...], ...]

    @cached_property
    def hierarchies(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """For each dimension which codes make up which, as the sums tell; totals are left out."""
        return {
            name: {code: parts for code, parts in found.items() if code not in self.totals[name]}
            for name, found in self.sums_of_codes.items()
        }

    @cached_property
    def totals(self) -> dict[str, set[str]]:
        """For each dimension the codes that mean all of it: TOTAL, and the one top of its sums."""
        found = {}
        for at, name in enumerate(self.dimensions):
            made_up = self.sums_of_codes[name]
            inner = {part for parts in made_up.values() for part in parts}
            tops = made_up.keys() - inner
            covers = len(tops) == 1 and {place[at] for place in self.places} <= inner | tops
            found[name] = {TOTAL} | (tops if covers else set())
        return found

    @cached_property
    def sums_of_codes(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """For each dimension which codes make up which, as the sums tell."""
        found: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in self.dimensions}
        for total, *parts in self.sums:
            for at, name in enumerate(self.dimensions):
                codes = tuple(dict.fromkeys(self.places[part][at] for part in parts))
                if codes != (self.places[total][at],):
                    found[name].setdefault(self.places[total][at], codes)
        return found

    @cached_property
    def time(self) -> str | None:
        """The dimension whose codes are spans of time, where there is one."""
        for at, name in enumerate(self.dimensions):
            codes = {place[at] for place in self.places} - self.totals[name]
            if codes and all(read_span(code) for code in codes):
                return name
        return None

    @cached_property
    def code_rows(self) -> list[dict[str, str]]:
        """For each cell its code by dimension; none where all of the dimension is meant."""
        scope = self.scope
        bounded = scope.first_day or scope.last_day
        period = f"{scope.first_day or date.min}/{scope.last_day or date.max}"
        given = {**({TIME: period} if bounded else {}), **scope.limits}
        rows = []
        for place in self.places:
            row = dict(given)
            for name, code in zip(self.dimensions, place, strict=True):
                if code not in self.totals[name]:
                    row[TIME if name == self.time else name] = code
            rows.append(row)
        return rows


def join(
    layouts: Sequence[Layout], hierarchies: Mapping[str, Hierarchy]
) -> tuple[list[list[int]], int, tuple[Relation, ...]]:
    """Return where the cells of each table are among all numbers, how many there are, their sums.

    Args:
        layouts: the tables, all of one population and measure.
        hierarchies: which codes make up which, beside what the tables' own sums tell.
    """
    names = sorted({name for one in layouts for row in one.code_rows for name in row})
    axes = {name: _find_axis(name, layouts, hierarchies.get(name, {})) for name in names}
    whole = {name: _find_whole(name, axis, layouts) for name, axis in axes.items()}
    regions: dict[Region, int] = {}
    positions = []
    for layout in layouts:
        boxes = (
            tuple(axes[name][row[name]] if name in row else whole[name] for name in names)
            for row in layout.code_rows
        )
        positions.append([regions.setdefault(box, len(regions)) for box in boxes])
    relations = {
        Relation(places[total], tuple(places[part] for part in parts))
        for layout, places in zip(layouts, positions, strict=True)
        for total, *parts in layout.sums
    }
    relations |= _cut(regions, len(names))
    ordered = sorted(relations, key=lambda one: (one.total, one.parts))
    return positions, len(regions), tuple(one for one in ordered if one.parts != (one.total,))


def _find_axis(name: str, layouts: Sequence[Layout], hierarchy: Hierarchy) -> dict[str, Atoms]:
    """Return the atoms of every code that a dimension has in any table."""
    codes = {row[name] for one in layouts for row in one.code_rows if name in row}
    made_up: dict[str, tuple[str, ...]] = dict(hierarchy)
    for one in layouts:
        for code, parts in one.hierarchies.get(name, {}).items():
            made_up.setdefault(code, parts)
    return split_codes(codes, made_up)


def _find_whole(name: str, axis: Mapping[str, Atoms], layouts: Sequence[Layout]) -> Atoms:
    """Return the atoms of a whole dimension: a rest beside them unless a total leaves none."""
    named: Atoms = frozenset().union(*axis.values())
    for one in layouts:
        for total in one.totals.get(name, ()):
            parts = one.sums_of_codes[name].get(total, ())
            if named == frozenset().union(*(axis.get(part, frozenset()) for part in parts)):
                return named
    return named | {REST}


def _cut(regions: dict[Region, int], dimensions: int) -> set[Relation]:
    """Cut the regions of each line into pieces, adding those that are new; returns the sums."""
    most = _MOST * len(regions) + 100
    relations: set[Relation] = set()
    for _ in range(_PASSES):
        before = len(regions)
        for at in range(dimensions):
            lines: dict[Region, list[Atoms]] = {}
            for box in regions:
                lines.setdefault(box[:at] + box[at + 1 :], []).append(box[at])
            for rest, stretches in lines.items():
                if len(stretches) > 1 and len(regions) < most:
                    relations |= _cut_line(regions, at, rest, stretches)
        if len(regions) == before:
            break
    return relations


def _cut_line(
    regions: dict[Region, int], at: int, rest: Region, stretches: Sequence[Atoms]
) -> set[Relation]:
    """Cut the regions of one line along dimension `at` where they overlap."""
    inside: dict[Atom, list[int]] = {}
    for n, stretch in enumerate(stretches):
        for atom in stretch:
            inside.setdefault(atom, []).append(n)
    pieces: dict[tuple[int, ...], set[Atom]] = {}
    for one, among in inside.items():
        pieces.setdefault(tuple(among), set()).add(one)
    if all(len(within) == 1 for within in pieces):
        return set()
    places: dict[int, list[int]] = {n: [] for n in range(len(stretches))}
    for within in sorted(pieces):
        box = (*rest[:at], frozenset(pieces[within]), *rest[at:])
        position = regions.setdefault(box, len(regions))
        for n in within:
            places[n].append(position)
    totals = (regions[(*rest[:at], stretch, *rest[at:])] for stretch in stretches)
    return {Relation(total, tuple(places[n])) for n, total in enumerate(totals)}
