"""A CSV file of a run as its columns, read once for all rules."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Numbers = tuple[float | None, ...]


class Unreadable(Exception):
    """The file is no CSV in UTF-8 with one header and rows of its width."""


@dataclass(frozen=True)
class Sheet:
    """A table's header and rows, as text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(repr=False)

    def texts(self, column: str) -> tuple[str, ...]:
        """Return a column."""
        at = self._positions[column]
        return tuple([row[at] for row in self.rows])

    def numbers(self, column: str) -> Numbers:
        """Return a column as numbers, None where there is no finite one."""
        return tuple([_number(text) for text in self.texts(column)])

    def places(self, columns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """Return what the columns say together in each row."""
        at = [self._positions[column] for column in columns]
        return tuple([tuple([row[position] for position in at]) for row in self.rows])

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {column: position for position, column in enumerate(self.header)}


def read_header(file: Path) -> tuple[str, ...]:
    """Read the names of a CSV file's columns.

    Raises:
        Unreadable: it has none.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return tuple(next(csv.reader(lines, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error, StopIteration):
        raise Unreadable from None


def read_sheet(file: Path) -> Sheet:
    """Read a CSV file.

    Raises:
        Unreadable: it is none.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            header, *rows = (tuple(row) for row in csv.reader(lines, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error, ValueError):
        raise Unreadable from None
    if any(len(row) != len(header) for row in rows):
        raise Unreadable
    return Sheet(header, tuple(rows))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None
