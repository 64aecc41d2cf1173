"""The frame of a chart over time: sizes, scales, axes, thresholds.

Coordinates are pixels of the picture's own size. Each picture is drawn twice, for a wide and for a
narrow page, so that its letters are never smaller than those of the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from wardbook.dashboards.board import Threshold

LETTER = 9.4
"""About the width of a letter of 16 pixels; labels are never measured, only given room."""
_TOP, _BOTTOM, _RIGHT = 14.0, 34.0, 18.0
_MOST_TICKS = 5


@dataclass(frozen=True)
class Labels:
    """How values and moments are written on the axes."""

    value: Callable[[float], str]
    moment: Callable[[datetime], str]


@dataclass(frozen=True)
class Frame:
    """Where values and moments lie in a picture of `width` × `height`."""

    width: float
    height: float
    left: float
    low: float
    high: float
    start: datetime
    end: datetime
    inset: float = 0.0

    @property
    def right(self) -> float:
        """The right end of the field."""
        return self.width - _RIGHT

    @property
    def bottom(self) -> float:
        """The lower end of the field."""
        return self.height - _BOTTOM

    def x(self, moment: datetime) -> float:
        """Return where a moment lies."""
        span = (self.end - self.start).total_seconds() or 1.0
        share = (moment - self.start).total_seconds() / span
        if self.start == self.end:
            share = 0.5
        return self.left + self.inset + share * (self.right - self.left - 2 * self.inset)

    def y(self, value: float) -> float:
        """Return where a value lies."""
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - share * (self.bottom - _TOP)


def make_frame(
    width: float,
    height: float,
    moments: Sequence[datetime],
    values: Iterable[float],
    thresholds: Sequence[Threshold],
    labels: Labels,
    *,
    bars: bool,
) -> tuple[Frame, list[float]]:
    """Return a frame that holds all values, and its ticks.

    Args:
        moments: all of them, in order, at least one.
        values: at least one.
        thresholds: held too, where they do not dwarf the values.
        bars: the scale begins at 0, and there is room for half a bar at both ends.
    """
    shown = list(values)
    top = max(shown)
    shown += [one.value for one in thresholds if one.value <= 2 * top or top <= 0]
    whole = all(value == round(value) for value in shown)
    ticks = make_ticks(min(shown), max(shown), from_zero=bars, whole=whole)
    left = max(len(labels.value(tick)) for tick in ticks) * LETTER + 12
    inset = (width - left - _RIGHT) / len(moments) / 2 if bars else 0.0
    return Frame(width, height, left, ticks[0], ticks[-1], moments[0], moments[-1], inset), ticks


def make_ticks(low: float, high: float, *, from_zero: bool, whole: bool = False) -> list[float]:
    """Return round values, evenly apart, that hold two others; `whole`: no parts of 1."""
    if from_zero or high == low or 0 <= low <= 0.5 * high:
        low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        high = 1.0
    rough = max((high - low) / (_MOST_TICKS - 1), 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in (1, 2, 5, 10) if power * one >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def draw_values(frame: Frame, ticks: Iterable[float], labels: Labels) -> Markup:
    """Draw the lines across, with what they stand for."""
    parts = []
    for tick in ticks:
        y = frame.y(tick)
        parts.append(
            Markup(
                '<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/>'
                '<text class="value" x="{:.1f}" y="{:.1f}">{}</text>'
            ).format(frame.left, y, frame.right, frame.left - 8, y + 5, labels.value(tick))
        )
    return Markup().join(parts)


def draw_moments(frame: Frame, moments: Sequence[datetime], labels: Labels) -> Markup:
    """Draw some moments below the field, as many as there is room for."""
    room = max(len(labels.moment(one)) for one in moments) * LETTER + 22
    fit = max(1, int((frame.right - frame.left) // room))
    step = max(1, math.ceil(len(moments) / fit))
    chosen = moments[::-1][::step]
    parts = []
    for moment in reversed(chosen):
        x, text = frame.x(moment), labels.moment(moment)
        half = len(text) * LETTER / 2
        at = min(max(x, half), frame.width - half)
        parts.append(
            Markup(
                '<path class="tick" d="M{0:.1f} {1:.1f}v5"/>'
                '<text class="moment" x="{2:.1f}" y="{3:.1f}">{4}</text>'
            ).format(x, frame.bottom, at, frame.bottom + 25, text)
        )
    return Markup().join(parts)


def draw_thresholds(frame: Frame, thresholds: Iterable[Threshold]) -> Markup:
    """Draw the thresholds that lie in the field."""
    inside = (one for one in thresholds if frame.low <= one.value <= frame.high)
    return Markup().join(
        Markup('<path class="threshold {}" d="M{:.1f} {:.1f}H{:.1f}"/>').format(
            one.severity, frame.left, frame.y(one.value), frame.right
        )
        for one in inside
    )


def picture(
    name: str, size: str, frame: tuple[float, float], told: tuple[str, str], *parts: Markup
) -> Markup:
    """Return a picture with its title and description, which screen readers say."""
    width, height = frame
    return Markup(
        '<svg class="chart {size}" viewBox="0 0 {width:g} {height:g}" role="img" '
        'aria-labelledby="{name}-{size}-t {name}-{size}-d">'
        '<title id="{name}-{size}-t">{title}</title><desc id="{name}-{size}-d">{desc}</desc>'
        "{inner}</svg>"
    ).format(
        size=size,
        width=width,
        height=height,
        name=name,
        title=told[0],
        desc=told[1],
        inner=Markup().join(parts),
    )
