"""Two tables as CSV, cell by cell: the same text, or the same number within a tolerance."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest

from wardbook.reproduction.likeness import Comparison, Difference, Likeness

TOLERANCE = 1e-9
"""By how much two fractions may differ, relative to the greater, and absolutely near 0."""

MOST_KEPT = 10_000

# A code such as 007 is no number; neither are nan and inf, which are compared as texts.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")

Rows = list[list[str]]


def compare_tables(
    output: str, before: bytes, after: bytes, tolerance: float = TOLERANCE
) -> Comparison:
    """Compare two CSV files in UTF-8, the first line of each being its header (row 0).

    Whole numbers must be equal: an identifier that is one off is another. Of numbers with a
    fraction or an exponent the tolerance holds. The order of rows and columns counts.
    """
    if before == after:
        return Comparison(output, Likeness.BYTES)
    try:
        old, new = _read(before), _read(after)
    except (UnicodeDecodeError, csv.Error):
        return Comparison(output, Likeness.DIFFERENT)
    old_size, new_size = _size(old), _size(new)
    sizes = None if old_size == new_size else (old_size, new_size)
    places: Counter[str] = Counter()
    kept: list[Difference] = []
    first_rows: dict[str, int] = {}
    for difference in _differences(old, new, tolerance):
        first_rows.setdefault(str(difference.column), difference.row)
        places[str(difference.column)] += 1
        if len(kept) < MOST_KEPT:
            kept.append(difference)
    if not places and sizes is None:
        return Comparison(output, Likeness.TABLE)
    reordered = sizes is None and Counter(map(tuple, old)) == Counter(map(tuple, new))
    return Comparison(
        output,
        Likeness.DIFFERENT,
        dict(places),
        sizes,
        first_rows,
        reordered,
        tuple(new[0]) if new else (),
        tuple(kept),
    )


def is_same_cell(before: str, after: str, tolerance: float) -> bool:
    """Tell whether two cells hold the same text, or the same number within the tolerance."""
    if before == after:
        return True
    if not (_NUMBER.fullmatch(before) and _NUMBER.fullmatch(after)):
        return False
    if _WHOLE.fullmatch(before) and _WHOLE.fullmatch(after):
        return int(before) == int(after)
    return math.isclose(float(before), float(after), rel_tol=tolerance, abs_tol=tolerance)


def _differences(old: Rows, new: Rows, tolerance: float) -> Iterator[Difference]:
    """Yield what differs where both tables have a row; a cell that is not there differs."""
    for row, (before, after) in enumerate(zip(old, new, strict=False)):
        if before == after:
            continue
        for column, (one, other) in enumerate(zip_longest(before, after), 1):
            if one is None or other is None or not is_same_cell(one, other, tolerance):
                yield Difference(row, column, one or "", other or "")


def _read(content: bytes) -> Rows:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def _size(rows: Rows) -> tuple[int, int]:
    return max(0, len(rows) - 1), max(map(len, rows), default=0)
