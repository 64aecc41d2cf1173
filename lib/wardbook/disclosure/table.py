"""A table as the disclosure rules see it: cells, and which of them add up to which.

A published table is safe only together with its margins: who knows a total and all parts but one
knows the last part. So a table is its cells and its *relations*: each says that one cell is the sum
of others. Margins, hierarchies (ward within pole within hospital) and cells that another release
has in common are all relations, and every rule here works on them alone.
"""

from __future__ import annotations

from dataclasses import dataclass

TOTAL = "TOTAL"
"""The code of a margin where a table does not say another."""


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        place: a code for each of the table's dimensions; a margin has its total's code.
        count: how many persons are behind it, at least 0.
        value: what is shown: the count itself in a frequency table, a sum in a magnitude table.
        largest: the greatest contributions of single persons to `value`, descending, as many as
            the dominance rules need; empty in a frequency table.
    """

    place: tuple[str, ...]
    count: float
    value: float
    largest: tuple[float, ...] = ()


@dataclass(frozen=True)
class Relation:
    """Cell `total` is the sum of the cells `parts`: positions in the table's `cells`."""

    total: int
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Table:
    """Cells and what holds between them.

    Args:
        name: of the output.
        dimensions: names of the columns that place a cell.
        cells: in the order of the rows.
        relations: every sum that a reader can know.
        population: who is counted, in words of the template: what two tables must share to be
            compared with each other; empty where it is unknown.
        timeline: the dimension that is a time, where one is.
        measure: the column that is shown.
    """

    name: str
    dimensions: tuple[str, ...]
    cells: tuple[Cell, ...]
    relations: tuple[Relation, ...] = ()
    population: str = ""
    timeline: str = ""
    measure: str = ""
