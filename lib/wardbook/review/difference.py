"""What differs between an output and the one that was released before it, for the same request.

Who holds both releases can subtract them: a group that grew by three persons shows three persons,
however large it is. So the cells that moved by less than a safe count are counted here; the values
themselves are for the secure side alone.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LARGEST_COMPARED = 20 * 1024 * 1024
"""Files of more bytes are compared by their digests alone."""


@dataclass(frozen=True)
class Sheet:
    """A CSV file as text: its header and its rows, all of the header's length."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class ChangedCell:
    """A cell that both releases have: its row's place, its column, both values."""

    place: tuple[str, ...]
    column: str
    before: str
    now: str


@dataclass(frozen=True)
class Difference:
    """What one output's release would add to what is known of it already.

    `keyed_by` are the columns that tell rows apart in both; where none do, rows are compared
    whole, and none counts as changed. `small_moves` counts the cells of the count column that
    moved by less than the policy's least count. `compared` is False where only the digests could
    be.
    """

    output: str
    keyed_by: tuple[str, ...] = ()
    columns_appeared: tuple[str, ...] = ()
    columns_vanished: tuple[str, ...] = ()
    rows_appeared: tuple[tuple[str, ...], ...] = ()
    rows_vanished: tuple[tuple[str, ...], ...] = ()
    changed: tuple[ChangedCell, ...] = ()
    small_moves: int = 0
    compared: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether both releases are the same."""
        return self.compared and not (
            self.columns_appeared
            or self.columns_vanished
            or self.rows_appeared
            or self.rows_vanished
            or self.changed
        )

    @property
    def changed_columns(self) -> tuple[str, ...]:
        """The columns in which cells changed, in the order of their first change."""
        return tuple(dict.fromkeys(cell.column for cell in self.changed))


def read_sheet(content: bytes) -> Sheet | None:
    """Return a CSV file (UTF-8, header, comma) as text; None where it is none, or too large."""
    if len(content) > LARGEST_COMPARED:
        return None
    try:
        header, *rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    except (UnicodeDecodeError, ValueError, csv.Error):
        return None
    if not header or any(len(row) != len(header) for row in rows):
        return None
    return Sheet(tuple(header), tuple(map(tuple, rows)))


def compare_sheets(
    output: str, before: Sheet, now: Sheet, *, least: int, count: str | None = None
) -> Difference:
    """Compare two releases of one table.

    Args:
        output: its name.
        before, now: the earlier release, and what would be released.
        least: the policy's least count: a count that moved by less tells of a small group.
        count: the column that holds the number of persons behind each row.
    """
    common = [column for column in now.columns if column in before.columns]
    keys = _find_keys(before, now, [column for column in common if column != count])
    if not keys:
        appeared, vanished = _compare_whole(before, now)
        changed: tuple[ChangedCell, ...] = ()
    else:
        old, new = _by_place(before, keys), _by_place(now, keys)
        appeared = tuple(row for place, row in new.items() if place not in old)
        vanished = tuple(row for place, row in old.items() if place not in new)
        values = [column for column in common if column not in keys]
        changed = tuple(_changed_cells(before, now, old, new, values))
    return Difference(
        output=output,
        keyed_by=keys,
        columns_appeared=tuple(c for c in now.columns if c not in before.columns),
        columns_vanished=tuple(c for c in before.columns if c not in now.columns),
        rows_appeared=appeared,
        rows_vanished=vanished,
        changed=changed,
        small_moves=sum(
            1 for cell in changed if cell.column == count and _is_small_move(cell, least)
        ),
    )


def _find_keys(before: Sheet, now: Sheet, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the fewest leading columns that tell all rows apart, in both releases."""
    for number in range(1, len(columns) + 1):
        keys = columns[:number]
        if all(len(_by_place(sheet, keys)) == len(sheet.rows) for sheet in (before, now)):
            return tuple(keys)
    return ()


Rows = dict[tuple[str, ...], tuple[str, ...]]


def _by_place(sheet: Sheet, keys: Sequence[str]) -> Rows:
    places = [sheet.columns.index(key) for key in keys]
    return {tuple(row[place] for place in places): row for row in sheet.rows}


def _compare_whole(
    before: Sheet, now: Sheet
) -> tuple[tuple[tuple[str, ...], ...], tuple[tuple[str, ...], ...]]:
    old, new = Counter(before.rows), Counter(now.rows)
    return tuple((new - old).elements()), tuple((old - new).elements())


def _changed_cells(
    before: Sheet, now: Sheet, old: Rows, new: Rows, values: Sequence[str]
) -> Iterable[ChangedCell]:
    for place, row in new.items():
        earlier = old.get(place)
        if earlier is None or (earlier == row and before.columns == now.columns):
            continue
        for column in values:
            was, is_now = earlier[before.columns.index(column)], row[now.columns.index(column)]
            if was != is_now:
                yield ChangedCell(place, column, was, is_now)


def _is_small_move(cell: ChangedCell, least: int) -> bool:
    """Tell whether a count moved a little; one that appeared or is no number might have."""
    try:
        return 0 < abs(float(cell.now) - float(cell.before)) < least
    except ValueError:
        return True
