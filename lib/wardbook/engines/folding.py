"""Messages of a kernel, folded into the notebook that they belong to.

The rules are nbclient's own (`NotebookClient.process_message`): what a stream, a display, an update
of a display or a clearing does to a cell's outputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FAILED = "failed"
UNFINISHED = "unfinished"


def read_notebook(file: Path) -> NotebookNode:
    """Read a notebook of format 4 or older, without judging it: ids and outputs may be missing."""
    text = file.read_text(encoding="utf-8")
    notebook: NotebookNode = nbformat.v4.upgrade(nbformat.reads(text, as_version=4))
    return notebook


def format_notebook(notebook: NotebookNode) -> str:
    """Return a notebook as the text of its file."""
    text: str = nbformat.v4.nbjson.writes(notebook)
    return text


class Folding:
    """A notebook whose cells are executed one after another."""

    def __init__(self, notebook: NotebookNode) -> None:
        self.notebook = notebook
        self._client = NotebookClient(notebook, record_timing=False)
        self._client.reset_execution_trackers()
        self._index = -1
        self._request = ""
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None

    def begin(self, index: int, request: str) -> None:
        """The cell at `index` is executed from now on, by the request of this message id."""
        self._index, self._request = index, request
        self._client.clear_before_next_output = False

    def mark_failed(self) -> None:
        """Note that the present cell failed; it may not say so itself."""
        self.notebook.cells[self._index].metadata["wardbook"] = {"status": FAILED}

    def take(self, message: Mapping[str, Any]) -> None:
        """Fold one message of the iopub channel; those that no present cell asked for are lost."""
        if self._index < 0 or message["parent_header"].get("msg_id") != self._request:
            return
        self._client.process_message(dict(message), self.notebook.cells[self._index], self._index)


def rehearse(folder: Path) -> None:
    """Do once what builds validators and the like, which every later notebook uses."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("0")])
    file = folder / "rehearsal.ipynb"
    file.write_text(format_notebook(notebook), encoding="utf-8")
    read_notebook(file)
    nbformat.v4.new_output("stream", text="0")


class Journal:
    """A file with the messages of a run, one each line, for the case that its process is killed."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8", errors="surrogateescape", buffering=1)

    def begin(self, index: int, request: str) -> None:
        """Note that a cell begins."""
        self._write({"begin": index, "request": request})

    def take(self, message: Mapping[str, Any]) -> None:
        """Note a message."""
        self._write(message)

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry, default=str) + "\n")


def restore_notebook(notebook: NotebookNode, journal: Path) -> NotebookNode:
    """Fold a journal that may end anywhere; the cell it ends in is marked as unfinished."""
    folding, begun = Folding(notebook), None
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # cut off in the middle of a line
            break
        if "begin" in entry:
            begun = entry["begin"]
            folding.begin(begun, entry["request"])
        else:
            with suppress(Exception):  # what nbclient cannot fold is left out
                folding.take(entry)
    if begun is not None:
        notebook.cells[begun].metadata["wardbook"] = {"status": UNFINISHED}
    return notebook
