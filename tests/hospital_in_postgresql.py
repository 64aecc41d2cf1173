"""Copies tables of the embedded hospital into PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from psycopg import sql

from wardbook.omop.tables import DAY, FLOAT, ID, INT, MOMENT, TABLES, TEXT

_TYPES = {
    ID: "bigint", INT: "integer", FLOAT: "double precision",
    TEXT: "text", DAY: "date", MOMENT: "timestamp",
}  # fmt: skip


def copy_tables(cdm: Path, url: str, tables: Iterable[str] = TABLES) -> None:
    """Copy `cdm/NAME.parquet` into new tables of the database's public schema."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table in tables:
            name = sql.Identifier(table)
            columns = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_TYPES[kind]))
                for column, kind in TABLES[table].items()
            )
            cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(name, columns))
            into = sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(name)
            with cursor.copy(into) as copy:
                for batch in pq.ParquetFile(cdm / f"{table}.parquet").iter_batches():
                    out = pa.BufferOutputStream()
                    arrow_csv.write_csv(batch, out, arrow_csv.WriteOptions(include_header=False))
                    copy.write(out.getvalue().to_pybytes())
