"""An exploratory notebook as it is read: its cells, their code, and where an edit goes.

Nothing of it is executed. Of its saved outputs only the names of columns are looked at.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

from wardbook.errors import Refusal
from wardbook.identifiers.context import Context
from wardbook.identifiers.notebooks import HOME_PATH
from wardbook.identifiers.scanning import scan

MACHINE_PATH = re.compile(
    HOME_PATH.pattern
    + r"(?:[\\/][^\s\"'`)]*)?"
    + r"|(?<![\w.:/<])/(?:mnt|media|srv|data|tmp|scratch|nfs|root|var|opt|work|net)/[^\s\"'`)]*"
    + r"|(?<!\w)[A-Za-z]:\\[^\s\"'`)]*|\\\\[\w.-]+\\[^\s\"'`)]*"
)
MASKED_PATH = "path-removed"


class CannotRead(Refusal):
    """No template can be begun from this notebook; the message says what to change."""


@dataclass(frozen=True)
class Cell:
    """One cell: its number in the notebook from 1, its text, and what its code says."""

    number: int
    is_code: bool
    text: str
    tree: ast.Module
    header: Header | None
    is_raw: bool = False


@dataclass(frozen=True)
class Header:
    """The names of a table that a cell showed when it was saved: of its index and columns."""

    index: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """A place of a cell's code (lines from 1, columns in bytes) and what stands there instead."""

    cell: int
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


@dataclass(frozen=True)
class Found:
    """One thing that was found: what it becomes, where it stands and why.

    `becomes` is "parameter", "constant", "source", "output", "text", "look" or "left out"; `todo`
    marks what a person must still do.
    """

    becomes: str
    name: str
    cell: int
    line: int
    reason: str
    todo: bool = False


