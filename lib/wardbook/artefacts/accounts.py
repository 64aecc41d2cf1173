"""Does everything that a rendered artefact shows come from a table that was checked?

A table of the artefact is accounted for row by row: the same cells, in the same order, stand in one
row of one checked table. Single numbers are not enough: every small one stands somewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from wardbook.artefacts.finding import Grid
from wardbook.messages import LANGUAGES, say

_SPACES = re.compile(r"(?<=\d)[\s\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"[-+\u2212]?\d+([.,]\d+)?([eE][-+]?\d{1,3})?\s*%?")
_DIGIT = re.compile(r"\d")
_EMPTY = frozenset(
    (
        *("-", "–", "—", "nan", "NaN", "None", "NaT", "<NA>"),
        *(say(language, "report.cut") for language in LANGUAGES),
    )
)
"""What a page or a program writes where a file has nothing, or nothing any more."""


@dataclass(frozen=True)
class Account:
    """Of what the artefact's tables show: cells that no checked table explains.

    Args:
        unexplained: cells with a digit in rows, or numbers in headers, that no checked table has.
        small: those of them that are whole numbers from 1 to below the least count.
    """

    unexplained: int
    small: int


class Explained:
    """The rows of the checked tables, to look up; made once for all files of a deliverable."""

    def __init__(self, checked: Iterable[Grid]) -> None:
        self._rows: set[tuple[str, ...]] = set()
        self._labels: set[str] = set()
        for grid in checked:
            self._labels.update(map(canonical, grid.header))
            for row in grid.rows:
                plain = tuple(map(canonical, row))
                self._rows.add(plain)

    def account(self, grids: Sequence[Grid], *, least: int) -> Account:
        """Return what of `grids` is not explained; `least` is the least count that may be shown."""
        cells = [cell for grid in grids for cell in self._unexplained(grid)]
        small = sum(1 for cell in cells if is_small_count(cell, least))
        return Account(len(cells), small)

    def _unexplained(self, grid: Grid) -> list[str]:
        found = [
            plain
            for plain in map(canonical, grid.header)
            if plain not in self._labels and _NUMBER.fullmatch(plain)
        ]
        for row in grid.rows:
            plain_row = tuple(map(canonical, row))
            if plain_row not in self._rows:
                found += [plain for plain in plain_row if _DIGIT.search(plain)]
        return found


def canonical(text: str) -> str:
    """Return a cell without what a language adds to it: `12 345,50` and `12345.5` are the same."""
    plain = text.strip()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain).replace("\u2212", "-")
    if not _DIGIT.search(plain):
        return "" if plain in _EMPTY else plain
    joined = _SPACES.sub("", plain)
    if not _NUMBER.fullmatch(joined):
        return " ".join(plain.split())
    share = joined.endswith("%")
    try:
        number = Decimal(joined.rstrip("% ").replace(",", "."))
    except InvalidOperation:  # pragma: no cover  the pattern above is what Decimal reads
        return plain
    # A leading zero marks a code; both readings of one text stay apart.
    code = joined.lstrip("+-").startswith("0") and number == number.to_integral() and number != 0
    return joined if code else f"{number.normalize():f}{'%' if share else ''}"


def is_small_count(cell: str, least: int) -> bool:
    """Tell whether a canonical cell is a whole number from 1 to below `least`."""
    return cell.isdecimal() and 1 <= len(cell) <= 9 and 0 < int(cell) < least
