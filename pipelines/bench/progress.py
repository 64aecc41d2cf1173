"""How far a run is, and where its code cells stand in the notebook that the analyst sees."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wardbook.engines.executed import read_notebook
from wardbook.engines.scratch import EXECUTED, JOURNAL

PARTIAL = EXECUTED.with_name("partial.ipynb")
_BEGIN = b'{"begin": '


@dataclass
class _Seen:
    """How much of a journal was read, and the index of the cell that it last began."""

    offset: int = 0
    index: int = -1


class Progress:
    """Remembers how far each journal was read: it holds every picture that a notebook shows."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Seen] = {}
        self._cells: dict[Path, tuple[int, tuple[int, ...]]] = {}

    def code_cells(self, run: Path) -> tuple[int, ...]:
        """Return the indices of the code cells of the run's notebook, among all of its cells."""
        file = run / "notebook.ipynb"
        try:
            changed = file.stat().st_mtime_ns
        except OSError:
            return ()
        known = self._cells.get(run)
        if known is None or known[0] != changed:
            known = self._cells[run] = (changed, _indices(read_notebook(file)))
        return known[1]

    def cell_in_work(self, run: Path) -> int:
        """Return the number of the code cell in work, from 1; 0 while none is."""
        index = self._read_journal(run)
        if index < 0:
            index = _find_running(read_notebook(run / PARTIAL))
        cells = self.code_cells(run)
        return cells.index(index) + 1 if index in cells else 0

    def _read_journal(self, run: Path) -> int:
        seen = self._seen.setdefault(run, _Seen())
        try:
            with (run / JOURNAL).open("rb") as journal:
                if journal.seek(0, 2) < seen.offset:
                    seen.offset, seen.index = 0, -1  # begun afresh
                journal.seek(seen.offset)
                for line in journal:
                    if not line.endswith(b"\n"):
                        break
                    seen.offset += len(line)
                    if line.startswith(_BEGIN):
                        seen.index = int(json.loads(line)["begin"])
        except FileNotFoundError:
            self._seen.pop(run, None)
            return -1
        return seen.index


def code_cells_on_disk(tried: Path, on_disk: Path) -> Mapping[int, int]:
    """Return, for code cells of what was tried (from 1), their index in the analyst's notebook.

    Those that are not there any more, or were changed, are left out.
    """
    mine, theirs = _sources(read_notebook(tried)), _sources(read_notebook(on_disk))
    found: dict[int, int] = {}
    at = 0
    for number, (_, source) in enumerate(mine, 1):
        for place in range(at, len(theirs)):
            if theirs[place][1] == source:
                found[number], at = theirs[place][0], place + 1
                break
    return found


def _sources(notebook: Mapping[str, Any] | None) -> Sequence[tuple[int, str]]:
    """Return index and source of each code cell."""
    cells = notebook["cells"] if notebook else ()
    return [
        (index, "".join(cell.get("source", "")))
        for index, cell in enumerate(cells)
        if cell.get("cell_type") == "code"
    ]


def _indices(notebook: Mapping[str, Any] | None) -> tuple[int, ...]:
    return tuple(index for index, _ in _sources(notebook))


def _find_running(notebook: Mapping[str, Any] | None) -> int:
    for index, cell in enumerate(notebook["cells"] if notebook else ()):
        if cell.get("metadata", {}).get("papermill", {}).get("status") == "running":
            return index
    return -1