def read_exploration(text: str) -> tuple[list[Cell], list[Found]]:
    """Read a notebook's cells, and tell what had to be left out of them.

    Raises:
        CannotRead: it is no notebook, not in Python, empty, or a cell cannot be parsed.
    """
    try:
        notebook = json.loads(text)
        raw = list(notebook["cells"])
        language = _language_of(notebook.get("metadata") or {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CannotRead(
            "This file is no notebook of format 4. Save it again from JupyterLab."
        ) from None
    if language not in {"python", "", "ipython"}:
        raise CannotRead(
            f"This notebook is in {'R' if language == 'r' else language}; only Python can be read. "
            "Begin with `wardbook template new NAME` and copy its cells over: docs/r.md says how a "
            "template in R calls the library."
        )
    cells, found = [], []
    for number, one in enumerate(raw, 1):
        cell, left_out = _read_cell(one, number)
        cells.append(cell)
        found += left_out
    if not any(cell.tree.body for cell in cells):
        raise CannotRead("This notebook holds no code: there is nothing to begin a template from.")
    return cells, found


def apply_edits(cell: Cell, edits: Iterable[Edit]) -> str:
    """Return a cell's text with the edits made; of edits within another only the outer is made."""
    lines = [line.encode() for line in cell.text.split("\n")]
    mine = sorted(
        (one for one in edits if one.cell == cell.number),
        key=lambda e: (e.start, (-e.end[0], -e.end[1])),
    )
    kept: list[Edit] = []
    for edit in mine:
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    for edit in reversed(kept):
        (first, begin), (last, stop) = edit.start, edit.end
        head, tail = lines[first - 1][:begin], lines[last - 1][stop:]
        lines[first - 1 : last] = (head + edit.text.encode() + tail).split(b"\n")
    return b"\n".join(lines).decode()


def place_of(cell: Cell, node: ast.expr | ast.stmt, text: str) -> Edit:
    """Return the edit that puts `text` in the place of a node."""
    last, stop = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return Edit(cell.number, (node.lineno, node.col_offset), (last, stop), text)


def source_of(cell: Cell, node: ast.AST) -> str:
    """Return a node's text as the analyst wrote it."""
    return ast.get_source_segment(cell.text, node) or ast.unparse(node)


def edited_source(cell: Cell, node: ast.expr, edits: Iterable[Edit]) -> str:
    """Return a node's text with those edits made that lie within it."""
    whole = place_of(cell, node, "")
    row, column = whole.start

    def shift(at: tuple[int, int]) -> tuple[int, int]:
        return at[0] - row + 1, at[1] - (column if at[0] == row else 0)

    inside = [
        Edit(cell.number, shift(one.start), shift(one.end), one.text)
        for one in edits
        if one.cell == cell.number and whole.start <= one.start and one.end <= whole.end
    ]
    return apply_edits(replace(cell, text=source_of(cell, node)), inside)


def clean(text: str) -> str:
    """Return a text without identifiers, secrets and paths of a machine."""
    text = MACHINE_PATH.sub(MASKED_PATH, text)
    parts, end = [], 0
    for one in scan(text, context=Context()):
        parts += [text[end : one.start], f"{one.kind}-removed"]
        end = one.end
    return "".join([*parts, text[end:]])


def _language_of(metadata: dict[str, Any]) -> str:
    spec, info = metadata.get("kernelspec") or {}, metadata.get("language_info") or {}
    language = str(spec.get("language") or info.get("name") or "").lower()
    return "r" if not language and spec.get("name") == "ir" else language


def _read_cell(cell: Any, number: int) -> tuple[Cell, list[Found]]:
    text = cell.get("source", "")
    text = "".join(text) if isinstance(text, list) else str(text)
    cleaned = clean(text)
    found = []
    if cleaned != text:
        why = "an identifier, a secret or a machine's path stood here and was removed"
        found.append(Found("left out", "removed text", number, 1, why, todo=True))
    if cell.get("cell_type") != "code":
        cleaned = re.sub(r"!\[[^\]]*\]\((?:attachment:|data:)[^)]*\)", "", cleaned)
        raw = cell.get("cell_type") != "markdown"
        return Cell(number, False, cleaned, ast.Module([], []), None, raw), found
    if cleaned.lstrip().startswith("%%"):
        # What it holds is not kept: nobody looks for values of persons in another language.
        lines = ["# TODO: a magic of the whole cell stood here; write it in Python"]
        found.append(_magic(number, 1))
    else:
        lines = []
        for at, line in enumerate(cleaned.split("\n"), 1):
            if re.match(r"\s*(?:[%!]|\?|\w[\w.]*\?+\s*$|[\w, ]+=\s*[!%])", line):
                lines.append("# TODO: a magic or a shell line stood here; write it in Python")
                found.append(_magic(number, at))
            else:
                lines.append(line)
    cleaned = "\n".join(lines)
    try:
        tree = ast.parse(cleaned)
    except (SyntaxError, ValueError) as error:
        row = (error.lineno or 1) if isinstance(error, SyntaxError) else 1
        raise CannotRead(
            f"Cell {number}, line {row}: this code cannot be parsed. Run the notebook from top to "
            "bottom, mend or remove that cell, and call again."
        ) from None
    return Cell(number, True, cleaned, tree, _read_header(cell.get("outputs") or [])), found


def _magic(cell: int, line: int) -> Found:
    why = "a magic or a shell line: no part of Python"
    return Found("left out", "magic", cell, line, why, todo=True)


def _read_header(outputs: Iterable[Any]) -> Header | None:
    for output in outputs:
        data = output.get("data") if isinstance(output, dict) else None
        page = (data or {}).get("text/html")
        if page:
            reader = _HeaderReader()
            reader.feed("".join(page) if isinstance(page, list) else str(page))
            return _name_header(reader.rows)
    return None


def _name_header(rows: list[list[str]]) -> Header | None:
    """Name index and columns of a frame's header: one row, or a second with the index's names."""
    if not 1 <= len(rows) <= 2 or any(len(row) != len(rows[0]) for row in rows):
        return None
    index = tuple(name for name in rows[1] if name) if len(rows) == 2 else ()
    columns = tuple(rows[0][max(1, len(index)) :])
    names = (*index, *columns)
    if not columns or not all(map(_can_be_a_name, names)) or len(set(names)) < len(names):
        return None
    return Header(index, columns)


def _can_be_a_name(text: str) -> bool:
    return bool(re.fullmatch(r"[^\W\d]\w{0,40}", text)) and clean(text) == text


class _HeaderReader(HTMLParser):
    """Reads the cells of a table's `thead`, and nothing behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._inside = self._in_cell = self._done = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag == "thead" and not self._done:
            self._inside = True
        elif self._inside and tag == "tr":
            self.rows.append([])
        elif self._inside and tag == "th" and self.rows:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "thead":
            self._inside, self._done = False, True
        elif tag == "th":
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._inside and self._in_cell:
            self.rows[-1][-1] += data.strip()


def walk_code(cells: Iterable[Cell]) -> Iterator[tuple[Cell, ast.AST]]:
    """Yield every node of every code cell, with its cell."""
    for cell in cells:
        for node in ast.walk(cell.tree):
            yield cell, node


def texts_in(node: ast.AST) -> list[str]:
    """Return the texts that are written anywhere in an expression."""
    return [
        one.value
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
