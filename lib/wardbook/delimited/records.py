"""From the bytes of a delimited file to rows of text, each with its line number.

pandas splits the fields, but it forgets where a row stood once lines are blank or a quoted field
goes over several lines. So the structure (line ends, quotes, number of fields) is found first, in
numpy over the bytes, and gives each row its line.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wardbook.delimited.header import check_header
from wardbook.errors import DataProblem

QUOTE, NEWLINE = ord('"'), ord("\n")
BOM = b"\xef\xbb\xbf"
COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True)
class Records:
    """The rows of a file as text.

    `frame` has one categorical column of strings per column of the file; its index holds the
    1-based line of the file at which each row starts.
    """

    file: str
    frame: pd.DataFrame


@dataclass(frozen=True)
class _Structure:
    """Of each row that is not blank: its line and its number of fields."""

    lines: np.ndarray
    fields: np.ndarray


def read_records(path: Path, layouts: Sequence[tuple[str, ...]], *, delimiter: str) -> Records:
    """Read a UTF-8 file (with or without byte order mark) whose header is one of `layouts`.

    Blank lines are passed over; the last line must end with a line end. A Parquet file, as it is
    extracted from a database, is read as if it had been written in that format.

    Raises:
        DataProblem: the file cannot be read, or its structure is not what a layout promises.
    """
    file = path.name
    if path.suffix == ".parquet":
        return Records(file, _read_extract(path, layouts, delimiter))
    data = _decode_lines(file, _read_bytes(path))
    header, body, row = _split_header(file, data)
    columns = check_header(file, header, row, layouts, delimiter=delimiter)
    structure = _find_structure(file, body, delimiter, first_line=row + 1)
    _check_rows(file, structure, expected=len(columns), ended=data.endswith(b"\n"))
    frame = pd.read_csv(
        io.BytesIO(body),
        sep=delimiter,
        names=list(columns),
        header=None,
        dtype=str,
        na_filter=False,
        lineterminator="\n",
    ).astype("category")  # not as dtype above: pandas would turn the text "01" into a number
    frame.index = pd.Index(structure.lines, name="line")
    return Records(file, frame)


def _read_extract(path: Path, layouts: Sequence[tuple[str, ...]], delimiter: str) -> pd.DataFrame:
    """Return the rows of a Parquet file as texts, numbered as the lines of a file with a header."""
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except (OSError, ValueError):
        raise DataProblem("file_unreadable", file=path.name) from None
    check_header(path.name, delimiter.join(frame.columns), 1, layouts, delimiter=delimiter)
    if frame.empty:
        raise DataProblem("no_rows", file=path.name)
    texts = pd.DataFrame({name: _write_texts(frame[name]) for name in frame.columns})
    texts.index = pd.RangeIndex(2, len(texts) + 2, name="line")
    return texts.astype("category")


def _write_texts(column: pd.Series[Any]) -> pd.Series[str]:
    if column.dtype.kind == "M":
        whole = (column.dropna() == column.dropna().dt.normalize()).all()
        column = column.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M")
    return column.astype("str").where(column.notna(), "")


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataProblem("file_missing", file=path.name) from None
    except OSError:
        raise DataProblem("file_unreadable", file=path.name) from None
    if data.startswith(COMPRESSED):
        raise DataProblem("file_compressed", file=path.name)
    return data


def _decode_lines(file: str, data: bytes) -> bytes:
    """Return UTF-8 bytes without byte order mark, lines ended by LF alone."""
    try:
        data.decode("utf-8")
        bad = data.find(b"\0")
    except UnicodeDecodeError as error:
        bad = error.start
    if bad >= 0:
        raise DataProblem("not_utf8", file=file, row=data.count(b"\n", 0, bad) + 1)
    return data.removeprefix(BOM).replace(b"\r\n", b"\n")


def _split_header(file: str, data: bytes) -> tuple[str, bytes, int]:
    """Return the first line that is not blank, the bytes after it, and its number."""
    text = data.lstrip(b"\n")
    if not text:
        raise DataProblem("file_empty", file=file)
    header, _, body = text.partition(b"\n")
    ended = body if body.endswith(b"\n") or not body else body + b"\n"
    return header.decode(), ended, len(data) - len(text) + 1


def _find_structure(file: str, data: bytes, delimiter: str, *, first_line: int) -> _Structure:
    codes = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(codes == NEWLINE)
    quotes = codes == QUOTE
    inside = np.logical_xor.accumulate(quotes)
    wrong = _find_wrong_quotes(codes, np.flatnonzero(quotes), ord(delimiter))
    if wrong.size:
        row = int(np.searchsorted(newlines, wrong.min())) + first_line
        raise DataProblem("quote_misplaced", file=file, row=row)
    ends = newlines[~inside[newlines]]
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    delimiters = np.flatnonzero((codes == ord(delimiter)) & ~inside)
    fields = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1
    filled = ends > starts
    lines = np.searchsorted(newlines, starts) + first_line
    return _Structure(lines[filled], fields[filled])


def _find_wrong_quotes(codes: np.ndarray, quotes: np.ndarray, delimiter: int) -> np.ndarray:
    """Return where a quote neither opens nor closes a whole field, or is never closed."""
    edges = np.array([delimiter, NEWLINE, QUOTE], dtype=np.uint8)
    opening, closing = quotes[::2], quotes[1::2]
    before = codes[np.maximum(opening - 1, 0)]
    # The data end with a line end, so no quote is the last byte.
    return np.concatenate(
        (
            opening[~np.isin(before, edges) & (opening > 0)],
            closing[~np.isin(codes[closing + 1], edges)],
            quotes[-1:] if quotes.size % 2 else quotes[:0],
        )
    )


def _check_rows(file: str, structure: _Structure, *, expected: int, ended: bool) -> None:
    lines, fields = structure.lines, structure.fields
    if not lines.size:
        raise DataProblem("no_rows", file=file)
    wrong = np.flatnonzero(fields != expected)
    if wrong.size and (wrong[0] < lines.size - 1 or fields[-1] > expected):
        raise DataProblem(
            "fields_count",
            file=file,
            row=int(lines[wrong[0]]),
            expected=expected,
            count=int(wrong.size),
        )
    if wrong.size:
        raise DataProblem("line_cut", file=file, row=int(lines[-1]), expected=expected)
    if not ended:
        raise DataProblem("line_end_missing", file=file, row=int(lines[-1]))
