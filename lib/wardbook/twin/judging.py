"""Which counted cells may leave: the disclosure rules of a released table, asked cell by cell.

What counts are persons: a cell's `count` is how many are behind it, its `value` what they add up to
and `largest` the greatest contributions of single ones. So a ward in which one patient has most of
the tubes is judged as a table of tubes by ward would be.

And one person moves no figure by more than one step of its rounding: of each person at most
`rounding_base` rows are counted in a cell, and means are rounded by as much as so many rows weigh.
"""

# ruff: noqa: S608  what is put into the queries are the plans' own column names

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING, Any

from wardbook.disclosure.policy import Policy, publish_count
from wardbook.disclosure.rules import Reason, find_unsafe
from wardbook.disclosure.table import Cell, Table

if TYPE_CHECKING:
    import duckdb

Code = str | None
_OF_A_CLASS = frozenset({Reason.EVERYBODY, Reason.NOBODY})
FEW = "\x01"
"""The code of all those of a group together that stand for too few persons each."""
_MISSING = "\x02"
"""What stands for a missing value in a cell's place."""


@dataclass(frozen=True)
class Counted:
    """One cell: its codes, rows as they are counted, persons, and what they contribute in all."""

    codes: tuple[Code, ...]
    rows: int
    persons: int
    total: float
    largest: tuple[float, ...]


def count_cells(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    codes: Sequence[str],
    person: str,
    policy: Policy,
    contribution: str = "1",
) -> list[Counted]:
    """Count a table's rows by SQL expressions, in their order.

    Args:
        connection: where the table is.
        table: its name, or a query in brackets.
        codes: what the cells are told apart by.
        person: the column that tells persons apart.
        policy: says how many of the largest contributions are looked at.
        contribution: what a row adds to its cell, never negative.
    """
    names = [f"c{number}" for number in range(len(codes))]
    chosen = "".join(
        f"CAST({code} AS VARCHAR) AS {name}, " for code, name in zip(codes, names, strict=True)
    )
    listed = "".join(f"{name}, " for name in names)
    most = max(policy.contributors, 1)
    query = (
        f"WITH told AS (SELECT {chosen}{person} AS who, {contribution} AS part FROM {table}), "
        f"by_person AS (SELECT {listed}who, count(*) AS n, sum(part) AS part FROM told "
        f"GROUP BY ALL), cells AS (SELECT {listed}sum(least(n, {policy.rounding_base})) "
        f"AS n, count(*) AS persons, sum(part) AS part, max(part, {most}) AS largest "
        "FROM by_person GROUP BY ALL) "
    )
    if names:
        # A free text has as many codes as rows: those of too few persons are one cell of a group.
        *others, last = names
        listed = "".join(f"{name}, " for name in others)
        query += (
            f"SELECT {listed}CASE WHEN persons < {policy.minimum_count} THEN '{FEW}' ELSE {last} "
            "END AS code, sum(n), max(persons), sum(part), arg_max(largest, persons) "
            "FROM cells GROUP BY ALL ORDER BY ALL"
        )
    else:
        query += "SELECT n, persons, part, largest FROM cells WHERE persons > 0"
    return [_read_cell(row, len(codes)) for row in connection.execute(query).fetchall()]


def _read_cell(row: tuple[Any, ...], codes: int) -> Counted:
    number, persons, total, largest = row[codes:]
    parts = tuple(float(part) for part in largest or () if part is not None)
    return Counted(tuple(row[:codes]), int(number), int(persons), float(total or 0), parts)


def make_list(
    connection: duckdb.DuckDBPyConnection, name: str, types: str, rows: Sequence[Sequence[Any]]
) -> None:
    """Make a small table `c0`, `c1` … of rows of ours, none of them empty: many rows in one go.

    Args:
        connection: where it comes to be.
        name: of the table.
        types: of its columns, with spaces between them.
        rows: each with a value for every column.
    """
    told = ", ".join(f"unnest(?::{one}[]) AS c{n}" for n, one in enumerate(types.split()))
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {told}", columns)


