"""What ACRO itself shows of the drawn tables that it can make: those of two dimensions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.disclosure_tables import Drawn, TableSet
from wardbook.disclosure.table import TOTAL

SIDE = Path(__file__).parent / "acro_side.py"
ALL = "All"


@dataclass(frozen=True)
class Shown:
    """Of one table: cells that are not shown, and cells that are shown with another value.

    ACRO adds its margins up anew without what it suppressed.
    """

    suppressed: frozenset[int]
    changed: frozenset[int]


def can_be_made(one: TableSet) -> bool:
    """Tell whether ACRO can make all tables of a set as one cross-tabulation for each level."""
    return all(
        len(drawn.table.dimensions) == 2 and drawn.table.relations and one.reader.base == 0
        for drawn in one.tables
    )


def ask_acro(python: str, sets: Sequence[TableSet]) -> list[list[Shown] | None]:
    """Return for each table of each set what ACRO shows of it; None where it raised an error."""
    jobs = [levels for one in sets for drawn in one.tables for levels in _find_levels(one, drawn)]
    asked = {"least": 11, "jobs": [[[*place, count] for place, count in job] for job in jobs]}
    answer = subprocess.run(
        [python, SIDE], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    answers = iter(json.loads(answer.stdout))
    found: list[list[Shown] | None] = []
    for one in sets:
        levels = [[next(answers) for _ in _find_levels(one, drawn)] for drawn in one.tables]
        failed = any(level is None for of_table in levels for level in of_table)
        pairs = zip(one.tables, levels, strict=True)
        found.append(None if failed else [_read(drawn, of_table) for drawn, of_table in pairs])
    return found


def _find_levels(one: TableSet, drawn: Drawn) -> list[list[tuple[tuple[str, ...], int]]]:
    """Return the inner cells of a table: those of wards, then those of poles, where there are."""
    poles = one.hierarchies["ward"]
    inner = [(cell.place, int(cell.count)) for cell in drawn.table.cells if TOTAL not in cell.place]
    levels = (
        [pair for pair in inner if pair[0][0] not in poles],
        [pair for pair in inner if pair[0][0] in poles],
    )
    return [level for level in levels if any(count for _, count in level)]


def _read(drawn: Drawn, answers: Sequence[list[tuple[str, str, float | None]]]) -> Shown:
    found: dict[tuple[str, ...], float | None] = {}
    for answer in reversed(answers):
        for row, column, value in answer:
            found[tuple(TOTAL if code == ALL else code for code in (row, column))] = value
    values = [(n, cell.value, found.get(cell.place)) for n, cell in enumerate(drawn.table.cells)]
    return Shown(
        frozenset(n for n, _, shown in values if shown is None),
        frozenset(n for n, value, shown in values if shown is not None and shown != value),
    )
