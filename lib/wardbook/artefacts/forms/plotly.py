"""Plotly figures: every point of every trace, and what it says when a reader points at it.

Source: Plotly's figure reference; typed arrays are `{"dtype": …, "bdata": base64}` since 6.0.
"""

from __future__ import annotations

import base64
import binascii
from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes

_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d",
          "i8": "q", "u8": "Q"}  # fmt: skip
_SAID_ON_HOVER = ("customdata", "hovertext", "ids", "hoverinfo", "meta", "text")
_CLOUD_NAMES = (
    "scatter scattergl scatter3d scatterpolar scattergeo scattermap scattermapbox splom parcoords "
    "violin box strip"
)
_CLOUDS = frozenset(_CLOUD_NAMES.split())


def is_plotly(value: Any) -> bool:
    """Tell whether a JSON value is a figure of Plotly."""
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        return False
    traces = value["data"]
    return "layout" in value or any(isinstance(t, dict) and "type" in t for t in traces)


def read_plotly(figure: Mapping[str, Any], notes: Notes, place: str = "") -> None:
    """Note each trace as a table of its points; frames of an animation are traces too."""
    traces = [*figure["data"]]
    for frame in figure.get("frames") or []:
        if isinstance(frame, dict) and isinstance(frame.get("data"), list):
            traces += frame["data"]
    template = (
        (figure.get("layout") or {}).get("template")
        if isinstance(figure.get("layout"), dict)
        else None
    )
    if isinstance(template, dict) and isinstance(template.get("data"), dict):
        traces += [t for some in template["data"].values() if isinstance(some, list) for t in some]
    for number, trace in enumerate(traces, 1):
        if isinstance(trace, dict):
            _read_trace(trace, notes, f"{place} trace {number}".strip())


def _read_trace(trace: Mapping[str, Any], notes: Notes, place: str) -> None:
    columns = {name: values for name, values in _arrays(trace, notes).items() if values}
    if trace.get("visible") in (False, "legendonly"):
        notes.report("hidden", place)
    if any(_says_more(trace, name, columns) for name in _SAID_ON_HOVER):
        notes.report("hover_data", place)
    longest = max((len(values) for values in columns.values()), default=0)
    markers = "markers" in str(trace.get("mode", "markers" if longest else ""))
    if longest and trace.get("type", "scatter") in _CLOUDS and markers:
        notes.report("point_cloud", place, longest)
    # Columns of one length are the points; others (axes of a heat map) stand by themselves.
    for length in sorted({len(values) for values in columns.values()}, reverse=True):
        same = {name: values for name, values in columns.items() if len(values) == length}
        notes.add_grid(place, same, list(zip(*same.values(), strict=True)), points=True)


def _says_more(trace: Mapping[str, Any], name: str, columns: Mapping[str, Sequence[str]]) -> bool:
    if name in ("customdata", "ids"):
        return bool(trace.get(name))
    return any(key == name or key.startswith(f"{name}.") for key in columns)


def _arrays(trace: Mapping[str, Any], notes: Notes) -> dict[str, list[str]]:
    """Return every list of a trace, those of its parts included, as columns of text."""
    found: dict[str, list[str]] = {}
    waiting = deque((str(name), value, 1) for name, value in trace.items())
    while waiting:
        name, value, level = waiting.popleft()
        if level > notes.bounds.depth:
            raise Unreadable("too_deep")
        if isinstance(value, dict):
            if "bdata" in value:
                found[name] = decode_typed(value)
            else:
                waiting.extend((f"{name}.{key}", one, level + 1) for key, one in value.items())
        elif isinstance(value, list):
            found |= _flatten(name, value, notes)
    return found


def _flatten(name: str, values: list[Any], notes: Notes) -> dict[str, list[str]]:
    """Return a list as one column, a list of lists as one column for each place in them."""
    if not any(isinstance(one, list | dict) for one in values):
        return {name: ["" if one is None else str(one) for one in values]}
    if all(isinstance(one, list) for one in values):
        width = max(len(one) for one in values)
        if width * len(values) > notes.bounds.cells:
            raise Unreadable("too_many_cells")
        return {
            f"{name}.{at + 1}": [str(one[at]) if at < len(one) else "" for one in values]
            for at in range(width)
        }
    return {name: [str(one) if isinstance(one, str | int | float) else "" for one in values]}


def decode_typed(value: Mapping[str, Any]) -> list[str]:
    """Return the numbers of a typed array, row by row.

    Raises:
        Unreadable: it is none.
    """
    code = _CODES.get(str(value.get("dtype")))
    try:
        content = base64.b64decode(str(value["bdata"]), validate=True)
        numbers = array(code or "", content)
    except (binascii.Error, ValueError, TypeError):
        raise Unreadable("broken") from None
    return [
        f"{one:g}" if isinstance(one, float) and abs(one) < 1e6 else str(one) for one in numbers
    ]
