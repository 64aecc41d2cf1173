"""The names of a cohort, read from the very file that a run read.

They are held in memory while a run's outputs are judged, and nowhere else. No error names a value.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

MOST_PEOPLE = 300_000
"""Distinct names; above, the list is not read: its index would not fit beside other work."""
LONGEST_LINE = 1 << 20
_DELIMITERS = ";,\t|"


class NamesUnread(Exception):
    """The names of a source cannot be read; nobody may conclude that there are none."""


def read_cohort(
    file: Path, surnames: Sequence[str], first_names: Sequence[str], *, most: int = MOST_PEOPLE
) -> frozenset[tuple[str, str]]:
    """Return the persons in a delimited file, each with a surname and a first name ("" for none).

    Args:
        file: UTF-8 with a header; fields are parted by a semicolon, comma, tab or bar.
        surnames: columns that hold a surname each; somebody with two is there twice.
        first_names: columns whose texts are a person's first names together.
        most: how many different persons are taken in.

    Raises:
        NamesUnread: the file is not there or not such a file, a column is missing, a line is too
            long, or there are more persons.
    """
    people: set[tuple[str, str]] = set()
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = _read_lines(stream)
            header, delimiter = _read_header(next(lines, ""), {*surnames, *first_names})
            own = [header.index(column) for column in surnames]
            given = [header.index(column) for column in first_names]
            for row in csv.reader(lines, delimiter=delimiter, strict=True):
                if not row:
                    continue
                first = " ".join(filter(None, (row[at].strip() for at in given)))
                people.update((row[at].strip(), first) for at in own if row[at].strip())
                if len(people) > most:
                    raise NamesUnread
    except (OSError, UnicodeDecodeError, csv.Error, IndexError):
        raise NamesUnread from None  # the original would show the file's content
    return frozenset(people)


def _read_lines(stream: TextIO) -> Iterator[str]:
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise NamesUnread
        yield line


def _read_header(line: str, wanted: set[str]) -> tuple[list[str], str]:
    for delimiter in _DELIMITERS:
        header = next(csv.reader([line], delimiter=delimiter), [])
        if wanted <= set(header):
            return header, delimiter
    raise NamesUnread
