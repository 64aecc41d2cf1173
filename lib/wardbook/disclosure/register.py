"""The register of released cells: what the outside knows already, in the ledger.

It holds what was shown, or that it was suppressed, never what is behind a suppressed cell. What is
in it left the house: nothing here is below a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import inf
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from wardbook.disclosure.reader import Reader, holds_counts
from wardbook.disclosure.suppress import Suppression
from wardbook.disclosure.table import Cell, Table
from wardbook.ledger import schema


@dataclass(frozen=True)
class Scope:
    """What a table is about: tables with nothing in common here are never compared.

    Args:
        population: who is counted, in words of the template; two tables share it or do not.
        measure: what is counted or summed.
        first_day, last_day: of the time that the table tells about; None where it is not bounded.
        limits: what holds of every cell beside its place: {"age": "18+"} of a table of adults.
    """

    population: str
    measure: str = "count"
    first_day: date | None = None
    last_day: date | None = None
    limits: Mapping[str, str] = field(default_factory=dict)

    def meets(self, other: Scope) -> bool:
        """Whether both tell of the same persons at some time."""
        same = (self.population, self.measure) == (other.population, other.measure)
        begins = max(self.first_day or date.min, other.first_day or date.min)
        return same and begins <= min(self.last_day or date.max, other.last_day or date.max)


@dataclass(frozen=True)
class Release:
    """One released table.

    Args:
        request, run, name: which output of which run it is.
        moment: when it was released.
        scope: what it is about.
        dimensions: names of the columns that place its cells.
        places: of its cells.
        shown: what each showed, as it was rounded; None where it was suppressed.
        known: the least and the greatest that each can be by that and by its policy; the greatest
            is None where there is none.
        sums: for each sum the position of the total, then those of its parts.
    """

    request: str
    run: str
    name: str
    moment: str
    scope: Scope
    dimensions: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]
    shown: tuple[float | None, ...]
    known: tuple[tuple[float, float | None], ...]
    sums: tuple[tuple[int, ...], ...]

    @property
    def title(self) -> str:
        """What names it to a reviewer."""
        return f"{self.request} · {self.name} · {self.run} · {self.moment}"


def describe_release(
    table: Table,
    suppression: Suppression,
    reader: Reader,
    scope: Scope,
    *,
    request: str,
    run: str,
    now: datetime,
) -> Release:
    """Return what the register keeps of a table that is released as suppressed."""
    counts = holds_counts(table)
    known = tuple(
        _tell_known(cell, at, suppression, reader) if counts else _tell_other(cell, at, suppression)
        for at, cell in enumerate(table.cells)
    )
    return Release(
        request,
        run,
        table.name,
        now.isoformat(timespec="seconds"),
        scope,
        table.dimensions,
        tuple(cell.place for cell in table.cells),
        tuple(
            None if at in suppression.suppressed else reader.show(cell.value)
            for at, cell in enumerate(table.cells)
        ),
        known,
        tuple((one.total, *one.parts) for one in table.relations),
    )


def _tell_known(
    cell: Cell, at: int, suppression: Suppression, reader: Reader
) -> tuple[float, float | None]:
    if at not in suppression.suppressed:
        return reader.of_shown_count(cell.count)
    is_unsafe = at in suppression.primary
    least, greatest = reader.of_hidden_count(cell.count, inf, is_unsafe=is_unsafe)
    return least, (None if greatest == inf else greatest)


def _tell_other(cell: Cell, at: int, suppression: Suppression) -> tuple[float, float | None]:
    return (0.0, None) if at in suppression.suppressed else (cell.value, cell.value)


def add_release(connection: Connection, release: Release) -> None:
    """Write down a released table; once only for each output of a run."""
    table, scope = schema.releases, release.scope
    known = select(table.c.number).where(
        table.c.request_key == release.request,
        table.c.run == release.run,
        table.c.name == release.name,
    )
    if connection.execute(known).first() is not None:
        return
    connection.execute(
        insert(table).values(
            request_key=release.request,
            run=release.run,
            name=release.name,
            released_at=release.moment,
            population=scope.population,
            measure=scope.measure,
            first_day=scope.first_day.isoformat() if scope.first_day else None,
            last_day=scope.last_day.isoformat() if scope.last_day else None,
            limits=dict(scope.limits),
            dimensions=list(release.dimensions),
            places=[list(place) for place in release.places],
            shown=list(release.shown),
            known=[list(one) for one in release.known],
            sums=[list(one) for one in release.sums],
        )
    )


def find_neighbours(connection: Connection, scope: Scope) -> tuple[Release, ...]:
    """Return the releases that may tell on a table of this scope, or it on them, oldest first.

    Those that meet it, and those that meet one of them: a month meets its year, and by it the other
    months.
    """
    table = schema.releases
    alike = (table.c.population == scope.population) & (table.c.measure == scope.measure)
    days = [table.c.number, table.c.first_day, table.c.last_day]
    scopes = {
        row.number: Scope(scope.population, scope.measure, _day(row.first_day), _day(row.last_day))
        for row in connection.execute(select(*days).where(alike))
    }
    near = [number for number, one in scopes.items() if one.meets(scope)]
    wanted = [n for n, one in scopes.items() if any(one.meets(scopes[other]) for other in near)]
    rows = connection.execute(
        select(table).where(table.c.number.in_(wanted)).order_by(table.c.number)
    )
    return tuple(_release_of(row) for row in rows)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _release_of(row: Row[Any]) -> Release:
    scope = Scope(row.population, row.measure, _day(row.first_day), _day(row.last_day), row.limits)
    return Release(
        row.request_key,
        row.run,
        row.name,
        row.released_at,
        scope,
        tuple(row.dimensions),
        tuple(tuple(place) for place in row.places),
        tuple(row.shown),
        tuple((least, greatest) for least, greatest in row.known),
        tuple(tuple(one) for one in row.sums),
    )
