"""Files taken apart into what can be searched: texts with their place, and rows of cells.

Text, CSV, JSON and notebooks are read here. What else leaves (images, workbooks, pages) is taken
apart by `wardbook.artefacts`, which hands its texts to the same search.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Cells = tuple[tuple[str, str], ...]

DATA_ADDRESS = re.compile(r"data:(?:text|application)/[\w.+-]{1,60};base64,([A-Za-z0-9+/=]{16,})")
WHOLE_BASE64 = re.compile(r"[A-Za-z0-9+/\n]{16,}={0,2}\n?")
IMAGES = ("image/png", "image/jpeg", "image/gif", "application/pdf")


@dataclass(frozen=True, repr=False)
class Text:
    """A text; `cell` is the 1-based number of the notebook's cell that it stands in, or 0.

    `column` is what a table or an object calls it.
    """

    text: str
    cell: int = 0
    column: str = ""


@dataclass(frozen=True, repr=False)
class Rows:
    """Rows of a table, or the objects of a JSON file: each a sequence of (column, value).

    `first_line` is the line of the first row, 0 where rows have no lines.
    """

    rows: tuple[Cells, ...]
    cell: int = 0
    first_line: int = 0
    is_table: bool = field(default=False, kw_only=True)


Fragment = Text | Rows


def take_apart(name: str, content: bytes) -> Iterator[Fragment]:
    """Yield what a file holds, by the ending of its name; nothing for what is not text."""
    ending = name.rpartition(".")[2].lower()
    text = _decode(content)
    if text is None:
        return
    if ending == "ipynb":
        yield from _take_notebook(text)
    elif ending in ("json", "geojson"):
        yield from _take_json(text)
    elif ending in ("csv", "tsv"):
        yield from _take_table(text, ending)
    else:
        yield from take_text(text)


def _decode(content: bytes) -> str | None:
    if b"\0" in content[:8000]:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16", errors="replace")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def take_text(text: str, cell: int = 0) -> Iterator[Text]:
    """Yield a text, and what is written in Base64 inside it, or as the whole of it."""
    yield Text(text, cell)
    if len(text) % 4 == 0 and WHOLE_BASE64.fullmatch(text):
        inner = _decode_base64(text)
        if inner is not None:
            yield Text(inner, cell)
    if ";base64," in text:
        for match in DATA_ADDRESS.finditer(text):
            inner = _decode_base64(match.group(1))
            if inner is not None:
                yield Text(inner, cell)


def _decode_base64(text: str) -> str | None:
    try:
        return _decode(base64.b64decode(text))
    except (binascii.Error, ValueError):
        return None


def _take_table(text: str, ending: str) -> Iterator[Fragment]:
    head = text[:4000].partition("\n")[0]
    delimiter = "\t" if ending == "tsv" else max(",;\t|", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        yield Text(text)
        return
    yield make_table(rows)


def make_table(rows: list[list[str]]) -> Rows:
    """Return a table whose first row is its header."""
    header = rows[0] if rows else []
    names = [*header, *("" for _ in range(max(map(len, rows), default=0) - len(header)))]
    return Rows(
        tuple(tuple(zip(names, row, strict=False)) for row in rows), first_line=1, is_table=True
    )


def _take_json(text: str, cell: int = 0) -> Iterator[Fragment]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        yield Text(text, cell)
        return
    yield from take_value(value, cell)


def take_value(value: Any, cell: int = 0) -> Iterator[Fragment]:
    """Yield the keys and values of parsed JSON: objects are rows, their keys the columns."""
    rows: list[Cells] = []
    texts: list[str] = []
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        column, one = stack.pop()
        if isinstance(one, Mapping):
            plain = [(str(k), v) for k, v in one.items()]
            texts += [key for key, _ in plain if not key.isidentifier() or len(key) > 8]
            rows.append(tuple((k, str(v)) for k, v in plain if _is_leaf(v)))
            stack += [(k, v) for k, v in reversed(plain) if not _is_leaf(v)]
        elif isinstance(one, list):
            if one and all(map(_is_leaf, one)):
                rows += [((column, str(v)),) for v in one]
            else:
                stack += [(column, v) for v in reversed(one)]
        else:
            rows.append(((column, str(one)),))
    yield Rows(tuple(row for row in rows if row), cell)
    if texts:
        yield Text("\x1e".join(texts), cell)


def _is_leaf(value: object) -> bool:
    return not isinstance(value, Mapping | list)


def _take_notebook(text: str) -> Iterator[Fragment]:
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        yield Text(text)
        return
    yield from take_value({key: value for key, value in notebook.items() if key != "cells"})
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, Mapping):
            continue
        yield from take_text(join_lines(cell.get("source", "")), number)
        yield from take_value(
            {"metadata": cell.get("metadata"), "names": list(cell.get("attachments") or {})}, number
        )
        bundles = [*(cell.get("attachments") or {}).values(), *(cell.get("outputs") or [])]
        for bundle in bundles:
            yield from _take_output(bundle, number)


def _take_output(output: Any, number: int) -> Iterator[Fragment]:
    if not isinstance(output, Mapping):
        return
    data = output.get("data", output if "output_type" not in output else {})
    if isinstance(data, Mapping):
        for kind, value in data.items():
            yield from _take_display(str(kind), value, number)
    spoken = (join_lines(output.get(key, "")) for key in ("text", "traceback", "ename", "evalue"))
    for text in filter(None, spoken):
        yield from take_text(re.sub(r"\x1b\[[0-9;]{0,12}m", "", text), number)
    if output.get("metadata"):
        yield from take_value(output["metadata"], number)


def _take_display(kind: str, value: Any, number: int) -> Iterator[Fragment]:
    if isinstance(value, str | list):
        text = join_lines(value)
        if kind.startswith("text/") or kind == "image/svg+xml":
            yield from take_text(text, number)
            return
        inner = _decode_base64(text)
        if kind not in IMAGES:
            yield from take_text(inner if inner is not None else text, number)
    else:
        yield from take_value(value, number)


def join_lines(value: object) -> str:
    """Return a multi-line text of a notebook, which keeps it as one string or a list of lines."""
    if isinstance(value, list):
        return "".join(map(str, value))
    return str(value or "")
