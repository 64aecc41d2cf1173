"""Asks the database whether it can answer every query of a board, before anything is pushed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import DBAPIError

from wardbook.dashboards.board import Board
from wardbook.dashboards.macros import Dialect, Window, expand

ANY_TIME = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC))
"""For a query of which it does not matter."""


@dataclass(frozen=True)
class Unanswerable:
    """A query that the database cannot answer: where it stands, and what the database says."""

    board: str
    place: str
    table: str
    said: str

    def __str__(self) -> str:
        return (
            f"dashboard {self.board}, {self.place}, table {self.table}: {self.said}. "
            "The table comes, or gains its columns, with the first release of the metric."
        )


def find_unanswerable(connection: Connection, board: Board) -> Iterator[Unanswerable]:
    """Yield each query of a board that the database cannot answer; nothing is read.

    Raises:
        DBAPIError: the database is away.
    """
    missing = find_missing(connection, board.tables)
    for place, table, query in _queries(board):
        if table in missing:
            yield Unanswerable(board.name, place, table, "the table is not there")
        elif said := explain(connection, query):
            yield Unanswerable(board.name, place, table, said)
    if missing:
        return
    for variable in board.variables:
        if said := explain(connection, variable.query):
            tables = ", ".join(board.tables)
            yield Unanswerable(board.name, f"variable {variable.name}", tables, said)


def find_missing(connection: Connection, tables: Iterable[str]) -> frozenset[str]:
    """Return the tables that are not there."""
    there = inspect(connection)
    return frozenset(table for table in tables if not there.has_table(table))


def _queries(board: Board) -> Iterator[tuple[str, str, str]]:
    for panel in board.panels:
        yield f"panel {panel.name}", panel.table, panel.query
    for panel, threshold, alert, _uid in board.alerts():
        yield f"alert {panel.name} at {threshold.value:g}", panel.table, alert.query


def explain(connection: Connection, query: str) -> str:
    """Return what the database says against a query; nothing where it would answer it.

    It is asked with constants of ours in the place of codes: its words hold nothing of the data.

    Raises:
        DBAPIError: the database is away.
    """
    nothing: Mapping[str, tuple[str, ...]] = {}
    sent = expand(query, ANY_TIME, nothing, dialect_of(connection))
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(
                f"EXPLAIN {sent}", execution_options={"no_parameters": True}
            ).close()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        told = getattr(getattr(error.orig, "diag", None), "message_primary", None)
        return str(told or error.orig).splitlines()[0]
    return ""


def dialect_of(connection: Connection) -> Dialect:
    """Return which of the two databases this is."""
    return cast(Dialect, connection.dialect.name)
