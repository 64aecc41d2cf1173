"""JSON that leaves: figures of Plotly and Vega, Grafana's dashboards and series, anything else."""

from __future__ import annotations

from typing import Any

from wardbook.artefacts.active import find_active_names, runs_something
from wardbook.artefacts.decoding import parse_json
from wardbook.artefacts.finding import Notes
from wardbook.artefacts.forms.grafana import is_grafana, read_grafana
from wardbook.artefacts.forms.plotly import is_plotly, read_plotly
from wardbook.artefacts.forms.vega import is_vega, read_vega
from wardbook.artefacts.walking import walk

_LONG = 100_000
"""A number with so many digits could be an identifier wherever it stands."""


def read_json(content: bytes, notes: Notes) -> None:
    """Read a JSON file: as what it is, and every key and string in it as text."""
    read_value(parse_json(content, notes), notes)


def read_value(value: Any, notes: Notes, place: str = "") -> None:
    """Read a JSON value that stands in a file, or is one."""
    # Viewers of figures, dashboards and notebooks show some of their texts as markup. Of any other
    # JSON a text is a text: a report's card holds what a stranger wrote in a ticket.
    shown = bool(place) or is_plotly(value) or is_vega(value) or is_grafana(value)
    for here, key, found in walk(value, notes.bounds.depth, place):
        if key is not None:
            notes.add("attribute", here, key)
        if isinstance(found, str):
            notes.add("text", here, found)
            if shown:
                _judge_text(found, notes, here)
        elif isinstance(found, int) and abs(found) >= _LONG:
            notes.add("point", here, str(found))
    if is_plotly(value):
        read_plotly(value, notes, place)
    elif is_vega(value):
        read_vega(value, notes, place)
    elif is_grafana(value):
        read_grafana(value, notes, place)
    else:
        _read_records(value, notes, place)


def _judge_text(text: str, notes: Notes, place: str) -> None:
    """Report what would run if a page showed this text as HTML or followed it as an address."""
    if "<" in text:
        for _ in find_active_names(text):
            notes.report("script", place)
        plain = text.lower().replace(" ", "")
        if "onerror=" in plain or "onload=" in plain:
            notes.report("script", place)
    if runs_something(text):
        notes.report("script", place)


def _read_records(value: Any, notes: Notes, place: str) -> None:
    """Note lists of objects, or of lists, as the tables that they are."""
    number = 0
    for _, _, found in walk(value, notes.bounds.depth, place):
        if isinstance(found, list) and found:
            rows = read_records(found)
            if rows is not None:
                number += 1
                notes.add_grid(f"list {number}", *rows)


def read_records(found: list[Any]) -> tuple[list[str], list[list[str]]] | None:
    """Return header and rows of a list of objects or of lists; None of any other list."""
    if all(isinstance(one, dict) for one in found):
        names = list(dict.fromkeys(name for one in found for name in one))
        return names, [[_plain(one.get(name)) for name in names] for one in found]
    if all(isinstance(one, list) for one in found):
        return [], [[_plain(item) for item in one] for one in found]
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in found):
        return [], [[str(one)] for one in found]
    return None


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) else ""
