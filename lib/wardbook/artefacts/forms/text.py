"""Plain text, logs, tracebacks, and the comments that go on a ticket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from wardbook.artefacts.active import find_active_names
from wardbook.artefacts.decoding import decode
from wardbook.artefacts.finding import FragmentKind, Notes

_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|^-{60,}$|^Error in .{1,200} :", re.M)
# ECMA-48: control sequences and strings. A terminal obeys them; a page shows or hides them.
_ESCAPES = re.compile(r"\x1b[\[\]PX^_@-Z\\]|[\x80-\x9f]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]")
_RULE = re.compile(r"[|:\s-]+")
_QUICK_ACTION = re.compile(r"^\s*/[a-z_]{2,40}\b", re.M)


def read_text(content: bytes, notes: Notes) -> None:
    """Read a file of plain text."""
    read_plain(decode(content, notes), notes, "", "text")


def read_plain(text: str, notes: Notes, place: str, kind: FragmentKind) -> None:
    """Note a text line by line; report a traceback, terminal escapes and what could be markup."""
    if _TRACEBACK.search(text):
        notes.report("traceback", place)
    if _ESCAPES.search(text) or _CONTROLS.search(text):
        notes.report("escapes", place)
    if kind != "code":
        for _ in find_active_names(text):
            notes.report("markup", place)
    for number, line in enumerate(text.splitlines(), 1):
        notes.add(kind, f"{place} line {number}".strip(), line)


def read_comment(text: str, notes: Notes) -> None:
    """Read a comment on its way to a ticket or a merge request, with the tables in it.

    A line that a tracker would obey (`/close`) is a problem: foreign text is quoted before.
    """
    read_plain(text, notes, "", "text")
    for number, rows in enumerate(_find_tables(text), 1):
        notes.add_grid(f"table {number}", rows[0], rows[1:])
    if _QUICK_ACTION.search(text):
        notes.report("quick_action")


def _find_tables(text: str) -> Iterator[list[list[str]]]:
    """Yield the tables of a comment as GitLab and Jira write them: lines that begin with a bar."""
    lines = (line.strip() for line in text.splitlines())
    for is_table, group in groupby(lines, key=lambda line: line.startswith("|")):
        rows = [_split_row(line) for line in group if not _RULE.fullmatch(line)] if is_table else []
        if rows:
            yield rows


def _split_row(line: str) -> list[str]:
    bar = "||" if line.startswith("||") else "|"
    return [cell.strip().strip("*") for cell in line.strip("|").split(bar)]
