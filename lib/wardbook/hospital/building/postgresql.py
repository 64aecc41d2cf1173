"""A built hospital into a schema of PostgreSQL: whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from wardbook.errors import ForeignFault, Refusal
from wardbook.hospital.building.build import SOURCE_NAME
from wardbook.omop.tables import DAY, FLOAT, ID, INT, MOMENT, TABLES, TEXT

if TYPE_CHECKING:
    import psycopg

_TYPES = {
    ID: "bigint",
    INT: "integer",
    FLOAT: "double precision",
    TEXT: "text",
    DAY: "date",
    MOMENT: "timestamp",
}
_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Place:
    """A schema of a database; `url` is libpq's, and may hold a password."""

    url: str = field(repr=False)
    schema: str

    @classmethod
    def parse(cls, address: str) -> Place:
        """Read `postgresql://USER@HOST/DATABASE?schema=NAME`.

        Raises:
            Refusal: it is none, or names no schema.
        """
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query))
        schema = asked.pop("schema", "")
        if parts.scheme != "postgresql":
            raise Refusal(
                "The hospital goes to PostgreSQL: write the address as "
                "postgresql://USER@HOST/DATABASE?schema=NAME."
            )
        if not schema:
            raise Refusal(
                "The address names no schema. Add ?schema=NAME: the hospital's tables get a schema "
                "of their own."
            )
        return cls(urlunsplit(parts._replace(query=urlencode(asked))), schema)


def check_place(place: Place) -> None:
    """Say before the work whether a hospital could be copied there; changes nothing.

    Raises:
        Refusal, ForeignFault: as `copy_to_postgresql` would.
    """
    with _connected(place) as connection:
        _take_schema(connection, place)
        connection.rollback()


def copy_to_postgresql(tables: Path, place: Place) -> int:
    """Copy `NAME.parquet` of every table of the model into a schema; returns the number of rows.

    One transaction: others see the hospital that was there before, then the new one. The schema is
    made where it is missing; one that holds a hospital of ours is filled anew.

    Raises:
        Refusal: the schema holds something else.
        ForeignFault: the server cannot be reached, or refused it.
    """
    with _connected(place) as connection:
        _take_schema(connection, place)
        return sum(_copy_table(connection, tables, table) for table in TABLES)


@contextmanager
def _connected(place: Place) -> Iterator[psycopg.Connection[Any]]:
    import psycopg

    try:
        with psycopg.connect(place.url, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error as error:
        # Its own words may hold the address with the password.
        why = error.diag.message_primary or type(error).__name__
        raise ForeignFault(
            f"PostgreSQL did not take the hospital into the schema {place.schema} ({why}); nothing "
            "was changed there. Check the address, that the server runs, and that the account may "
            "create in the database; a password is read from PGPASSWORD or ~/.pgpass too."
        ) from None


def _take_schema(connection: psycopg.Connection[Any], place: Place) -> None:
    """Make the schema ours for the rest of the transaction, and empty."""
    from psycopg import sql

    # Two builds at once: the second waits until the first has ended, then replaces it.
    connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (place.schema,))
    connection.execute(
        sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(place.schema))
    )
    connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(place.schema)))
    held = _find_held(connection, place.schema)
    if held and not (set(held) <= set(TABLES) and _is_ours(connection, held)):
        raise Refusal(
            f"The schema {place.schema} holds something else than a hospital made here "
            f"({len(held)} things). Nothing was changed. Name another with ?schema=NAME."
        )
    for table in held:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))
    for table, columns in TABLES.items():
        connection.execute(_write_table(table, columns))


def _find_held(connection: psycopg.Connection[Any], schema: str) -> Sequence[str]:
    """Return the names of all that a schema holds, but for the indexes of its tables."""
    rows = connection.execute(
        "WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = %s)"
        " SELECT relname FROM pg_class JOIN here ON relnamespace = here.oid"
        " WHERE relkind NOT IN ('i', 'I', 't')"
        " UNION ALL SELECT proname FROM pg_proc JOIN here ON pronamespace = here.oid"
        " UNION ALL SELECT typname FROM pg_type JOIN here ON typnamespace = here.oid"
        " WHERE typrelid = 0 AND typelem = 0",
        (schema,),
    )
    return [name for (name,) in rows]


def _is_ours(connection: psycopg.Connection[Any], held: Sequence[str]) -> bool:
    if "cdm_source" not in held:
        return False
    names = connection.execute("SELECT cdm_source_name FROM cdm_source").fetchall()
    return names == [(SOURCE_NAME,)]


def _write_table(table: str, columns: Any) -> Any:
    from psycopg import sql

    # The first column is the table's own id; of a death it is the person's, who dies once.
    first = next(iter(columns))
    return sql.SQL("CREATE TABLE {} ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(
            sql.SQL("{} {}").format(
                sql.Identifier(name),
                sql.SQL(
                    _TYPES[kind] + (" PRIMARY KEY" if name == first != "cdm_source_name" else "")
                ),
            )
            for name, kind in columns.items()
        ),
    )


def _copy_table(connection: psycopg.Connection[Any], tables: Path, table: str) -> int:
    from psycopg import sql

    file = pq.ParquetFile(tables / f"{table}.parquet")
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        for rows in file.iter_batches(_ROWS_AT_ONCE):
            copy.write(_to_csv(rows))
    if "person_id" in TABLES[table] and table not in ("person", "death"):
        connection.execute(sql.SQL("CREATE INDEX ON {} (person_id)").format(sql.Identifier(table)))
    connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
    return int(file.metadata.num_rows)


def _to_csv(rows: pa.RecordBatch) -> bytes:
    """Return rows as CSV in which an empty text is quoted and a missing value is not."""
    out = io.BytesIO()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(rows, out, write_options=options)
    return out.getvalue()
