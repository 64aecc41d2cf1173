"""What must not be committed: outputs of notebooks, data files, identifiers and secrets.

A notebook is committed as it would be before its first run: without outputs, execution counts,
attachments, states of widgets, parameters that papermill injected, and paths of a machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wardbook.identifiers.allowances import Allowances
from wardbook.identifiers.context import Context
from wardbook.identifiers.finding import JUDGED_BY_PEOPLE, Certainty
from wardbook.identifiers.fragments import Text, take_apart
from wardbook.identifiers.searching import Located, scan_fragments

DATA_FILE = re.compile(
    r"\.(?:parquet|feather|arrow|xlsx?|ods|rds|rdata|sav|dta|sas7bdat|pkl|pickle|npz|sqlite3?|db"
    r"|duckdb|mdb|dump|bak|dcm|hl7)\Z|(?:\A|/)(?:\.netrc|_netrc|\.pgpass|id_[a-z0-9]+|\.env)\Z"
    r"|(?:\A|/)executed\.ipynb\Z",
    re.I,
)
HOME_PATH = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2}|file:///)[^\s\"'\\/]+")
CELL_START = re.compile(r"(?<!\\)\"cell_type\"")
RUN_METADATA = ("papermill", "execution", "ExecuteTime", "widgets", "scrapbook")


@dataclass(frozen=True, order=True)
class Objection:
    """One thing that must not be committed: where, and which message of topic `identifier`."""

    path: str
    line: int
    kind: str


def check_files(
    files: Iterable[tuple[str, bytes]], allowances: Allowances, context: Context
) -> tuple[Objection, ...]:
    """Return what must not be committed of these files, given as (path, content)."""
    found = {
        one
        for path, content in files
        for one in _check_file(path, content, context)
        if not allowances.allow(one.path, one.kind)
    }
    return tuple(sorted(found))


def check_message(name: str, message: str, context: Context) -> tuple[Objection, ...]:
    """Return what must not stand in a commit's message; `name` says which commit."""
    found = scan_fragments([Text(message)], context=context)
    return tuple(sorted({Objection(name, one.place.line, one.kind) for one in _refused(found)}))


def _check_file(path: str, content: bytes, context: Context) -> Iterator[Objection]:
    if DATA_FILE.search(path):
        yield Objection(path, 1, "data_file")
    for one in _refused(scan_fragments([Text(path)], context=context)):
        yield Objection(path, 0, one.kind)
    text = content.decode("utf-8", errors="replace") if b"\0" not in content[:8000] else ""
    told = set()
    for one in _refused(scan_fragments([Text(text)], context=context)):
        told.add(one.kind)
        yield Objection(path, one.place.line, one.kind)
    if path.endswith(".ipynb"):
        yield from _check_notebook(path, text)
    # What JSON escapes or a column's header tells is found only in what was taken apart.
    for one in _refused(scan_fragments(take_apart(path, content), context=context)):
        if one.kind not in told:
            line = one.place.row or _find_cell(text, one.place.cell) or one.place.line
            yield Objection(path, line, one.kind)


def _refused(found: Iterable[Located]) -> Iterator[Located]:
    for one in found:
        if one.kind not in JUDGED_BY_PEOPLE and one.certainty is not Certainty.POSSIBLE:
            yield one


def _find_cell(text: str, number: int) -> int:
    """Return the line at which a notebook's cell stands, 0 without a number."""
    starts = [match.start() for match in CELL_START.finditer(text)] if number else []
    if not 0 < number <= len(starts):
        return 1 if number else 0
    return text.count("\n", 0, starts[number - 1]) + 1


def _check_notebook(path: str, text: str) -> Iterator[Objection]:
    try:
        notebook = json.loads(text)
        cells = list(notebook["cells"])
        metadata = dict(notebook.get("metadata", {}))
    except (ValueError, KeyError, TypeError, RecursionError):
        yield Objection(path, 1, "notebook_broken")
        return
    for kind in _judge_metadata(metadata):
        yield Objection(path, _find_line(text, f'"{kind}"'), kind)
    if HOME_PATH.search(json.dumps(metadata)):
        yield Objection(path, _find_line(text, '"metadata"'), "machine_path")
    for number, cell in enumerate(cells, start=1):
        for kind in _judge_cell(cell):
            yield Objection(path, _find_cell(text, number), kind)


def _judge_metadata(metadata: Mapping[str, Any]) -> Iterator[str]:
    if metadata.get("widgets"):
        yield "widgets"
    if metadata.get("papermill"):
        yield "papermill"


def _judge_cell(cell: Any) -> Iterator[str]:
    if not isinstance(cell, Mapping):
        yield "notebook_broken"
        return
    metadata = cell.get("metadata") or {}
    if cell.get("outputs"):
        yield "outputs"
    if cell.get("execution_count") is not None:
        yield "execution_count"
    if cell.get("attachments"):
        yield "attachments"
    injected = "injected-parameters" in (metadata.get("tags") or ())
    if injected or any(metadata.get(key) for key in RUN_METADATA):
        yield "papermill"
    if HOME_PATH.search(json.dumps([metadata, cell.get("source", "")])):
        yield "machine_path"


def _find_line(text: str, mark: str) -> int:
    place = text.find(mark)
    return text.count("\n", 0, place) + 1 if place >= 0 else 1
