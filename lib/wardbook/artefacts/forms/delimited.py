"""CSV: its cells, and those that a spreadsheet would compute."""

from __future__ import annotations

import csv
import io
import re

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.decoding import decode
from wardbook.artefacts.finding import Notes

# OWASP "CSV injection": what spreadsheets take for a formula. A negative number is none.
_FORMULA = re.compile(r"\s*[=@\t\r]|\s*[+-](?![\d.,\s]*+(?:e[+-]?\d++)?\s*+%?$)", re.I)


def read_delimited(content: bytes, notes: Notes) -> None:
    """Read a CSV file in UTF-8 with commas, semicolons or tabs.

    Raises:
        Unreadable: it is no CSV.
    """
    text = decode(content, notes)
    header = text[: max(text.find("\n"), 0)]
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise Unreadable("broken") from None
    if not rows:
        return
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]) and row:
            notes.report("hidden", f"row {number}")
        for cell in row:
            if cell and cell[0] in "=@+-\t\r " and _FORMULA.match(cell):
                notes.report("formula", f"row {number}")
    notes.add_grid("table 1", rows[0], rows[1:])