def find_untold(
    cells: Sequence[Counted], policy: Policy, *, alone: bool = False, timeline: int | None = None
) -> tuple[set[int], set[int]]:
    """Return the positions of cells that hold too few persons, and of those that tell of a class.

    Args:
        cells: one table's.
        policy: the rules.
        alone: each cell is judged by itself: its last code only names the others.
        timeline: the code that is a time, which is nobody's trait.
    """
    few = {
        position
        for position, cell in enumerate(cells)
        if publish_count(cell.persons, policy) is None or cell.persons < policy.minimum_count
    }
    classes: set[int] = set()
    for position, reasons in find_unsafe(_as_table(cells, alone, timeline), policy).items():
        if set(reasons) - _OF_A_CLASS:
            few.add(position)
        elif reasons:
            classes.add(position)
    return few, classes


def _as_table(cells: Sequence[Counted], alone: bool, timeline: int | None) -> Table:
    places = [tuple(_MISSING if code is None else str(code) for code in c.codes) for c in cells]
    if alone:
        places = [("\x1f".join(place),) for place in places]
    dimensions = tuple(f"d{number}" for number in range(len(places[0]) if places else 0))
    return Table(
        "twin",
        dimensions,
        tuple(
            Cell(place, cell.persons, cell.total, cell.largest)
            for place, cell in zip(places, cells, strict=True)
        ),
        timeline="" if alone or timeline is None else dimensions[timeline],
    )


@dataclass(frozen=True)
class Group:
    """What may be told of one group: its cells with their rows, rounded as the policy says.

    `kept` are their codes; whatever else the group has was counted as the first, its largest.
    """

    of: tuple[Code, ...]
    cells: tuple[tuple[Code, int], ...]

    @property
    def kept(self) -> tuple[Code, ...]:
        """The codes that are told, the most frequent first."""
        return tuple(code for code, _ in self.cells)


def fold_cells(
    cells: Sequence[Counted],
    policy: Policy,
    barred: frozenset[Code] = frozenset(),
    *,
    alone: bool = False,
    timeline: int | None = None,
) -> tuple[Group, ...]:
    """Return what may be told of a table by groups: all its codes but the last tell the group.

    A cell that may not be told is counted with its group's largest, so that nothing remains to be
    had by difference; a group in which no cell may, or in which a cell tells of a whole class, is
    left out.

    Args:
        cells: of the table.
        policy: the rules.
        barred: codes that are never told, whatever their number.
        alone, timeline: see `find_untold`.
    """
    few, classes = find_untold(cells, policy, alone=alone, timeline=timeline)
    groups: dict[tuple[Code, ...], list[int]] = defaultdict(list)
    for position, cell in enumerate(cells):
        groups[cell.codes[:-1]].append(position)
    told = []
    for of, positions in groups.items():
        safe = [p for p in positions if p not in few and cells[p].codes[-1] not in {*barred, FEW}]
        if not safe or (of and any(position in classes for position in positions)):
            continue
        safe.sort(key=lambda p: (-cells[p].rows, str(cells[p].codes[-1])))
        folded = sum(cells[p].rows for p in positions if p not in safe)
        rows = {p: cells[p].rows + (folded if p == safe[0] else 0) for p in safe}
        told.append(
            Group(of, tuple((cells[p].codes[-1], round_rows(rows[p], policy)) for p in safe))
        )
    return tuple(told)


def round_rows(rows: int, policy: Policy) -> int:
    """Return a number of rows as it may be told; they are of enough persons."""
    return publish_count(rows, policy) or 0


def round_mean(mean: float, rows: int, width: float, policy: Policy) -> float:
    """Return a class's mean to the step by which the rows of one person may move it.

    Args:
        mean: of the class.
        rows: that are counted in it, at most `rounding_base` of one person.
        width: from its least value to its greatest.
        policy: the rules.
    """
    step = max(
        _step_above(policy.rounding_base * width / rows), 10.0 ** (_magnitude(mean) - _DIGITS)
    )
    return round(round(mean / step) * step, 12)


_DIGITS = 2
"""A mean has one digit before these, at most."""


def _step_above(least: float) -> float:
    """Return the least of 1, 2, 5, 10, 20 … that is not below."""
    if least <= 0:
        return 0.0
    power = 10.0 ** _magnitude(least)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def _magnitude(value: float) -> int:
    return floor(log10(abs(value))) if value else 0
