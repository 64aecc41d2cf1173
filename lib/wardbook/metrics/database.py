"""The metrics' database: SQLite in a file, or PostgreSQL, with a table for each metric.

Tables are made when they are first written, and gain a column when their metric gains a measure. A
dimension that changes is refused: old and new rows would not mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.schema import CreateColumn

from wardbook.errors import Fault, ForeignFault
from wardbook.ledger.database import open_engine

_LOCK = 727433


class MetricChanged(Fault):
    """A metric has other dimensions than when its table was made."""


class MetricsDatabase:
    """The database at a URL; a context manager, which lets go of its connections at the end."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_engine(url)

    def __enter__(self) -> MetricsDatabase:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is the only one that writes.

        Raises:
            ForeignFault: the database cannot be reached, or refuses.
        """
        with self._translated("written"), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction for reading.

        Raises:
            ForeignFault: the database cannot be reached, or refuses.
        """
        with self._translated("read"):
            reader = self._engine.execution_options(reading=True)
            with reader.connect() as connection:
                yield connection

    @contextmanager
    def _translated(self, done: str) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            place = self._engine.url.render_as_string(hide_password=True)
            away = isinstance(error, OperationalError)
            mend = (
                "Check that the server runs and that `database` under [grafana] is right."
                if away
                else "Check what its account may do there; docs/metrics.md lists it."
            )
            # The driver's own words would repeat the values.
            kind = type(error.orig).__name__
            raise ForeignFault(f"Metrics could not be {done} at {place} ({kind}). {mend}") from None


def make_tables(connection: Connection, *tables: Table) -> None:
    """Make the tables that are missing, and add the measures that theirs do not have yet.

    Raises:
        MetricChanged: a table was made with other dimensions.
    """
    there = inspect(connection)
    for table in tables:
        if not there.has_table(table.name):
            table.create(connection)
            continue
        refuse_changed(connection, table)
        known = {column["name"] for column in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in known:
                _add_column(connection, table, column.name)


def refuse_changed(connection: Connection, table: Table) -> None:
    """Tell a table, if it is there, whose dimensions are no longer those of its metric.

    Raises:
        MetricChanged: it has others.
    """
    placing = {column.name for column in table.primary_key}
    there = inspect(connection)
    if not there.has_table(table.name):
        return
    found = set(there.get_pk_constraint(table.name)["constrained_columns"])
    if placing != found:
        raise MetricChanged(
            f"The table {table.name} of the metrics' database has the dimensions {_name(found)}; "
            f"its template now declares {_name(placing)}. Give the output another name, or drop "
            "that table if its history is to go."
        )


def _add_column(connection: Connection, table: Table, name: str) -> None:
    made = CreateColumn(table.columns[name]).compile(connection)
    named = connection.dialect.identifier_preparer.format_table(table)
    connection.exec_driver_sql(f"alter table {named} add column {made}")


def _name(columns: set[str]) -> str:
    return ", ".join(sorted(columns - {"request", "time"})) or "none"
