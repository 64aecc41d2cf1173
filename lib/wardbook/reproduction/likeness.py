"""What a comparison comes to, safe to print: positions and counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Likeness(StrEnum):
    """How like two versions of an output are, the likest first."""

    BYTES = "bytes"
    TABLE = "table"
    PIXELS = "pixels"
    DIFFERENT = "different"
    MISSING = "missing"
    EXTRA = "extra"
    UNKNOWN = "unknown"


SAME = frozenset({Likeness.BYTES, Likeness.TABLE, Likeness.PIXELS})
"""Those by which an output counts as reproduced."""


@dataclass(frozen=True)
class Difference:
    """One cell of a table that differs: its row, counted from 1 below the header, its column.

    `before` and `after` are data: they stay on the secure side.
    """

    row: int
    column: int
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """One output, before and again.

    `places` counts what differs by place: the cells of a table by the number of their column, from
    1; the pieces of a text by their number, from 1; of a figure all under "pixels".
    `sizes` are rows and columns (or width and height) before and again, where they differ.
    `reordered` says that a table has the same rows in another order.
    """

    output: str
    likeness: Likeness
    places: Mapping[str, int] = field(default_factory=dict)
    sizes: tuple[tuple[int, int], tuple[int, int]] | None = None
    first_row: int = 0
    reordered: bool = False
    differences: tuple[Difference, ...] = field(default=(), repr=False)

    @property
    def is_same(self) -> bool:
        """Whether the output counts as reproduced."""
        return self.likeness in SAME
