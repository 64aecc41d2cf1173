"""Lines, bars and heat maps over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from markupsafe import Markup

from wardbook.dashboards.board import Threshold
from wardbook.dashboards.drawing.frame import (
    LETTER,
    Frame,
    Labels,
    draw_moments,
    draw_thresholds,
    draw_values,
    make_frame,
)
from wardbook.dashboards.reading import Line

MOST_LINES = 8
"""Lines that a reader can still tell apart."""
HEATS = 6
"""Shades of a heat map."""
_ROW = 22.0
_A_BREAK = 1.9
"""Usual steps after which a line breaks off: a period is missing."""


def moments_of(lines: Sequence[Line]) -> list[datetime]:
    """Return every moment of some lines, in order."""
    return sorted({moment for line in lines for moment, _ in line.points})


def values_of(lines: Sequence[Line]) -> list[float]:
    """Return every value of some lines that is shown."""
    return [value for line in lines for _, value in line.points if value is not None]


def draw_lines(
    width: float,
    height: float,
    lines: Sequence[Line],
    thresholds: Sequence[Threshold],
    labels: Labels,
) -> Markup:
    """Draw lines, each broken where a value is withheld or missing."""
    moments = moments_of(lines)
    frame, ticks = make_frame(
        width, height, moments, values_of(lines), thresholds, labels, bars=False
    )
    step = usual_step(moments)
    drawn = [_line(frame, line, number, step) for number, line in enumerate(lines, start=1)]
    return Markup().join(
        [
            draw_values(frame, ticks, labels),
            draw_moments(frame, moments, labels),
            draw_thresholds(frame, thresholds),
            *drawn,
        ]
    )


def _line(frame: Frame, line: Line, number: int, step: timedelta) -> Markup:
    drawn = Markup()
    for run in pieces(line, step):
        points = [f"{frame.x(moment):.1f} {frame.y(value):.1f}" for moment, value in run]
        if len(points) == 1:
            x, y = points[0].split()
            drawn += Markup('<circle class="s{}" cx="{}" cy="{}" r="2.5"/>').format(number, x, y)
        else:
            drawn += Markup('<path class="line s{}" d="M{}"/>').format(number, "L".join(points))
    return drawn


def pieces(line: Line, step: timedelta) -> Iterator[list[tuple[datetime, float]]]:
    """Yield the runs of values that follow each other."""
    run: list[tuple[datetime, float]] = []
    for moment, value in line.points:
        if run and (value is None or moment - run[-1][0] > step * _A_BREAK):
            yield run
            run = []
        if value is not None:
            run.append((moment, value))
    if run:
        yield run


def usual_step(moments: Sequence[datetime]) -> timedelta:
    """Return the usual distance of two moments; a day where there is one moment."""
    steps = [(after - one).total_seconds() for one, after in pairwise(moments)]
    return timedelta(seconds=median(steps)) if steps else timedelta(days=1)


def draw_bars(
    width: float,
    height: float,
    lines: Sequence[Line],
    thresholds: Sequence[Threshold],
    labels: Labels,
) -> Markup:
    """Draw a bar for each line and moment, those of a moment beside each other."""
    moments = moments_of(lines)
    frame, ticks = make_frame(
        width, height, moments, values_of(lines), thresholds, labels, bars=True
    )
    one = min(40.0, usual_slot(frame, moments) * 0.8 / len(lines))
    drawn = []
    for place, line in enumerate(lines):
        bars = []
        for moment, value in line.points:
            if value is not None:
                x = frame.x(moment) + (place - len(lines) / 2) * one
                zero, top = frame.y(0), frame.y(value)
                bars.append(f"M{x:.1f} {zero:.1f}V{top:.1f}h{one:.1f}V{zero:.1f}z")
        drawn.append(Markup('<path class="bar s{}" d="{}"/>').format(place + 1, "".join(bars)))
    return Markup().join(
        [
            draw_values(frame, ticks, labels),
            *drawn,
            draw_moments(frame, moments, labels),
            draw_thresholds(frame, thresholds),
        ]
    )


def usual_slot(frame: Frame, moments: Sequence[datetime]) -> float:
    """Return the room of one period, in pixels."""
    if len(moments) == 1:
        return frame.right - frame.left
    return frame.x(moments[0] + usual_step(moments)) - frame.x(moments[0])


def draw_spark(width: float, height: float, line: Line) -> Markup:
    """Draw one line alone, from its least to its greatest value."""
    values = values_of([line])
    low, high = min(values), max(values)
    start, end = line.points[0][0], line.points[-1][0]
    frame = Frame(width, height + 24, 4, low, high if high > low else low + 1, start, end)
    return _line(frame, line, 1, usual_step(moments_of([line])))


def heat_height(lines: Sequence[Line]) -> float:
    """Return the height of a heat map."""
    return len(lines) * _ROW + 48.0


def draw_heat(width: float, lines: Sequence[Line], labels: Labels) -> Markup:
    """Draw a row for each line, a cell for each moment; what is withheld is an empty frame."""
    moments = moments_of(lines)
    left = max(len(line.name) for line in lines) * LETTER + 14
    cell = (width - left - 18.0) / len(moments)
    middle = [left + (number + 0.5) * cell for number in range(len(moments))]
    frame = Frame(
        width - cell / 2, heat_height(lines), left + cell / 2, 0, 1, moments[0], moments[-1]
    )
    places = dict(zip(moments, middle, strict=True))
    low, high = heat_range(lines)
    cells: dict[str, list[str]] = {}
    names = []
    for row, line in enumerate(lines):
        y = 14 + row * _ROW
        names.append(
            Markup('<text class="value" x="{:.1f}" y="{:.1f}">{}</text>').format(
                left - 8, y + _ROW / 2 + 5, line.name
            )
        )
        for moment, value in line.points:
            shade = "hidden" if value is None else f"h{heat_of(value, low, high)}"
            x, wide = places[moment] - cell / 2, max(cell - 1, 1)
            cells.setdefault(shade, []).append(
                f"M{x:.1f} {y:.1f}h{wide:.1f}v{_ROW - 2:.1f}h-{wide:.1f}z"
            )
    drawn = [
        Markup('<path class="cell {}" d="{}"/>').format(shade, "".join(cells[shade]))
        for shade in sorted(cells)
    ]
    return Markup().join([*names, *drawn, draw_moments(frame, moments, labels)])


def heat_range(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the values between which the shades go."""
    values = values_of(lines)
    return min(values), max(values)


def heat_of(value: float, low: float, high: float) -> int:
    """Return a value's shade, from 1 to `HEATS`."""
    if high <= low:
        return 1
    return min(HEATS, int((value - low) / (high - low) * HEATS) + 1)
