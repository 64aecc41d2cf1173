"""What a committed notebook may not hold: everything that git's one form of it does not have.

The one form is that of `wardbook.stripping`; what else is in a notebook is told by its kind, so
that an analyst sees what it was.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from wardbook.identifiers.fragments import join_lines
from wardbook.stripping import NoNotebook, strip_notebook

HOME_PATH = re.compile(
    r"(?:/home/|/root/|/Users/|/Volumes/|/media/|[A-Za-z]:\\{1,2}Users\\{1,2}|file:///)"
    r"[^\s\"'\\/]+"
)
INLINE_FILE = re.compile(r"data:[\w.+/-]{0,80}[;,][^\s\"')]{64}|[A-Za-z0-9+/]{400}")
CELL_START = re.compile(r"(?<!\\)\"cell_type\"")
CELL_LINE = re.compile(r' {3}"cell_type"')
RUN_METADATA = ("papermill", "execution", "ExecuteTime", "widgets", "scrapbook")


def is_notebook(path: str, text: str) -> bool:
    """Whether a file is a notebook, by its name or, under another name, by what it holds."""
    if path.lower().endswith(".ipynb"):
        return True
    start = text[:200].lstrip("\ufeff \t\r\n")
    if not start.startswith("{"):
        return False
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip("\ufeff \t\r\n"))
    except (ValueError, RecursionError):
        return '"nbformat"' in text
    return isinstance(value, Mapping) and ("nbformat" in value or "worksheets" in value)


def check_notebook(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and kind of what must not be committed of a notebook."""
    try:
        stripped = strip_notebook(text)
    except NoNotebook as error:
        yield error.details.get("line", 1), "notebook_broken"
        return
    lines = list_cell_lines(text)
    if stripped != text:
        known = sorted(set(_tell_remains(text)))
        yield from known or [(_first_difference(text, stripped), "not_stripped")]
    for number, cell in enumerate(json.loads(stripped)["cells"], start=1):
        source = "".join(cell["source"])
        if HOME_PATH.search(source):
            yield find_cell(lines, number), "machine_path"
        if INLINE_FILE.search(source):
            yield find_cell(lines, number), "inline_file"


def labels_of(text: str) -> str:
    """Return the names and tags of a notebook's cells, with the words in them apart.

    Each is there a second time in capitals, as names of persons are written.
    """
    try:
        cells = json.loads(strip_notebook(text))["cells"]
    except NoNotebook:
        return ""
    labels = (label for cell in cells for label in (cell["id"], *cell["metadata"].get("tags", ())))
    told = "\n".join(re.sub(r"[_-]+", " ", label) for label in labels)
    return f"{told}\n{told.title()}"


def list_cell_lines(text: str) -> tuple[int, ...]:
    """Return the lines at which a notebook's cells stand, however it is written."""
    lines, line, counted = [], 1, 0
    for match in CELL_START.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        lines.append(line)
    return tuple(lines)


def find_cell(lines: Sequence[int], number: int) -> int:
    """Return the line of a cell by its number, 0 without a number."""
    if not 0 < number <= len(lines):
        return 1 if number else 0
    return lines[number - 1]


def number_cells(text: str) -> Callable[[int], int]:
    """Return what tells which cell stands at a line, 0 for none.

    It reads a notebook as Jupyter and git write it; of another nothing is told.
    """
    whole = text.partition('\n "metadata"')
    end = whole[0].count("\n") + 2 if whole[1] else len(text) + 1
    cells = [number for number, line in enumerate(whole[0].split("\n"), 1) if CELL_LINE.match(line)]

    def find(line: int) -> int:
        return bisect_right(cells, line) if line < end else 0

    return find


def _tell_remains(text: str) -> Iterator[tuple[int, str]]:
    """Yield what a run or an editor left that has a name of its own."""
    notebook = json.loads(text.removeprefix("\ufeff"))
    metadata = notebook.get("metadata")
    for kind in ("widgets", "papermill"):
        if isinstance(metadata, Mapping) and metadata.get(kind):
            yield _find_line(text, f'"{kind}"'), kind
    cells, lines = notebook.get("cells"), list_cell_lines(text)
    for number, cell in enumerate(cells if isinstance(cells, list) else (), start=1):
        for kind in _judge_cell(cell):
            yield find_cell(lines, number), kind


def _judge_cell(cell: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("outputs", "attachments"):
        if cell.get(kind):
            yield kind
    if cell.get("execution_count") is not None:
        yield "execution_count"
    metadata = cell.get("metadata")
    if isinstance(metadata, Mapping):
        injected = "injected-parameters" in join_lines(metadata.get("tags"))
        if injected or any(metadata.get(key) for key in RUN_METADATA):
            yield "papermill"


def _first_difference(text: str, stripped: str) -> int:
    pairs = zip(text.split("\n"), stripped.split("\n"), strict=False)
    return next((line for line, (a, b) in enumerate(pairs, start=1) if a != b), 1)


def _find_line(text: str, mark: str) -> int:
    place = text.find(mark)
    return text.count("\n", 0, place) + 1 if place >= 0 else 1
