"""Cells of every format that notebooks ever had, as format 4 writes them.

Formats: the schemas of nbformat 1 to 4. Up to 3 the cells stand in worksheets, the code in
`input`, and a heading is a cell of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXTS = {"html": "markdown", "text": "markdown", "rst": "raw", "plaintext": "raw"}
_SOURCES = ("source", "input", "code", "text")


def list_cells(notebook: Mapping[str, Any]) -> list[object] | None:
    """Return a notebook's cells, or None where this is no notebook."""
    version = notebook.get("nbformat", 1)
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= 4:
        return None
    if version == 4:
        cells = notebook.get("cells")
        return cells if isinstance(cells, list) else None
    sheets = notebook.get("worksheets", [notebook] if version == 1 else None)
    if not isinstance(sheets, list):
        return None
    found: list[object] = []
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, Mapping) else None
        if not isinstance(cells, list):
            return None
        found += map(_upgrade, cells)
    return found


def _upgrade(cell: object) -> object:
    if not isinstance(cell, Mapping):
        return cell
    kind = cell.get("cell_type")
    source = next((cell[name] for name in _SOURCES if name in cell), "")
    upgraded: dict[str, object] = {"metadata": cell.get("metadata"), "source": source}
    if kind == "heading":
        level = cell.get("level")
        marks = "#" * level if isinstance(level, int) and 1 <= level <= 6 else "#"
        parts = source if isinstance(source, list) else [source]
        upgraded["source"] = [f"{marks} ", *parts]
        return upgraded | {"cell_type": "markdown"}
    return upgraded | {"cell_type": _TEXTS.get(str(kind), kind)}
