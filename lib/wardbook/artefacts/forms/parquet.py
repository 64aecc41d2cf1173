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

_TEXT = "BYTE_ARRAY"
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
        metadata = pq.ParquetFile(io.BytesIO(content), **limits).metadata
        _refuse_bombs(metadata, notes)
        texts = [column.path for column in _columns(metadata) if column.physical_type == _TEXT]
        # A text that a column repeats a million times stands in the file once; in memory too.
        file = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts, **limits)
        _read_footer(file, notes)
        rows: list[tuple[str, ...]] = []
        for batch in file.iter_batches(batch_size=1024, use_threads=False):
            _refuse_repetitions(batch, notes)
            rows += zip(*map(_texts, batch.columns), strict=True)
        notes.add_grid("table 1", _names(file), rows)
    except (pa.ArrowException, OSError, ValueError, UnicodeError, OverflowError):
        raise Unreadable("broken") from None


def _names(file: Any) -> list[str]:
    """Return the names of the columns as a reader of the table sees them."""
    return [field.name for field in file.schema_arrow]


def _columns(metadata: Any) -> list[Any]:
    return [metadata.schema.column(at) for at in range(len(metadata.schema))]


def _refuse_repetitions(batch: Any, notes: Notes) -> None:
    """Refuse a batch whose repeated texts come to more than all text may."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if batch.nbytes > notes.bounds.unfolded_bytes:
        raise Unreadable("bomb")
    for column in batch.columns:
        if pa.types.is_dictionary(column.type) and len(column.dictionary):
            lengths = pc.binary_length(column.dictionary).take(column.indices)
            if (pc.sum(lengths).as_py() or 0) > notes.bounds.characters:
                raise Unreadable("bomb")


def _refuse_bombs(metadata: Any, notes: Notes) -> None:
    if metadata.num_row_groups > notes.bounds.members:
        raise Unreadable("too_many_parts")
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    values = sum(one.column(at).num_values for one in groups for at in range(one.num_columns))
    if max(values, metadata.num_rows) > notes.bounds.cells:
        raise Unreadable("too_many_cells")
    fixed = sum(max(0, column.length) for column in _columns(metadata)) * metadata.num_rows
    if sum(one.total_byte_size for one in groups) + fixed > notes.bounds.unfolded_bytes:
        raise Unreadable("bomb")


def _read_footer(file: Any, notes: Notes) -> None:
    pairs = dict(file.metadata.metadata or {})
    shown = set(_names(file))
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
                if chunk.physical_type == _TEXT:
                    notes.report("statistics", place)


def _texts(column: Any) -> list[str]:
    return ["" if value is None else str(value) for value in column.to_pylist()]
