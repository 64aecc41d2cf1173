"""From a database to the file of one dataset that a run reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wardbook.datasets import Dataset, Kind
from wardbook.errors import DataProblem
from wardbook.omop.cdm import Cdm
from wardbook.omop.views import find_view, optional_tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TYPES = {
    Kind.TEXT: ("string", "string"),
    Kind.INTEGER: ("int64", "int64"),
    Kind.NUMBER: ("float64", "float64"),
    Kind.DAY: ("timestamp(6)", "timestamp[us]"),
    Kind.MOMENT: ("timestamp(6)", "timestamp[us]"),
    Kind.FLAG: ("boolean", "bool"),
}
"""What Ibis and Arrow call the type of a column."""


def extract(
    dataset: Dataset,
    open_table: Callable[[str], ir.Table],
    asked: Mapping[str, Any],
    out: Path,
) -> int:
    """Write the rows of a dataset to a Parquet file, in the order of its key.

    The same rows give the same file whichever engine holds them.

    Args:
        dataset: what is to be made.
        open_table: returns a table of the model by its name, see `open_warehouse`.
        asked: the template's parameters, typed.
        out: the file, `NAME.parquet`.

    Returns:
        How many rows there are.

    Raises:
        DataProblem: there is no row, or the dataset cannot be made of the model.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    view = find_view(dataset.name)
    if view is None:
        raise DataProblem("no_view", kind=dataset.name)
    wanted = {name: asked.get(name) for name in view.PARAMETERS}
    rows = view.view(Cdm(open_table, (*view.TABLES, *optional_tables(dataset.name))), wanted)
    cast = rows.select(
        **{
            column.name: rows[column.name].cast(_TYPES[column.kind][0])
            for column in dataset.columns
        }
    )
    table = cast.to_pyarrow()
    # Sorted here: databases differ in how they order texts.
    types = {column.name: _TYPES[column.kind][1] for column in dataset.columns}
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in types.items()])
    table = table.cast(schema).sort_by([(name, "ascending") for name in dataset.key])
    if not table.num_rows:
        raise DataProblem("no_data_asked", file=dataset.name)
    pq.write_table(table.replace_schema_metadata(None), out)
    return int(table.num_rows)
