"""From a source's file to a typed table of DuckDB, in a file of the secure side: memory is bounded.

What does not have its column's form is taken for missing; a row without a person is left out.
"""

# ruff: noqa: S608  what is put into the queries are the plans' own column names

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.datasets import Column, Dataset, Kind
from wardbook.errors import DataProblem
from wardbook.twin.roles import After, Moment, Plan

if TYPE_CHECKING:
    import duckdb

MEMORY = "1GB"
"""What DuckDB may take; beyond it uses the folder of the working table."""
_TEXT = r"[\p{L}\p{N}][^\x00-\x1f\x7f-\x{9f}]{0,79}"


def open_working(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an empty database in a folder that is the platform's own."""
    import duckdb

    connection = duckdb.connect(
        str(folder / "working.duckdb"),
        config={"memory_limit": MEMORY, "temp_directory": str(folder), "threads": 2},
    )
    connection.execute("SET enable_progress_bar = false")
    return connection


def load_source(connection: duckdb.DuckDBPyConnection, plan: Plan, path: Path) -> None:
    """Read a file into the table `t`, in the columns' types.

    Raises:
        DataProblem: it is not there, cannot be read, or has other columns.
    """
    import duckdb

    try:
        source = _open_file(connection, plan.dataset, path)
        have = [row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall()]
        missing = [name for name in plan.dataset.names if name not in have]
        if missing:
            raise DataProblem(
                "columns_missing",
                file=path.name,
                column=", ".join(missing),
                expected=plan.dataset.delimiter.join(plan.dataset.names),
            )
        columns = ", ".join(f'{_typed(one)} AS "{one.name}"' for one in plan.dataset.columns)
        connection.execute(f"CREATE TABLE loaded AS SELECT {columns} FROM ({source})")
    except (duckdb.Error, OSError):
        # DuckDB's words may hold a cell.
        raise DataProblem("file_unreadable", file=path.name) from None
    _keep_usable(connection, plan)


def _open_file(connection: duckdb.DuckDBPyConnection, dataset: Dataset, path: Path) -> str:
    """Return a query of all rows of a file, each cell as it stands there."""
    if not path.is_file():
        raise DataProblem("file_missing", file=path.name)
    quoted = "'" + str(path).replace("'", "''") + "'"
    if path.suffix == ".parquet":
        return f"SELECT * FROM read_parquet({quoted})"
    if path.suffix.lower() == ".xlsx":
        connection.register("workbook", dataset.read(path))
        return "SELECT * FROM workbook"
    return (
        f"SELECT * FROM read_csv({quoted}, delim='{dataset.delimiter}', header=true, "
        "all_varchar=true, quote='\"', escape='\"')"
    )


def _typed(column: Column) -> str:
    name = f'"{column.name}"'
    text = f"CAST({name} AS VARCHAR)"
    if column.kind is Kind.TEXT:
        fits = f"regexp_full_match({text}, '{_TEXT}')"
        if column.choices:
            choices = ", ".join(f"'{choice}'" for choice in column.choices)
            fits = f"{text} IN ({choices})"
        return f"CASE WHEN {fits} THEN {text} END"
    if column.kind is Kind.FLAG:
        return (
            f"CASE WHEN {text} IN ('1', 'true') THEN '1' WHEN {text} IN ('0', 'false') THEN '0' END"
        )
    if column.kind in (Kind.DAY, Kind.MOMENT):
        return f"TRY_CAST({name} AS TIMESTAMP)"
    return f"TRY_CAST({name} AS DOUBLE)"


def _keep_usable(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Keep rows of somebody with a beginning; times that run backwards are taken for missing."""
    columns = []
    needed = [f'"{plan.person}" IS NOT NULL']
    for one in plan.dataset.columns:
        role, name = plan.roles[one.name], f'"{one.name}"'
        if isinstance(role, After) and not role.or_before:
            columns.append(f'CASE WHEN {name} >= "{role.start}" THEN {name} END AS {name}')
        else:
            columns.append(name)
        if isinstance(role, Moment) and not one.optional:
            needed.append(f"{name} IS NOT NULL")
    connection.execute(
        f"CREATE TABLE t AS SELECT {', '.join(columns)} FROM loaded WHERE {' AND '.join(needed)}"
    )
    connection.execute("DROP TABLE loaded")
