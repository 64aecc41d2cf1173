"""The rows of a twin as a file of the source's own form: CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wardbook.datasets import Column, Dataset, Kind

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["csv", "parquet"]
_ARROW = {
    Kind.TEXT: "string",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "float64",
    Kind.DAY: "timestamp[us]",
    Kind.MOMENT: "timestamp[us]",
    Kind.FLAG: "bool",
}


def write_twin(dataset: Dataset, parts: Iterable[pd.DataFrame], file: Path, form: Form) -> int:
    """Write a twin's rows, part by part; returns how many there are.

    Args:
        dataset: of the rows.
        parts: the rows.
        file: a new file.
        form: how it is written.
    """
    return (_write_csv if form == "csv" else _write_parquet)(dataset, parts, file)


def _write_csv(dataset: Dataset, parts: Iterable[pd.DataFrame], file: Path) -> int:
    rows = 0
    with file.open("w", encoding="utf-8", newline="") as stream:
        stream.write(dataset.delimiter.join(dataset.names) + "\n")
        for part in parts:
            texts = part.assign(**{one.name: _as_text(part, one) for one in dataset.columns})
            texts.to_csv(stream, sep=dataset.delimiter, header=False, index=False)
            rows += len(part)
    return rows


def _as_text(part: pd.DataFrame, column: Column) -> Any:
    values = part[column.name]
    if column.kind is Kind.DAY:
        return values.dt.strftime("%Y-%m-%d")
    if column.kind is Kind.MOMENT:
        return values.dt.strftime("%Y-%m-%dT%H:%M")
    return values.astype("int64") if column.kind is Kind.FLAG else values


def _write_parquet(dataset: Dataset, parts: Iterable[pd.DataFrame], file: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema_of(dataset.columns)
    rows = 0
    with pq.ParquetWriter(file, schema) as writer:
        for part in parts:
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
            rows += len(part)
    return rows


def _schema_of(columns: Sequence[Column]) -> Any:
    import pyarrow as pa

    return pa.schema([(one.name, pa.type_for_alias(_ARROW[one.kind])) for one in columns])
