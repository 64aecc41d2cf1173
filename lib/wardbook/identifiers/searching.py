"""Identifiers in files: what was found, how often, and where first; never the value."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from wardbook.identifiers.context import Context
from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.fragments import Fragment, Rows, Text, take_apart
from wardbook.identifiers.prose import is_free_text
from wardbook.identifiers.reading import CELL_BREAK
from wardbook.identifiers.scanning import scan

TELLING = re.compile(
    r"nom|name|patient|birth|naiss|ddn|dob|n[ée]{1,2}.?le|adress|address|domicile|rue|t[ée]l|phone"
    r"|mobile|portable|fax|mail|courriel|nir|nss|s[ée]cu|insee|ins|matricule|ipp|nip|nda|dossier|venue"
    r"|s[ée]jour|iep|rpps|adeli|finess|pass|iban|rib|contact|usage|marital|identi|street|voie|pid|dn",
    re.I,
)
"""Headers that change what a cell means; the others are searched with the rows."""

LONGEST_HEADER = 40


@dataclass(frozen=True, order=True)
class Place:
    """Where a finding is: counted from 1; 0 and "" where it does not apply.

    Args:
        cell: of a notebook.
        row: of a table, its header being row 1.
        position: of the column.
        column: its header, where that is no finding itself.
        line: of a text.
    """

    cell: int = 0
    row: int = 0
    position: int = 0
    column: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Say it in abbreviations that French and English share."""
        told = []
        if self.cell:
            told.append(f"cell. {self.cell}")
        if self.position:
            told.append(f"col. {self.column or self.position}")
        if self.row or self.line:
            told.append(f"l. {self.row or self.line}")
        return ", ".join(told) or "—"


@dataclass(frozen=True, order=True)
class Located:
    """A kind at a place of a file."""

    place: Place
    kind: Kind
    certainty: Certainty


def scan_content(name: str, content: bytes, *, context: Context) -> tuple[Located, ...]:
    """Search a file's content and its name, whose words are often joined by underscores."""
    fragments = [Text(name), Text(name.replace("_", " ")), *take_apart(name, content)]
    return scan_fragments(fragments, context=context)


def scan_fragments(fragments: Iterable[Fragment], *, context: Context) -> tuple[Located, ...]:
    """Search what was taken out of a file; each kind at each place is told once."""
    found: set[Located] = set()
    for fragment in fragments:
        if isinstance(fragment, Text):
            found.update(_scan_text(fragment, context))
        else:
            found.update(_scan_rows(fragment, context))
    return tuple(sorted(found))


def _scan_text(fragment: Text, context: Context) -> Iterator[Located]:
    text = fragment.text
    if fragment.column:
        context = replace(context, column=fragment.column)
    for one in scan(text, context=context):
        line = text.count("\n", 0, one.start) + 1
        yield Located(Place(cell=fragment.cell, line=line), one.kind, one.certainty)


def _scan_rows(fragment: Rows, context: Context) -> Iterator[Located]:
    """Search all rows as one text, then each telling column with its header."""
    yield from _scan_joined(fragment, context)
    columns: dict[tuple[int, str], tuple[list[int], list[str]]] = {}
    telling: dict[str, bool] = {}
    for number, row in enumerate(fragment.rows):
        for position, (column, value) in enumerate(row):
            if len(value) >= 60 and number and fragment.is_table and is_free_text(value):
                place = _place(fragment, number, position, context)
                yield Located(place, Kind.FREE_TEXT, Certainty.POSSIBLE)
            if column not in telling:
                telling[column] = bool(TELLING.search(column))
            if telling[column] and (number or not fragment.is_table):
                key = position if fragment.is_table else 0
                numbers, values = columns.setdefault((key, column), ([], []))
                numbers.append(number * 1000 + position)
                values.append(value)
    for (_, column), (numbers, values) in columns.items():
        for index, one in _scan_cells(values, replace(context, column=column[:LONGEST_HEADER])):
            number, position = divmod(numbers[index], 1000)
            yield Located(_place(fragment, number, position, context), one.kind, one.certainty)


def _scan_joined(fragment: Rows, context: Context) -> Iterator[Located]:
    rows = [";".join(value for _, value in row) for row in fragment.rows]
    for number, one, start in _scan_with_starts(rows, context):
        ends = list(accumulate(len(value) + 1 for _, value in fragment.rows[number]))
        position = bisect_right(ends, start)
        yield Located(_place(fragment, number, position, context), one.kind, one.certainty)


def _scan_cells(values: list[str], context: Context) -> Iterator[tuple[int, Finding]]:
    for index, one, _ in _scan_with_starts(values, context):
        yield index, one


def _scan_with_starts(values: list[str], context: Context) -> Iterator[tuple[int, Finding, int]]:
    """Yield findings in texts that are searched as one: which text, and where in it."""
    starts, place = [], 0
    for value in values:
        starts.append(place)
        place += len(value) + 1
    for one in scan(CELL_BREAK.join(values), context=context):
        index = bisect_right(starts, one.start) - 1
        yield index, one, one.start - starts[index]


def _place(fragment: Rows, number: int, position: int, context: Context) -> Place:
    column = fragment.rows[number][position][0]
    if len(column) > LONGEST_HEADER or not column.isprintable() or _tells(column, context):
        column = ""
    row = number + 1 if fragment.first_line else 0
    return Place(fragment.cell, row, position + 1, column)


def _tells(header: str, context: Context) -> bool:
    return bool(scan(header, context=replace(context, column="")))
