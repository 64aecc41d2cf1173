"""What a comparison comes to, positions and counts apart from values."""

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
    `first_rows` has, for each column that differs, the first row that does.
    `sizes` are rows and columns (or width and height) before and again, where they differ.
    `reordered` says that a table has the same rows in another order. `header` is the first line of
    the table made again; like `differences` it may hold what a patient's data put there.
    """

    output: str
    likeness: Likeness
    places: Mapping[str, int] = field(default_factory=dict)
    sizes: tuple[tuple[int, int], tuple[int, int]] | None = None
    first_rows: Mapping[str, int] = field(default_factory=dict)
    reordered: bool = False
    header: tuple[str, ...] = field(default=(), repr=False)
    differences: tuple[Difference, ...] = field(default=(), repr=False)

    @property
    def is_same(self) -> bool:
        """Whether the output counts as reproduced."""
        return self.likeness in SAME
