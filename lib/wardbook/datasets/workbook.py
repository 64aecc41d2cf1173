"""The first sheet of an Excel workbook, as strictly as a CSV file is read.

Excel changes what it is given: codes lose their zeros, dates become numbers, numbers become texts.
So each cell has to be what its column holds: a number a number, a date a date, a code a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import pandas as pd

from wardbook.datasets.dataset import Column, Dataset, Kind
from wardbook.delimited import Records
from wardbook.delimited.header import check_header
from wardbook.errors import DataProblem

_MOST_BYTES = 100 * 1024**2


def read_workbook(dataset: Dataset, path: Path) -> Records:
    """Return the rows of the first sheet as texts, each with its row in the sheet.

    Raises:
        DataProblem: it cannot be read, has not the dataset's header, has merged cells or formulas,
            or a cell is not what its column holds; names sheet row and column.
    """
    sheet = _open_sheet(path)
    if sheet.merged_cells.ranges:
        first = min(one.min_row for one in sheet.merged_cells.ranges)
        raise DataProblem("cells_merged", file=path.name, row=first)
    rows = enumerate(sheet.iter_rows(), 1)
    filled = ((number, row) for number, row in rows if any(c.value is not None for c in row))
    number, header = next(filled, (0, ()))
    if not header:
        raise DataProblem("file_empty", file=path.name)
    cells = list(filled)
    names = [str(cell.value) for cell in header if cell.value is not None]
    text = dataset.delimiter.join(names)
    check_header(path.name, text, number, [dataset.names], delimiter=dataset.delimiter)
    if not cells:
        raise DataProblem("no_rows", file=path.name)
    _require_width(path.name, cells, len(names))
    index = pd.Index([row for row, _ in cells], name="line")
    texts = {
        column.name: list(_write_column(path.name, column, [(n, row[at]) for n, row in cells]))
        for at, column in enumerate(dataset.columns)
    }
    return Records(path.name, pd.DataFrame(texts, index=index, dtype="str").astype("category"))


def _open_sheet(path: Path) -> Any:
    from openpyxl import load_workbook

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataProblem("file_unreadable", file=path.name)
        return load_workbook(path).worksheets[0]
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except (OSError, BadZipFile, KeyError, ValueError, TypeError, IndexError):
        raise DataProblem("file_unreadable", file=path.name) from None


def _require_width(file: str, cells: list[tuple[int, Any]], width: int) -> None:
    for number, row in cells:
        if any(cell.value is not None for cell in row[width:]):
            raise DataProblem("fields_count", file=file, row=number, count=1, expected=width)


def _write_column(file: str, column: Column, cells: list[tuple[int, Any]]) -> Iterator[str]:
    """Yield each cell as a CSV file would have it."""
    write = _WRITERS[column.kind]
    for number, cell in cells:
        place: dict[str, str | int] = {"file": file, "row": number, "column": column.name}
        if cell.data_type in ("f", "e"):
            raise DataProblem("cell_formula", **place)
        if cell.value is None:
            yield ""
            continue
        text = write(cell.value)
        if text is None:
            raise DataProblem(_CODES[column.kind], count=1, **place)
        yield text


def _write_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _write_number(value: object) -> str | None:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) else None


def _write_day(value: object) -> str | None:
    if not isinstance(value, date):
        return None
    if isinstance(value, datetime) and value.time() != time():
        return None
    return value.strftime("%Y-%m-%d")


def _write_moment(value: object) -> str | None:
    if not isinstance(value, datetime):
        return None
    # Excel holds days as fractions: a minute comes back with a few microseconds too many or few.
    rounded = (value + timedelta(milliseconds=500)).replace(microsecond=0)
    return rounded.strftime("%Y-%m-%dT%H:%M" if not rounded.second else "%Y-%m-%dT%H:%M:%S")


_WRITERS: dict[Kind, Callable[[object], str | None]] = {
    Kind.TEXT: _write_text,
    Kind.INTEGER: _write_number,
    Kind.NUMBER: _write_number,
    Kind.FLAG: _write_number,
    Kind.DAY: _write_day,
    Kind.MOMENT: _write_moment,
}
_CODES = {
    Kind.TEXT: "cell_not_text",
    Kind.INTEGER: "cell_not_number",
    Kind.NUMBER: "cell_not_number",
    Kind.FLAG: "cell_not_number",
    Kind.DAY: "cell_not_date",
    Kind.MOMENT: "cell_not_date",
}
