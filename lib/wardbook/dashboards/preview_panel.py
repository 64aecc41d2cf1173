"""A panel as the page of a preview shows it: its pictures, its legend, its table, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from wardbook.dashboards.board import TIME, Panel, Threshold
from wardbook.dashboards.drawing.frame import Labels, picture
from wardbook.dashboards.drawing.series import (
    HEATS,
    MOST_LINES,
    draw_bars,
    draw_heat,
    draw_lines,
    draw_spark,
    heat_height,
    heat_range,
    moments_of,
    values_of,
)
from wardbook.dashboards.macros import read_moment
from wardbook.dashboards.reading import Line, PanelValues, is_beyond
from wardbook.dashboards.wording import Wording

PERIODS = 6
"""Columns of the folded table: the latest periods."""
_HEIGHT = 260.0
_SIZES = {False: {"wide": 500.0, "narrow": 330.0}, True: {"wide": 1010.0, "narrow": 330.0}}
_SPARK = (200.0, 44.0)


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart or table: its name, its values in words, the length of its bar."""

    name: str
    cells: tuple[str, ...]
    hidden: bool
    bar: Markup
    severity: str


@dataclass(frozen=True)
class Legend:
    """A line's name, latest value, and the number of its colour."""

    number: int
    name: str
    last: str
    severity: str


@dataclass(frozen=True)
class DrawnPanel:
    """A panel as its page shows it."""

    name: str
    title: str
    help: str
    kind: str
    key: str
    wide: bool
    pictures: Markup
    figure: str
    severity: str
    as_of: str
    legend: tuple[Legend, ...]
    left_out: int
    heads: tuple[str, ...]
    rows: tuple[Bar, ...]
    thresholds: tuple[tuple[str, str], ...]
    shades: tuple[tuple[int, str], ...]
    table_heads: tuple[str, ...]
    table: tuple[tuple[str, tuple[str, ...]], ...]


def describe_panel(one: PanelValues, wording: Wording) -> DrawnPanel:
    """Return a panel with its pictures, its legend and its table."""
    panel = one.panel
    wide = panel.wide or panel.kind == "heatmap"
    lines = [line for line in one.lines if any(value is not None for _, value in line.points)]
    kept = _keep(lines) if panel.kind in ("timeseries", "bar") else lines
    main = lines[0] if panel.kind == "stat" and lines else None
    last = main.last if main else None
    rows = tuple(_rows(one, wording))
    return DrawnPanel(
        name=panel.name,
        title=panel.title,
        help=panel.help,
        kind="rows" if panel.latest else panel.kind,
        key="bar" if panel.kind == "bar" else "line",
        wide=wide,
        pictures=_pictures(panel, kept, wide, wording) if kept else Markup(),
        figure=wording.value(panel, last) if main else "",
        severity=severity_of(panel, last),
        as_of=_as_of(one, wording),
        legend=tuple(_legend(panel, kept, wording)),
        left_out=len(lines) - len(kept),
        heads=tuple(label for column, label in panel.labels.items() if column != TIME),
        rows=rows,
        thresholds=tuple(
            (wording.threshold(panel, each), each.severity) for each in panel.thresholds
        ),
        shades=tuple(_shades(panel, kept, wording)) if panel.kind == "heatmap" else (),
        table_heads=tuple(wording.short_moment(each) for each in _latest_moments(lines)),
        table=tuple(_table(panel, lines, wording)),
    )


