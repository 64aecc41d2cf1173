"""Any file that would leave: told by its bytes, read within bounds, never with an exception."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from wardbook.artefacts.bounds import Bounds, Unreadable
from wardbook.artefacts.finding import Notes, Problem, Reading
from wardbook.artefacts.forms.data import read_json
from wardbook.artefacts.forms.delimited import read_delimited
from wardbook.artefacts.forms.images import read_jpeg, read_png
from wardbook.artefacts.forms.markup import read_html
from wardbook.artefacts.forms.notebook import read_notebook
from wardbook.artefacts.forms.parquet import read_parquet
from wardbook.artefacts.forms.portable import read_pdf
from wardbook.artefacts.forms.text import read_comment, read_text
from wardbook.artefacts.forms.vector import read_svg
from wardbook.artefacts.forms.workbook import read_workbook
from wardbook.artefacts.magic import READABLE, settle_form

READERS: Mapping[str, Callable[[bytes, Notes], None]] = {
    "csv": read_delimited,
    "html": read_html,
    "jpeg": read_jpeg,
    "json": read_json,
    "notebook": read_notebook,
    "parquet": read_parquet,
    "pdf": read_pdf,
    "png": read_png,
    "svg": read_svg,
    "text": read_text,
    "xlsx": read_workbook,
}


def read_file(file: Path, bounds: Bounds | None = None) -> Reading:
    """Read the file that would leave; see `read_artefact`."""
    limits = bounds or Bounds()
    with file.open("rb") as stream:
        return read_artefact(file.name, stream.read(limits.file_bytes + 1), limits)


def read_artefact(name: str, content: bytes, bounds: Bounds | None = None) -> Reading:
    """Return everything that somebody could read out of a file.

    What comes from a run is read with `apart.read_apart`, which calls this in a process of its own.

    Args:
        name: of the file; it is believed only as far as the bytes agree.
        content: its bytes, or the first of them if it is larger than the bounds.
        bounds: how much may be taken in.

    Returns:
        The reading; a file that cannot be read wholly has a problem that says so.
    """
    limits = bounds or Bounds()
    notes = Notes(limits)
    form, disguised = settle_form(name, content)
    if len(content) > limits.file_bytes:
        return _refused(form, "oversize")
    if disguised:
        notes.report("disguised")
    if form not in READABLE:
        notes.report("unknown_type" if form == "unknown" else "blocked_type")
        return notes.reading(form)
    try:
        READERS[form](content, notes)
    except Unreadable as stopped:
        notes.report(stopped.code, stopped.place)
    except (RecursionError, MemoryError):
        return _refused(form, "too_costly")
    return notes.reading(form)


def read_ticket_comment(text: str, bounds: Bounds | None = None) -> Reading:
    """Return what a comment on its way to a ticket says."""
    notes = Notes(bounds or Bounds())
    try:
        read_comment(text, notes)
    except Unreadable as stopped:
        notes.report(stopped.code, stopped.place)
    return notes.reading("comment")


def _refused(form: str, code: str) -> Reading:
    return Reading(form, problems=(Problem(code, 1, ""),))
