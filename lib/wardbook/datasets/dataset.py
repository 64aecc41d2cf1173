"""One kind of data: what a row is, and what stands in each column."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Kind(StrEnum):
    """What a column holds; in brackets its dtype in the frame that a notebook gets.

    Days and moments are local, without a zone. A missing number of an optional integer column
    makes it Int64.
    """

    TEXT = "text"  # (str) a code or a name: 1 to 80 characters, never a formula
    INTEGER = "integer"  # (int64)
    NUMBER = "number"  # (float64)
    DAY = "day"  # (datetime64[us])
    MOMENT = "moment"  # (datetime64[us])
    FLAG = "flag"  # (bool) 0 or 1 in a file


@dataclass(frozen=True)
class Column:
    """One column: what it holds and what it means, for the documentation.

    `low` and `high` bound what can be true (both included); `choices` are the only values.
    """

    name: str
    kind: Kind
    meaning: str
    optional: bool = False
    choices: tuple[str, ...] = ()
    low: float | date | None = None
    high: float | date | None = None
    unit: str = ""


@dataclass(frozen=True)
class Dataset:
    """One kind of data.

    `row` says what one row is. `key` are the columns that no two rows share, and the order of the
    rows of an extract. `moment` names the column of days or moments that tells how fresh the data
    are, `place` the one by which their completeness is looked at; "" where there is none.
    `other_forms`: files of this kind may have other headers too, which their template's own reader
    knows (a public file, for instance).
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    moment: str = ""
    place: str = ""
    delimiter: str = ";"
    other_forms: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Return a column by its name.

        Raises:
            KeyError: there is none.
        """
        return {column.name: column for column in self.columns}[name]

    def is_form_of(self, path: Path) -> bool:
        """Tell whether a file has this dataset's header, or is an extract.

        Raises:
            OSError: the file cannot be read.
        """
        if path.suffix != ".csv":
            return True
        with path.open("rb") as file:
            header = file.readline(10_000).removeprefix(b"\xef\xbb\xbf").strip()
        return header == self.delimiter.join(self.names).encode()

    def read(self, path: Path) -> pd.DataFrame:
        """Read a file of this kind: CSV, the first sheet of an Excel workbook, a Parquet extract.

        CSV is in UTF-8 and has `delimiter` and a header; a workbook (`.xlsx`) has the same header.
        Rows keep their order. Forms are strict; whether values can be true is looked at before the
        run, see `wardbook.datasets.readiness`.

        Raises:
            DataProblem: the file is not what its format promises; names file, line and column.
        """
        from wardbook.datasets.reading import read_dataset

        return read_dataset(self, path)
