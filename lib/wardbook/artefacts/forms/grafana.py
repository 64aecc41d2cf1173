"""Grafana: dashboards with their queries, and series of points on their way to it.

Source: Grafana's dashboard JSON model and data frame JSON (`schema`, `data.values`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wardbook.artefacts.finding import Notes
from wardbook.artefacts.walking import walk

_QUERIES = frozenset(["rawSql", "expr", "query", "queryText"])
_MARKUP = frozenset(["html", "markdown"])


def is_grafana(value: Any) -> bool:
    """Tell whether a JSON value is a dashboard, an answer with data frames, or a list of series."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(s, dict) and "datapoints" in s for s in value)
    if not isinstance(value, dict):
        return False
    return bool({"panels", "dashboard", "frames"} & set(value)) or "results" in value


def read_grafana(value: Any, notes: Notes, place: str = "") -> None:
    """Note every series and frame as a table; report queries, HTML panels and kept snapshots."""
    number = 0
    for here, key, found in walk(value, notes.bounds.depth, place):
        if key in _QUERIES and isinstance(found, str) and found.strip():
            notes.add("code", here, found)
            notes.report("query", here)
        elif key == "snapshotData" and found:
            notes.report("hidden", here)
        elif key == "mode" and found in _MARKUP:
            notes.report("markup_panel", here)
        elif isinstance(found, dict):
            rows = _rows_of(found)
            if rows is not None:
                number += 1
                notes.add_grid(f"series {number}", *rows, points=True)


def _rows_of(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]] | None:
    """Return header and rows of a frame or of a series of `[value, time]`; None of others."""
    points = found.get("datapoints")
    if isinstance(points, list):
        return [str(found.get("target", ""))], [
            [str(one) for one in point] for point in points if isinstance(point, list)
        ]
    data, schema = found.get("data"), found.get("schema")
    if not isinstance(data, dict) or not isinstance(data.get("values"), list):
        return None
    columns = [column for column in data["values"] if isinstance(column, list)]
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    header = [str(one.get("name", "")) for one in fields if isinstance(one, dict)]
    longest = max(map(len, columns), default=0)
    return header, [
        ["" if at >= len(column) or column[at] is None else str(column[at]) for column in columns]
        for at in range(longest)
    ]
