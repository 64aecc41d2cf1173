"""The header of a delimited file against the layouts that its format knows."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from wardbook.errors import DataProblem

OTHER_DELIMITERS = {";": ",", ",": ";"}


def check_header(
    file: str, header: str, row: int, layouts: Sequence[tuple[str, ...]], *, delimiter: str
) -> tuple[str, ...]:
    """Return the layout that the header line `header` holds to.

    Raises:
        DataProblem: it holds to none; the message names the nearest layout and a position, never
            a cell of the header, which holds data where the header line is missing.
    """
    # A carriage return that ends no line is no part of a name, and csv would not read on.
    text = header.removesuffix("\r").replace("\r", "\N{REPLACEMENT CHARACTER}")
    found = tuple(next(csv.reader([text], delimiter=delimiter)))
    if found in layouts:
        return found
    expected = max(layouts, key=lambda layout: _likeness(found, layout))
    names = delimiter.join(expected)
    if len(found) == 1 and OTHER_DELIMITERS[delimiter] in header:
        raise DataProblem("delimiter_wrong", file=file, row=row, expected=names)
    if not set(found) & set(expected):
        raise DataProblem("header_missing", file=file, row=row, expected=names)
    if sorted(found) == sorted(expected):
        raise _name_position("columns_reordered", file, found, expected, delimiter)
    if len(found) == len(expected):
        raise _name_position("columns_renamed", file, found, expected, delimiter)
    missing = [name for name in expected if name not in found]
    if missing:
        column = ", ".join(missing)
        raise DataProblem("columns_missing", file=file, column=column, expected=names)
    raise _name_position("columns_extra", file, found, expected, delimiter)


def _likeness(found: tuple[str, ...], layout: tuple[str, ...]) -> int:
    return 2 * len(set(found) & set(layout)) - len(layout)


def _name_position(
    code: str, file: str, found: tuple[str, ...], expected: tuple[str, ...], delimiter: str
) -> DataProblem:
    """Build the problem at the first position where the two differ."""
    pairs = zip(found, expected, strict=False)
    position = next((i for i, (a, b) in enumerate(pairs) if a != b), len(expected))
    if code == "columns_extra":
        return DataProblem(
            code, file=file, position=position + 1, expected=delimiter.join(expected)
        )
    return DataProblem(
        code,
        file=file,
        position=position + 1,
        column=expected[position],
        expected=delimiter.join(expected),
    )
