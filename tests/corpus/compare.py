"""Tell whether two executions of one notebook left the same cells.

Compared are how the execution ended, the notebook's format and metadata, and of every cell its
type, name, source, metadata, attachments, execution count and outputs. What may differ all the same
is listed here, and nothing else may. For every notebook:

- papermill's own marks: the key `papermill` of metadata, the times under `execution`, the empty
  list of tags that it adds, the cells in which it points out the failing one; and the engine's own
  mark, the key `wardbook` in the metadata of a cell;
- names of cells where the notebook came without names, since they are then drawn by lot;
- how a stream is cut into pieces, which depends on the time that passes while it is written, and
  the order of the two streams to each other: between two other outputs each stream is one text.

And, for the notebooks that ask for it by name (`hides` in the corpus), the texts that `HIDDEN`
describes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from itertools import groupby
from pathlib import Path
from typing import Any

_MARK = "papermill-error-cell-tag"
_LONGEST_TEXT = 2_000
_SHOWN_LINES = 40


@dataclass(frozen=True)
class Executed:
    """What one side left: how it ended, its notebook, and names for the folders it worked in."""

    outcome: str
    notebook: Mapping[str, Any]
    places: Mapping[str, str]

    @classmethod
    def read(cls, outcome: str, file: Path, places: Mapping[str, str]) -> Executed:
        """Read what an execution left in `file`; where that is missing or cut off, nothing."""
        try:
            notebook = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            notebook = {}
        return cls(outcome, notebook, places)


def compare(
    expected: Executed, found: Executed, hides: Iterable[str] = (), named: bool = True
) -> list[str]:
    """Return the differences as lines of a unified diff; none where both are the same.

    Args:
        expected: the reference.
        found: what is held against it.
        hides: which of `HIDDEN` apply.
        named: whether the notebook came with names for its cells.
    """
    one, other = (_reduce(side, frozenset(hides), named) for side in (expected, found))
    if one == other:
        return []
    before, after = _show(one).splitlines(), _show(other).splitlines()
    return list(unified_diff(before, after, "reference", "engine", lineterm="", n=4))


def _hide(pattern: str, name: str) -> Callable[[str, Mapping[str, str]], str]:
    compiled = re.compile(pattern)
    return lambda text, _places: compiled.sub(name, text)


def _hide_folders(text: str, places: Mapping[str, str]) -> str:
    for place in sorted(places, key=len, reverse=True):
        text = text.replace(place, places[place])
    return text


HIDDEN: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {
    # Where objects stand in memory.
    "addresses": _hide(r"\b0x[0-9a-f]{7,16}\b", "<address>"),
    # The file that ipykernel says a cell is: a process, and a hash of the source and that process.
    "cell_files": _hide(r"[\w./<>-]*/ipykernel_\d+/\d+\.py", "<cell file>"),
    # The folders in which a side works, each by the name that the side gives for it.
    "folders": _hide_folders,
    # Frames of the shell below those of the cell, as faulthandler writes them.
    "shell_frames": _hide(
        r'(?:  File "(?![^"\n]*/ipykernel_\d)[^"\n]*/\w+\.py", line \d+ in \S+\n)+', ""
    ),
    # Durations with a unit, as the magics of time and progress bars write them.
    "durations": _hide(
        r"\d+(?:\.\d+)?(?:e[+-]\d+)? ?(?:min|ms|μs|µs|us|ns|s)\b|\[\d\d:\d\d(?:<|&lt;)[^\]\n]*\] *",
        "<duration>",
    ),
    # When matplotlib drew an SVG.
    "svg_dates": _hide(r"<dc:date>[^<]+</dc:date>", "<dc:date>...</dc:date>"),
}
"""Texts that differ from one execution to the next with papermill itself, by name.

