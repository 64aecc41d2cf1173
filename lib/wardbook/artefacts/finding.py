"""What a reader finds in a file that would leave: texts, tables, problems.

A place says where, in our own words and numbers only (`table 2`, `sheet 1 row 7`): never with a
name out of the file, which could be a patient's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wardbook.artefacts.bounds import Bounds, Unreadable

FragmentKind = Literal[
    "text", "cell", "attribute", "comment", "metadata", "hidden", "code", "link", "point", "output"
]

# Format characters, private use and tag characters: a reader does not see them, a program does.
# Soft hyphen, the joiners of scripts and emoji, and the marks of text direction are common.
_INVISIBLE = re.compile(
    "[\u200b\u2060-\u2064\u206a-\u206f\ufeff\ue000-\uf8ff\U000e0000-\U000e0fff]"
)


@dataclass(frozen=True)
class Fragment:
    """A text that somebody could read out of the file."""

    kind: FragmentKind
    place: str
    text: str


@dataclass(frozen=True)
class Grid:
    """A table as it stands in the file; `points` says that it is what a figure was drawn from."""

    place: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    points: bool = False

    def fragments(self) -> Iterator[Fragment]:
        """Yield the header's and the body's cells as texts."""
        kind: FragmentKind = "point" if self.points else "cell"
        for number, row in enumerate((self.header, *self.rows)):
            for column, text in enumerate(row, 1):
                if text:
                    yield Fragment(kind, f"{self.place} row {number} column {column}", text)


@dataclass(frozen=True)
class Problem:
    """Something that may not leave unseen: its code, how often, and where first."""

    code: str
    count: int
    place: str


@dataclass(frozen=True)
class Reading:
    """Everything that was found in one file; `form` is what its bytes are."""

    form: str
    fragments: tuple[Fragment, ...] = ()
    grids: tuple[Grid, ...] = ()
    problems: tuple[Problem, ...] = ()

    def texts(self) -> Iterator[Fragment]:
        """Yield every text, those of cells included."""
        yield from self.fragments
        for grid in self.grids:
            yield from grid.fragments()


class Notes:
    """What was found so far; a reader writes into it, and stops where the bounds are reached."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._fragments: list[Fragment] = []
        self._grids: list[Grid] = []
        self._problems: dict[str, Problem] = {}
        self._characters = 0
        self._cells = 0

    def add(self, kind: FragmentKind, place: str, text: str) -> None:
        """Note a text; blank ones are left out.

        Raises:
            Unreadable: there is more text than the bounds allow.
        """
        text = text.strip()
        if text:
            self._count(text, place)
            self._fragments.append(Fragment(kind, place, text))

    def add_grid(
        self,
        place: str,
        header: Iterable[str],
        rows: Iterable[Sequence[str]],
        *,
        points: bool = False,
    ) -> None:
        """Note a table.

        Raises:
            Unreadable: there are more cells, or more text in them, than the bounds allow.
        """
        head = tuple(header)
        kept = []
        for text in head:
            self._count(text, place)
        for row in rows:
            self._cells += len(row)
            if self._cells > self.bounds.cells:
                raise Unreadable("too_many_cells", place)
            for text in row:
                self._count(text, place)
            kept.append(tuple(row))
        self._grids.append(Grid(place, head, tuple(kept), points))

    def report(self, code: str, place: str = "", count: int = 1) -> None:
        """Note a problem; the same code again only raises its count."""
        known = self._problems.get(code)
        self._problems[code] = (
            Problem(code, known.count + count, known.place)
            if known
            else Problem(code, count, place)
        )

    def reading(self, form: str) -> Reading:
        """Return what was found."""
        problems = tuple(self._problems.values())
        return Reading(form, tuple(self._fragments), tuple(self._grids), problems)

    def _count(self, text: str, place: str) -> None:
        self._characters += len(text)
        if self._characters > self.bounds.characters:
            raise Unreadable("too_much_text", place)
        if not text.isascii() and _INVISIBLE.search(text):
            self.report("invisible_text", place)
