"""Vega, Vega-Lite and Altair: every record in a specification, and what it would fetch or compute.

Source: the documentation of Vega and Vega-Lite, `data`, `datasets`, `signals`, `expr`, `href`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from wardbook.artefacts.finding import Notes
from wardbook.artefacts.walking import walk

_COMPUTES = frozenset(["signals", "expr", "calculate", "filter", "update", "test", "init"])
_POINTS = frozenset(["point", "circle", "square", "tick", "symbol", "text"])


def is_vega(value: Any) -> bool:
    """Tell whether a JSON value is a specification of Vega or Vega-Lite."""
    if not isinstance(value, dict):
        return False
    if "vega" in str(value.get("$schema", "")):
        return True
    drawn = {"mark", "marks", "layer", "hconcat", "vconcat", "concat", "facet", "repeat"} & set(
        value
    )
    return bool(drawn) and bool({"data", "datasets", "encoding", "spec"} & set(value))


def read_vega(spec: Mapping[str, Any], notes: Notes, place: str = "") -> None:
    """Note inline data as tables, and report what is fetched, computed or said on hover."""
    rows = 0
    clouds = False
    for number, (here, key, found) in enumerate(walk(spec, notes.bounds.depth, place)):
        if key == "values" and isinstance(found, list | str):
            rows += _read_values(found, notes, f"data {number}")
        elif key == "datasets" and isinstance(found, dict):
            for count, one in enumerate(found.values(), 1):
                rows += _read_values(one, notes, f"dataset {count}")
        elif key == "url" and isinstance(found, str | dict):
            notes.report("foreign_address", here)
        elif key in _COMPUTES and found:
            notes.report("expression", here)
        elif key == "href":
            notes.report("foreign_address", here)
        elif key == "tooltip" and found:
            notes.report("hover_data", here)
        elif key == "usermeta" and found:
            notes.report("metadata", here)
        elif key in ("mark", "type"):
            clouds = clouds or _draws_points(found)
    if clouds and rows:
        notes.report("point_cloud", place, rows)


def _draws_points(mark: Any) -> bool:
    return (mark.get("type") if isinstance(mark, dict) else mark) in _POINTS if mark else False


def _read_values(values: Any, notes: Notes, place: str) -> int:
    from wardbook.artefacts.forms.data import read_records

    if isinstance(values, str):
        lines = list(csv.reader(io.StringIO(values)))
        notes.add_grid(place, lines[0] if lines else [], lines[1:], points=True)
        return max(0, len(lines) - 1)
    table = read_records(values) if isinstance(values, list) and values else None
    if table is None:
        return 0
    notes.add_grid(place, *table, points=True)
    return len(values)
