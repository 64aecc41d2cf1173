"""Notebooks: everything that an `.ipynb` carries beside the sources of its cells.

Source: the nbformat documentation, version 4.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.decoding import parse_json
from wardbook.artefacts.finding import FragmentKind, Notes
from wardbook.artefacts.forms.data import read_value
from wardbook.artefacts.forms.markup import read_html
from wardbook.artefacts.forms.text import read_plain
from wardbook.artefacts.inline_data import read_picture
from wardbook.artefacts.walking import walk

_PATH = re.compile(r"(?:/(?:home|root|srv|mnt|tmp|var|data|opt|work)/|[A-Za-z]:\\|\\\\)[^\s'\"<>]+")
_PLAIN_METADATA = frozenset(["kernelspec", "language_info"])
_RUNS = frozenset(["application/javascript", "application/x-javascript", "text/javascript"])
_WIDGETS = "application/vnd.jupyter.widget"
_SHADES = (("jupyter", "outputs_hidden"), ("jupyter", "source_hidden"))


def read_notebook(content: bytes, notes: Notes) -> None:
    """Read a notebook.

    Raises:
        Unreadable: it is no notebook of version 4.
    """
    value = parse_json(content, notes)
    if not isinstance(value, dict) or value.get("nbformat") != 4:
        raise Unreadable("broken")
    _read_metadata(value.get("metadata"), notes, "notebook", _PLAIN_METADATA)
    cells = value.get("cells")
    if not isinstance(cells, list):
        raise Unreadable("broken")
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            raise Unreadable("broken")
        _read_cell(cell, notes, f"cell {number}")


def _read_cell(cell: Mapping[str, Any], notes: Notes, place: str) -> None:
    metadata = cell.get("metadata") or {}
    _read_metadata(metadata, notes, place, frozenset())
    if isinstance(metadata, dict) and any(
        isinstance(metadata.get(part), dict) and metadata[part].get(name) for part, name in _SHADES
    ):
        notes.report("hidden", place)
    source = _joined(cell.get("source"))
    markdown = cell.get("cell_type") == "markdown"
    _read_text(source, notes, place, "text" if markdown else "code")
    for name, bundle in (cell.get("attachments") or {}).items():
        notes.report("attachment", place)
        notes.add("metadata", place, str(name))
        if isinstance(bundle, dict):
            _read_bundle(bundle, notes, place)
    for number, output in enumerate(cell.get("outputs") or [], 1):
        if not isinstance(output, dict):
            raise Unreadable("broken")
        notes.report("output", place)
        _read_output(output, notes, f"{place} output {number}")


def _read_output(output: Mapping[str, Any], notes: Notes, place: str) -> None:
    kind = output.get("output_type")
    _read_metadata(output.get("metadata"), notes, place, frozenset())
    if kind == "stream":
        _read_text(_joined(output.get("text")), notes, place, "output")
    elif kind == "error":
        notes.report("traceback", place)
        for part in ("ename", "evalue"):
            _read_text(str(output.get(part) or ""), notes, place, "output")
        _read_text(_joined(output.get("traceback"), "\n"), notes, place, "output")
    elif isinstance(output.get("data"), dict):
        _read_bundle(output["data"], notes, place)


def _read_bundle(bundle: Mapping[str, Any], notes: Notes, place: str) -> None:
    for number, (mime, raw) in enumerate(bundle.items(), 1):
        here = f"{place} type {number}"
        if mime in _RUNS:
            notes.report("script", here)
            notes.add("code", here, _joined(raw))
        elif mime.startswith(_WIDGETS):
            notes.report("widget", here)
            read_value(raw, notes, here)
        elif mime == "text/html":
            read_html(_joined(raw).encode("utf-8", "replace"), notes)
        elif mime == "image/svg+xml":
            read_picture(_joined(raw).encode("utf-8", "replace"), notes, here)
        elif mime.startswith(("image/", "application/pdf")):
            read_picture(_unpack(raw), notes, here)
        elif isinstance(raw, dict | list) and not _is_lines(raw):
            read_value(raw, notes, here)
        else:
            _read_text(_joined(raw), notes, here, "output")


def _unpack(raw: Any) -> bytes:
    try:
        return base64.b64decode("".join(_joined(raw).split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("broken") from None


def _read_text(text: str, notes: Notes, place: str, kind: FragmentKind) -> None:
    read_plain(text, notes, place, kind)
    if _PATH.search(text):
        notes.report("path", place)


def _read_metadata(value: Any, notes: Notes, place: str, plain: frozenset[str]) -> None:
    if not isinstance(value, dict):
        return
    for key, found in value.items():
        if key == "widgets" and found:
            notes.report("widget", place)
        elif key not in plain and found not in ({}, [], "", None, False):
            notes.report("metadata", place)
    for _, key, found in walk(value, notes.bounds.depth, place):
        for text in (key, found):
            if isinstance(text, str):
                notes.add("metadata", place, text)
                if _PATH.search(text):
                    notes.report("path", place)


def _is_lines(raw: Any) -> bool:
    return isinstance(raw, list) and all(isinstance(one, str) for one in raw)


def _joined(raw: Any, between: str = "") -> str:
    return between.join(map(str, raw)) if isinstance(raw, list) else str(raw or "")
