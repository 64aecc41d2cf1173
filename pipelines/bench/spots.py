"""What must not be committed, told in words and by cell, so that the panel can lead there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from wardbook.identifiers.commits import Objection
from wardbook.identifiers.notebooks import CELL_START
from wardbook.messages import Language, say

_END_OF_CELLS = "\n ]"
"""How the list of cells ends in git's one form of a notebook."""


@dataclass(frozen=True, order=True)
class Spot:
    """An objection: `text` is the analyst's sentence, `cell` counts a notebook's cells from 1."""

    path: str
    line: int
    kind: str
    text: str
    cell: int | None


def tell_spots(
    found: Iterable[Objection], files: Mapping[str, bytes], language: Language
) -> tuple[Spot, ...]:
    """Return each objection once, by place; `files` are those that were looked at."""
    return tuple(
        Spot(
            path=one.path,
            line=one.line,
            kind=one.kind,
            text=say(language, f"identifier.commit_{one.kind}"),
            cell=_cell_at(files.get(one.path, b""), one.line),
        )
        for one in sorted(set(found))
    )


def _cell_at(content: bytes, line: int) -> int | None:
    """Return the number of the cell to which a line of a notebook belongs."""
    text = content.decode("utf-8", errors="replace")
    starts = [match.start() for match in CELL_START.finditer(text)]
    before = [start for start in starts if text.count("\n", 0, start) < line]
    if not before:
        return None
    end = text.find(_END_OF_CELLS, starts[-1])
    beyond = end >= 0 and text.count("\n", 0, end) + 1 < line
    return None if beyond else len(before)
