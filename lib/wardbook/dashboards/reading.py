"""What a board shows by itself: the latest request, every code, the last days that have values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from wardbook.dashboards.board import SERIES, TIME, Board, Panel, Threshold
from wardbook.dashboards.check import ANY_TIME, dialect_of, explain, find_missing
from wardbook.dashboards.macros import Window, expand, read_moment
from wardbook.metrics.schema import REQUEST


@dataclass(frozen=True)
class Line:
    """One series: its values in the order of time; None where none is shown."""

    name: str
    points: tuple[tuple[datetime, float | None], ...]

    @property
    def last(self) -> float | None:
        """The value of its latest period."""
        return self.points[-1][1]


@dataclass(frozen=True)
class PanelValues:
    """What a panel shows: lines over time, or the rows of the latest period."""

    panel: Panel
    lines: tuple[Line, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Called:
    """The state of an alert: for whom its threshold is crossed, with the value."""

    panel: Panel
    threshold: Threshold
    crossed: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class BoardValues:
    """What a board shows at the end of its data; `request` is "" on the unit's own."""

    board: Board
    window: Window
    request: str
    panels: tuple[PanelValues, ...]
    alerts: tuple[Called, ...]


def read_board(connection: Connection, board: Board) -> BoardValues | None:
    """Return what a board shows, or None where its tables are missing or have no values yet.

    A panel whose query the database cannot answer is empty: its metric has gained a measure that
    was never delivered.

    Raises:
        DBAPIError: the database is away.
    """
    tables = set(board.tables) - find_missing(connection, board.tables)
    if not tables or (board.variables and len(tables) < len(board.tables)):
        return None
    chosen = _choose(connection, board)
    request = next(iter(chosen.get(REQUEST, ())), "")
    end = find_end(connection, sorted(tables), request)
    if end is None:
        return None
    window = Window.ending(end, board.span_days)
    return BoardValues(
        board,
        window,
        request,
        tuple(_read_panel(connection, panel, window, chosen) for panel in board.panels),
        tuple(_read_alerts(connection, board, end, request)),
    )


def find_end(connection: Connection, tables: list[str], request: str = "") -> datetime | None:
    """Return the latest moment in some tables, of a request where one is given."""
    where = f' WHERE "{REQUEST}" = ${{{REQUEST}:sqlstring}}' if request else ""
    moments = []
    for table in tables:
        query = f'SELECT max("{TIME}") AS latest FROM "{table}"{where}'  # noqa: S608
        rows = _ask(connection, query, ANY_TIME, {REQUEST: (request,)})
        moments += [read_moment(row["latest"]) for row in rows if row["latest"] is not None]
    return max(moments, default=None)


def _choose(connection: Connection, board: Board) -> dict[str, tuple[str, ...]]:
    """Return what Grafana chooses at first: the first where one is chosen, all where several."""
    chosen: dict[str, tuple[str, ...]] = {}
    for variable in board.variables:
        codes = tuple(
            str(row["__value"]) for row in _ask(connection, variable.query, ANY_TIME, chosen)
        )
        chosen[variable.name] = codes if variable.many else codes[:1]
    return chosen


def _read_panel(
    connection: Connection, panel: Panel, window: Window, chosen: Mapping[str, tuple[str, ...]]
) -> PanelValues:
    if explain(connection, panel.query):
        return PanelValues(panel)
    rows = _ask(connection, panel.query, window, chosen)
    if panel.latest:
        return PanelValues(panel, rows=tuple(rows))
    return PanelValues(panel, lines=tuple(_lines(panel, rows)))


def _lines(panel: Panel, rows: list[Mapping[str, Any]]) -> Iterator[Line]:
    values = [name for name in panel.labels if rows and name in rows[0] and name != TIME]
    names = list(dict.fromkeys(row.get(SERIES) for row in rows))
    for series in names:
        for value in values:
            points = tuple(
                (read_moment(row[TIME]), None if row[value] is None else float(row[value]))
                for row in rows
                if row.get(SERIES) == series
            )
            yield Line(panel.labels[value] if series is None else str(series), points)


def _read_alerts(
    connection: Connection, board: Board, end: datetime, request: str
) -> Iterator[Called]:
    for panel, threshold, alert, _uid in board.alerts():
        if explain(connection, alert.query):
            continue
        rows = _ask(connection, alert.query, Window.ending(end, alert.within_days), {})
        crossed = tuple(
            (_place(panel, row), value)
            for row in rows
            if row[REQUEST] == request and is_beyond(threshold, value := float(row["value"]))
        )
        yield Called(panel, threshold, crossed)


def _place(panel: Panel, row: Mapping[str, Any]) -> str:
    """Return the series that a row of an alert is about, in words; "" where there is one only."""
    names = (name for name in row if name not in (REQUEST, "value"))
    return ", ".join(f"{panel.labels[name]} {row[name]}" for name in names)


def is_beyond(threshold: Threshold, value: float) -> bool:
    """Return whether a value lies beyond a threshold, as the alert's rule compares it."""
    return value > threshold.value if threshold.above else value < threshold.value


def _ask(
    connection: Connection, query: str, window: Window, chosen: Mapping[str, tuple[str, ...]]
) -> list[Mapping[str, Any]]:
    sent = expand(query, window, chosen, dialect_of(connection))
    answer = connection.exec_driver_sql(sent, execution_options={"no_parameters": True})
    return [dict(row) for row in answer.mappings()]
