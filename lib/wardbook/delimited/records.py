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
    """Where each row that is not blank stands: start and end in the bytes, line, fields."""

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    fields: np.ndarray


def read_records(path: Path, layouts: Sequence[tuple[str, ...]], *, delimiter: str) -> Records:
    """Read a UTF-8 file (with or without byte order mark) whose header is one of `layouts`.

    Blank lines are passed over; the last line must end with a line end.

    Raises:
        DataProblem: the file cannot be read, or its structure is not what a layout promises.
    """
    file = path.name
    text = _decode_lines(file, _read_bytes(path))
    ended = text.endswith(b"\n")
    data = text if ended else text + b"\n"
    structure = _find_structure(file, data, delimiter)
    if not structure.lines.size:
        raise DataProblem("file_empty", file=file)
    first = data[structure.starts[0] : structure.ends[0]].decode()
    columns = check_header(file, first, int(structure.lines[0]), layouts, delimiter=delimiter)
    _check_rows(file, structure, expected=len(columns), ended=ended)
    frame = pd.read_csv(
        io.BytesIO(data[structure.ends[0] + 1 :]),
        sep=delimiter,
        names=list(columns),
        header=None,
        dtype=str,
        na_filter=False,
        lineterminator="\n",
    ).astype("category")  # not as dtype above: pandas would turn the text "01" into a number
    frame.index = pd.Index(structure.lines[1:], name="line")
    return Records(file, frame)


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


def _find_structure(file: str, data: bytes, delimiter: str) -> _Structure:
    codes = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(codes == NEWLINE)
    quotes = codes == QUOTE
    inside = np.logical_xor.accumulate(quotes)
    _check_quotes(file, codes, np.flatnonzero(quotes), newlines, ord(delimiter))
    ends = newlines[~inside[newlines]]
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    delimiters = np.flatnonzero((codes == ord(delimiter)) & ~inside)
    fields = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1
    lines = np.searchsorted(newlines, starts) + 1
    filled = ends > starts
    return _Structure(starts[filled], ends[filled], lines[filled], fields[filled])


def _check_quotes(
    file: str, codes: np.ndarray, quotes: np.ndarray, newlines: np.ndarray, delimiter: int
) -> None:
    """Refuse a quote that neither opens nor closes a whole field, and one never closed."""
    edges = np.array([delimiter, NEWLINE, QUOTE], dtype=np.uint8)
    opening, closing = quotes[::2], quotes[1::2]
    before = codes[np.maximum(opening - 1, 0)]
    # The data end with a line end, so no quote is the last byte.
    wrong = np.concatenate(
        (
            opening[~np.isin(before, edges) & (opening > 0)],
            closing[~np.isin(codes[closing + 1], edges)],
            quotes[-1:] if quotes.size % 2 else quotes[:0],
        )
    )
    if wrong.size:
        row = int(np.searchsorted(newlines, wrong.min())) + 1
        raise DataProblem("quote_misplaced", file=file, row=row)


def _check_rows(file: str, structure: _Structure, *, expected: int, ended: bool) -> None:
    lines, fields = structure.lines[1:], structure.fields[1:]
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