def _keep(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that are drawn: those with the greatest values, in their own order."""
    ranked = sorted(lines, key=lambda line: max(values_of([line])), reverse=True)[:MOST_LINES]
    return [line for line in lines if line in ranked]


def _pictures(panel: Panel, lines: Sequence[Line], wide: bool, wording: Wording) -> Markup:
    labels = Labels(wording.tick(panel), wording.short_day)
    told = (panel.title, describe(panel, lines, wording))
    if panel.kind == "stat":
        return picture(panel.name, "spark", _SPARK, told, draw_spark(*_SPARK, lines[0]))
    pictures = Markup()
    for size, width in _SIZES[wide].items():
        height = heat_height(lines) if panel.kind == "heatmap" else _HEIGHT
        if panel.kind == "heatmap":
            drawn = draw_heat(width, lines, labels)
        else:
            draw = draw_bars if panel.kind == "bar" else draw_lines
            drawn = draw(width, height, lines, panel.thresholds, labels)
        pictures += picture(panel.name, size, (width, height), told, drawn)
    return pictures


def describe(panel: Panel, lines: Sequence[Line], wording: Wording) -> str:
    """Return what a picture shows, in words."""
    moments, values = moments_of(lines), values_of(lines)
    span = {"start": wording.day(moments[0]), "end": wording.day(moments[-1])}
    kind = {"heatmap": "heat", "bar": "bars"}.get(panel.kind, "line")
    one = "_one" if kind == "line" and len(lines) == 1 else ""
    say = wording.voice.say
    told = [
        say(f"dashboard.describe_{kind}{one}", count=len(lines), **span),
        say(
            "dashboard.describe_range",
            low=wording.value(panel, min(values)),
            high=wording.value(panel, max(values)),
        ),
    ]
    if len(lines) == 1:
        told.append(say("dashboard.describe_last", value=wording.value(panel, lines[0].last)))
    return " ".join(told)


def severity_of(panel: Panel, value: float | None) -> str:
    """Return the severity of the farthest threshold that a value lies beyond, or ""."""
    if value is None:
        return ""
    order = {"info": 0, "warning": 1, "critical": 2}
    beyond = [one.severity for one in panel.thresholds if is_beyond(one, value)]
    return max(beyond, key=lambda one: order[one], default="")


def _as_of(one: PanelValues, wording: Wording) -> str:
    moments = moments_of(one.lines)
    if one.rows and TIME in one.rows[0]:
        moments = [read_moment(row[TIME]) for row in one.rows]
    return wording.day(max(moments)) if moments else ""


def _legend(panel: Panel, lines: Sequence[Line], wording: Wording) -> list[Legend]:
    if panel.kind not in ("timeseries", "bar"):
        return []
    return [
        Legend(number, line.name, wording.value(panel, line.last), severity_of(panel, line.last))
        for number, line in enumerate(lines, start=1)
    ]


def _latest_moments(lines: Sequence[Line]) -> list[datetime]:
    return moments_of(lines)[-PERIODS:][::-1]


def _table(
    panel: Panel, lines: Sequence[Line], wording: Wording
) -> list[tuple[str, tuple[str, ...]]]:
    moments = _latest_moments(lines)
    table = []
    for line in lines:
        points = dict(line.points)
        cells = (
            wording.value(panel, points[one])
            if one in points
            else wording.voice.say("dashboard.no_value")
            for one in moments
        )
        table.append((line.name, tuple(cells)))
    return table


def _shades(panel: Panel, lines: Sequence[Line], wording: Wording) -> list[tuple[int, str]]:
    if not lines:
        return []
    low, high = heat_range(lines)
    step = (high - low) / HEATS
    return [(number + 1, wording.value(panel, low + number * step)) for number in range(HEATS)]


def _rows(one: PanelValues, wording: Wording) -> list[Bar]:
    panel = one.panel
    columns = [name for name in panel.labels if name != TIME]
    if not one.rows:
        return []
    texts = [name for name in columns if isinstance(one.rows[0][name], str)]
    numbers = [name for name in columns if name not in texts]
    shown = [float(row[numbers[0]]) for row in one.rows if row[numbers[0]] is not None]
    most = max([*shown, *(each.value for each in panel.thresholds), 0.0]) or 1.0
    rows = []
    for row in one.rows:
        values = [None if row[name] is None else float(row[name]) for name in numbers]
        rows.append(
            Bar(
                name=" ".join(str(row[name]) for name in texts),
                cells=tuple(wording.value(panel, value) for value in values),
                hidden=values[0] is None,
                bar=_bar(values[0], most, panel.thresholds) if panel.kind == "bar" else Markup(),
                severity=severity_of(panel, values[0]),
            )
        )
    return rows


def _bar(value: float | None, most: float, thresholds: Sequence[Threshold]) -> Markup:
    length = max(0.0, (value or 0.0) / most * 100)
    marks = Markup().join(
        Markup('<path class="threshold {}" d="M{:.1f} 0V14"/>').format(
            each.severity, min(99.5, max(0.5, each.value / most * 100))
        )
        for each in thresholds
    )
    return Markup(
        '<svg class="beam" viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="rail" d="M0 0H100V14H0z"/>'
        '<path class="bar s1" d="M0 1H{:.1f}V13H0z"/>{}</svg>'
    ).format(length, marks)
