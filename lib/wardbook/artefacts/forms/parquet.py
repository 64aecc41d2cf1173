"""Parquet: its columns, and what its footer tells beside them.

Source: the Apache Parquet format, `FileMetaData`; pyarrow keeps pandas' own account under the key
`pandas` of the key-value metadata.
"""

from __future__ import annotations

import io
import json
from typing import Any

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes

_OWN_KEYS = (b"pandas", b"ARROW:schema")


def read_parquet(content: bytes, notes: Notes) -> None:
    """Read a Parquet file: cells, key-value metadata, pandas' index, statistics of row groups.

    Raises:
        Unreadable: it is broken, encrypted, or unfolds beyond the bounds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if len(content) < 12 or content[-4:] != b"PAR1":
        raise Unreadable("broken")
    limits = {"thrift_string_size_limit": 1 << 24, "thrift_container_size_limit": 1 << 20}
    try:
        file = pq.ParquetFile(io.BytesIO(content), **limits)
        _refuse_bombs(file.metadata, notes)
        _read_footer(file, notes)
        names = [column.path for column in map(file.schema.column, range(len(file.schema)))]
        place, rows = "table 1", []
        for batch in file.iter_batches(batch_size=4096, use_threads=False):
            if batch.nbytes > notes.bounds.unfolded_bytes:
                raise Unreadable("bomb")
            columns = [_texts(column) for column in batch.columns]
            rows += list(zip(*columns, strict=True))
            if len(rows) * max(1, len(columns)) > notes.bounds.cells:
                raise Unreadable("too_many_cells")
        notes.add_grid(place, names, rows)
    except (pa.ArrowException, OSError, ValueError, UnicodeError, OverflowError):
        raise Unreadable("broken") from None


def _refuse_bombs(metadata: Any, notes: Notes) -> None:
    if metadata.num_row_groups > notes.bounds.members:
        raise Unreadable("too_many_parts")
    if metadata.num_rows * max(1, metadata.num_columns) > notes.bounds.cells:
        raise Unreadable("too_many_cells")
    unfolded = sum(
        metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)
    )
    if unfolded > notes.bounds.unfolded_bytes:
        raise Unreadable("bomb")


def _read_footer(file: Any, notes: Notes) -> None:
    pairs = dict(file.metadata.metadata or {})
    shown = {column.path for column in map(file.schema.column, range(len(file.schema)))}
    for key, value in pairs.items():
        if key not in _OWN_KEYS:
            notes.report("metadata", "footer")
            notes.add("metadata", "footer", f"{key.decode('utf-8', 'replace')} "
                      f"{value.decode('utf-8', 'replace')}")  # fmt: skip
    _read_pandas(pairs.get(b"pandas"), shown, notes)
    for number, field in enumerate(file.schema_arrow, 1):
        for key, value in (field.metadata or {}).items():
            if key != b"PARQUET:field_id":
                notes.report("metadata", f"column {number}")
                text = f"{key.decode('utf-8', 'replace')} {value.decode('utf-8', 'replace')}"
                notes.add("metadata", f"column {number}", text)
    _read_statistics(file.metadata, notes)


def _read_pandas(raw: bytes | None, shown: set[str], notes: Notes) -> None:
    if raw is None:
        return
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("broken", "footer") from None
    if not isinstance(told, dict):
        raise Unreadable("broken", "footer")
    if told.get("attributes"):
        notes.report("metadata", "footer")
        notes.add("metadata", "footer", json.dumps(told["attributes"], ensure_ascii=False))
    for index in told.get("index_columns") or []:
        name = index.get("name") if isinstance(index, dict) else index
        if isinstance(index, str) and name in shown:
            notes.report("index", "footer")  # pandas shows it as an index: an overlooked column
        notes.add("metadata", "footer", str(name or ""))


def _read_statistics(metadata: Any, notes: Notes) -> None:
    """The least and the greatest value of a column stand in clear beside it."""
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            found = chunk.statistics
            if found is not None and found.has_min_max:
                place = f"row group {group + 1} column {column + 1}"
                notes.add("metadata", place, f"{found.min} {found.max}")
                if chunk.physical_type == "BYTE_ARRAY":
                    notes.report("statistics", place)


def _texts(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]
