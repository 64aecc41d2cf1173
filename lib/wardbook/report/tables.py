"""A released CSV file as a table to read: labels, aligned numbers and dates of the language."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from wardbook.report.problem import ReportProblem
from wardbook.report.voice import Voice
from wardbook.template.outputs import OutputSpec

MOST_ROWS = 120
"""Rows that a page bears; the CSV file beside it holds all."""

TRUTHS = frozenset({"True", "False"})
_MOST_DECIMALS = 6
_SHORT = 28
MISSING = "–"
"""What stands for an empty cell."""
# A leading zero marks a code ("01" is the department Ain), not a quantity.
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)?")

ColumnKind = Literal["text", "number", "date"]
_NOTHING: Mapping[str, ColumnKind] = {}


@dataclass(frozen=True)
class Column:
    """A column's label and how it is aligned; the cells of a short one stay in one line."""

    label: str
    kind: ColumnKind
    short: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class ReadableTable:
    """Cells as the reader sees them; `total` counts the file's rows, shown or not.

    `cut` are the shown cells, by row and column from 0, whose figures are withheld to protect
    persons; `withheld` counts those of the whole file. `moments` are the shown cells of columns of
    dates, by column from 0, as ISO dates. `head` is the column, from 0, that names a row.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    cut: frozenset[tuple[int, int]] = frozenset()
    withheld: int = 0
    moments: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    head: int = 0

    def moment(self, row: int, column: int) -> str:
        """Return the ISO date of a cell; empty if it has none."""
        moments = self.moments.get(column)
        return moments[row] if moments else ""


def declared_kinds(spec: OutputSpec) -> dict[str, ColumnKind]:
    """Return the kinds that a table's declaration settles; of other columns the cells decide.

    What places a row is no quantity, even where its codes are numbers; what counts or measures is
    one, even where nothing is left of it.
    """
    kinds: dict[str, ColumnKind] = dict.fromkeys((*spec.dimensions, *spec.labels), "text")
    if spec.time:
        kinds[spec.time] = "date"
    return kinds | dict.fromkeys(spec.measured_columns, "number")


def find_row_head(spec: OutputSpec) -> int:
    """Return the column, from 0, that names a row best: a label, or what is not the time."""
    names = [*spec.labels, *(name for name in spec.dimensions if name != spec.time)]
    return list(spec.columns).index(names[0]) if names else 0


def read_table(
    content: bytes,
    labels: Mapping[str, str],
    *,
    name: str,
    voice: Voice,
    rows: int | None = None,
    kinds: Mapping[str, ColumnKind] = _NOTHING,
) -> ReadableTable:
    """Return a CSV file (UTF-8, header, comma) as a readable table of at most `rows` rows.

    A column's kind is the declared one, or else decided on all its cells, shown or not: numbers
    (right-aligned, as many decimals as the most precise cell, thousands set apart from 10,000
    upwards so that years stay whole), ISO dates, or text. Cells that are not of the declared kind
    are written as they stand. An empty cell is a dash.

    Args:
        content: the file's bytes.
        labels: declared column name to the label to show, in the declared order.
        name: of the table, for messages.
        voice: the language.
        rows: the most rows wanted, None for as many as a page bears.
        kinds: of the columns whose kind is declared.

    Raises:
        ReportProblem: it is not CSV in UTF-8, its header is not the declared columns, or a row is
            longer or shorter than the header.
    """
    body = read_rows(content, list(labels), name=name)
    shown = body[: min(rows or MOST_ROWS, MOST_ROWS)]
    columns, cells, moments = [], [], {}
    for place, (column, label) in enumerate(labels.items()):
        kind, write = _choose_format([row[place] for row in body], kinds.get(column), voice)
        texts = [write(row[place]) if row[place] else MISSING for row in shown]
        columns.append(Column(label, kind, max(map(len, texts), default=0) <= _SHORT))
        cells.append(texts)
        if kind == "date":
            moments[place] = tuple(row[place] for row in shown)
    rows_shown = tuple(zip(*cells, strict=True))
    return ReadableTable(tuple(columns), rows_shown, len(body), moments=moments)


def read_rows(content: bytes, columns: Sequence[str], *, name: str) -> list[list[str]]:
    """Return the rows of a CSV file (UTF-8, header, comma) without its header.

    Raises:
        ReportProblem: it is not CSV in UTF-8, its header is not `columns`, or a row is longer or
            shorter than the header.
    """
    header, *body = _parse_csv(content, name)
    if header != list(columns):
        raise ReportProblem(
            f"table {name!r}: the header of the file is not the declared columns "
            f"({', '.join(columns)}). Declare the table again with wb.table."
        )
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise ReportProblem(f"table {name!r}, row {number}: not {len(header)} cells long.")
    return body


def find_kind(cells: Sequence[str], declared: ColumnKind | None) -> ColumnKind:
    """Return the kind of a column with these cells, empty ones included.

    Days and moments are dates; other times, such as weeks, sort as the text that they are.
    """
    present = [cell for cell in cells if cell]
    if not present:
        return declared if declared == "number" else "text"
    if declared in (None, "number") and all(map(_NUMBER.fullmatch, present)):
        return "number"
    if declared in (None, "date") and (_all_dates(present, _DAY) or _all_dates(present, _MOMENT)):
        return "date"
    return "text"


def mark_cut(
    table: ReadableTable, rows: Collection[int], figures: Collection[int], voice: Voice
) -> ReadableTable:
    """Return the table with a word in each cell that was cut, so that nobody reads it as missing.

    Args:
        table: the file as it leaves: empty where something was cut.
        rows: of the file, from 0, that show no figures.
        figures: the columns, from 0, that hold figures.
        voice: says the word.
    """
    mark = voice.say("report.cut")
    cut = frozenset((row, at) for row in rows if row < len(table.rows) for at in figures)
    cells = tuple(
        tuple(mark if (number, at) in cut else cell for at, cell in enumerate(row))
        for number, row in enumerate(table.rows)
    )
    return replace(table, rows=cells, cut=cut, withheld=len(rows) * len(figures))


def _parse_csv(content: bytes, name: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        # The original error would show the file's content.
        raise ReportProblem(
            f"table {name!r}: its file is not CSV in UTF-8. Declare it with wb.table."
        ) from None
    return rows or [[]]


def _choose_format(
    cells: Sequence[str], declared: ColumnKind | None, voice: Voice
) -> tuple[ColumnKind, Callable[[str], str]]:
    kind, present = find_kind(cells, declared), [cell for cell in cells if cell]
    if kind == "number" and present:
        pattern = _number_pattern([Decimal(cell) for cell in set(present)])
        return kind, lambda cell: voice.number(Decimal(cell), pattern)
    if kind == "date":
        return kind, lambda cell: f"{voice.day(cell, 'medium')} {cell[11:16]}".rstrip()
    if set(present) <= TRUTHS and declared != "number":
        return kind, lambda cell: voice.say("report.yes" if cell == "True" else "report.no")
    return kind, str


def _number_pattern(numbers: Sequence[Decimal]) -> str:
    decimals = max(_count_decimals(number) for number in numbers)
    grouped = any(abs(number) >= 10_000 for number in numbers)
    return ("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals else "")


def _count_decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return min(_MOST_DECIMALS, max(0, -int(exponent)))


def _all_dates(cells: Sequence[str], shape: re.Pattern[str]) -> bool:
    try:
        return all(shape.fullmatch(cell) and datetime.fromisoformat(cell) for cell in cells)
    except ValueError:
        return False
