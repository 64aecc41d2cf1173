"""Pushes boards to Grafana: what is there already is left alone, what differs is saved.

A dashboard is changed here and nowhere else; changes made in Grafana by hand are written over, and
the earlier version stays in its history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from wardbook.dashboards.alerts import build_rules
from wardbook.dashboards.board import Board
from wardbook.dashboards.grafana import build_dashboard
from wardbook.dashboards.grafana_port import GrafanaPort, SavedMeanwhile
from wardbook.dashboards.macros import Window

What = Literal["new", "changed", "same"]
TAG = "wardbook"
_MESSAGE = "wardbook dashboards push"


@dataclass(frozen=True)
class Place:
    """Where in Grafana: uids of folder and data source, the folder's title, the unit's zone."""

    folder: str
    title: str
    datasource: str
    zone: str


@dataclass(frozen=True)
class Pushed:
    """What came of one board: of its dashboard, and how many of its alert rules were touched."""

    board: str
    dashboard: What
    rules: int


def push_boards(
    port: GrafanaPort, boards: Sequence[tuple[Board, Window | None]], place: Place
) -> list[Pushed]:
    """Push boards that the database can answer, each with the time that it shows at first.

    It may be repeated: what is as it should be is not written again.

    Raises:
        ForeignFault: Grafana is away, too old, or refuses.
    """
    port.check(place.datasource)
    port.ensure_folder(place.folder, place.title)
    pushed = []
    for board, window in boards:
        built = build_dashboard(board, place.datasource, place.zone, window)
        what = _save(port, built, place.folder)
        rules = _put_rules(port, build_rules(board, place.datasource, place.folder), board, place)
        pushed.append(Pushed(board.name, what, rules))
    return pushed


def find_left_over(port: GrafanaPort, boards: Iterable[Board], place: Place) -> list[str]:
    """Return the titles of dashboards in our folder that no template declares any more."""
    ours = {board.uid for board in boards}
    hits = port.find_dashboards(TAG)
    return sorted(
        str(hit["title"])
        for hit in hits
        if hit.get("folderUid") == place.folder and hit["uid"] not in ours
    )


def _save(port: GrafanaPort, built: Mapping[str, Any], folder: str) -> What:
    try:
        return _save_once(port, built, folder)
    except SavedMeanwhile:
        return _save_once(port, built, folder)


def _save_once(port: GrafanaPort, built: Mapping[str, Any], folder: str) -> What:
    found = port.find_dashboard(built["uid"])
    if found is None:
        port.save_dashboard(built, folder, _MESSAGE)
        return "new"
    there = found["dashboard"]
    if found["meta"].get("folderUid") == folder and holds(there, built):
        return "same"
    port.save_dashboard({**built, "version": there["version"]}, folder, _MESSAGE)
    return "changed"


def _put_rules(
    port: GrafanaPort, rules: Sequence[Mapping[str, Any]], board: Board, place: Place
) -> int:
    """Bring a board's alert rules to what they should be; returns how many were touched."""
    there = {one["uid"]: one for one in port.find_rules(place.folder, board.name)}
    touched = 0
    for rule in rules:
        old = there.pop(rule["uid"], None) or port.find_rule(rule["uid"])
        if old is not None and holds(old, rule):
            continue
        touched += 1
        if old is None:
            port.make_rule(rule)
        else:
            port.replace_rule(rule)
    for uid in there:
        port.delete_rule(uid)
    return touched + len(there)


def holds(there: Any, wanted: Any) -> bool:
    """Return whether what Grafana has is what we want, but for what it fills in by itself."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            key in there and holds(there[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(there, list) and len(there) == len(wanted) and all(map(holds, there, wanted))
        )
    return bool(there == wanted)
