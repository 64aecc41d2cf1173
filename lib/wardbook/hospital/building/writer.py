"""Rows of the model's tables into Parquet, one file a table, batch by batch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wardbook.hospital.building.batch import Rows
from wardbook.omop.tables import DAY, FLOAT, ID, INT, MOMENT, TABLES, TEXT

LABELS: Mapping[str, Mapping[str, str]] = {
    "truth-notes": {
        "note_id": ID,
        "sentence": INT,
        "start": INT,
        "end": INT,
        "text": TEXT,
        "condition": TEXT,
        "qualifier": TEXT,
    },
}
"""What parts plant row by row, beside the model: for judging a method, never for a view."""

_TYPES = {
    ID: pa.int64(),
    INT: pa.int32(),
    FLOAT: pa.float64(),
    TEXT: pa.string(),
    DAY: pa.date32(),
    MOMENT: pa.timestamp("us"),
}


def arrow_schema(table: str) -> pa.Schema:
    """Return the schema of a table of the model, or of labels."""
    columns = TABLES[table] if table in TABLES else LABELS[table]
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns.items()])


def to_arrow(table: str, rows: pd.DataFrame) -> pa.Table:
    """Return rows with all columns of the table, those that are left out empty.

    Raises:
        KeyError: a column is none of the table's.
    """
    schema, count = arrow_schema(table), len(rows)
    surplus = [name for name in rows.columns if name not in schema.names]
    if surplus:
        raise KeyError(f"{table} has no column {', '.join(surplus)}")
    columns = [
        pa.Array.from_pandas(rows[field.name], type=field.type)
        if field.name in rows.columns
        else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


class ParquetWriter:
    """Writes every table of the model to `cdm/NAME.parquet`, and labels where there are any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> ParquetWriter:
        (self._folder / "cdm").mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            self._start(table, self._folder / "cdm")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for writer in self._open.values():
            writer.close()

    def write(self, rows: Rows) -> None:
        """Append rows, by table."""
        for table, frame in rows.items():
            if table in LABELS and table not in self._open:
                self._start(table, self._folder)
            if len(frame):
                self._open[table].write_table(to_arrow(table, frame))

    def _start(self, table: str, folder: Path) -> None:
        self._open[table] = pq.ParquetWriter(
            folder / f"{table}.parquet", arrow_schema(table), compression="zstd"
        )