Beside them stands the name LOTS: names drawn by lot, of elements of a page and of widgets, which
become numbers in the order in which the notebook first names them. So each must still be named in
the same places.
"""

LOTS = "lots"
_LOT = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
)
_WIDGETS = "application/vnd.jupyter.widget-state+json"


def _reduce(side: Executed, hides: frozenset[str], named: bool) -> dict[str, Any]:
    notebook = side.notebook
    if not notebook:
        return {"outcome": side.outcome}
    cells = [cell for cell in notebook["cells"] if _MARK not in cell["metadata"].get("tags", [])]
    reduced = {
        "outcome": side.outcome,
        "format": [notebook["nbformat"], notebook["nbformat_minor"]],
        "metadata": _without_marks(notebook["metadata"]),
        "cells": [_reduce_cell(cell, named) for cell in cells],
    }
    hiding = [hide for name, hide in HIDDEN.items() if name in hides]
    if LOTS in hides:
        reduced = _number_lots(reduced)
    return _change_texts(reduced, hiding, side.places) if hiding else reduced


def _number_lots(notebook: dict[str, Any]) -> dict[str, Any]:
    """Name lots by number: those of the cells in their order, then the widgets behind them.

    The states of widgets are stored in the order of their names, which says nothing.
    """
    states = notebook["metadata"].get("widgets", {}).get(_WIDGETS, {}).get("state", {})
    lots = _find_lots(notebook["cells"])
    for lot in lots:  # grows while it is read
        lots.extend(new for new in _find_lots(states.get(lot)) if new not in lots)
    others = [lot for lot in states if lot not in lots]
    lots += sorted(others, key=lambda lot: _LOT.sub("", json.dumps(states[lot], sort_keys=True)))
    numbers = {lot: f"<lot {number}>" for number, lot in enumerate(lots, 1)}
    text = json.dumps(notebook)
    named = _LOT.sub(lambda found: numbers.get(found[0], "<lot>"), text)
    changed: dict[str, Any] = json.loads(named)
    return changed


def _find_lots(value: Any) -> list[str]:
    return list(dict.fromkeys(_LOT.findall(json.dumps(value, sort_keys=True))))


def _reduce_cell(cell: Mapping[str, Any], named: bool) -> dict[str, Any]:
    reduced = dict(cell) | {
        "metadata": _without_marks(cell["metadata"]),
        "source": _join(cell["source"]),
    }
    if not named:
        reduced["id"] = "<drawn by lot>"
    if "outputs" in cell:
        reduced["outputs"] = list(_join_streams(cell["outputs"]))
    return reduced


def _without_marks(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in metadata.items()
        if name not in ("papermill", "execution", "wardbook") and (name, value) != ("tags", [])
    }


def _join_streams(outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for is_stream, group in groupby(outputs, lambda output: output["output_type"] == "stream"):
        if not is_stream:
            yield from map(_join_texts, group)
            continue
        texts: dict[str, str] = {}
        for output in group:
            texts[output["name"]] = texts.get(output["name"], "") + _join(output["text"])
        for name in sorted(texts, reverse=True):
            yield {"output_type": "stream", "name": name, "text": texts[name]}


def _join_texts(output: dict[str, Any]) -> dict[str, Any]:
    """Join the lines that nbformat cuts texts into: lists of texts, except within JSON."""
    data = {
        kind: value if kind.endswith("json") else _join(value)
        for kind, value in output.get("data", {}).items()
    }
    return output | ({"data": data} if data else {})


def _join(text: str | list[str]) -> Any:
    is_lines = isinstance(text, list) and all(isinstance(line, str) for line in text)
    return "".join(text) if is_lines else text


def _change_texts(value: Any, changes: list[Any], places: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for change in changes:
            value = change(value, places)
        return value
    if isinstance(value, list):
        return [_change_texts(item, changes, places) for item in value]
    if isinstance(value, dict):
        changed = ((_change_texts(k, changes, places), v) for k, v in value.items())
        return {name: _change_texts(item, changes, places) for name, item in changed}
    return value


def _show(value: Any) -> str:
    return json.dumps(_shorten(value), ensure_ascii=False, indent=1, sort_keys=True)


def _shorten(value: Any) -> Any:
    """Cut texts into lines, and long ones down to their beginning and a hash of the whole."""
    if isinstance(value, dict):
        return {name: _shorten(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_shorten(item) for item in value]
    if not isinstance(value, str):
        return value
    lines = value[:_LONGEST_TEXT].split("\n")[:_SHOWN_LINES]
    if len("\n".join(lines)) < len(value):
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        lines.append(f"… {len(value)} characters in all, SHA-256 {digest}")
    return lines if len(lines) > 1 else lines[0]
