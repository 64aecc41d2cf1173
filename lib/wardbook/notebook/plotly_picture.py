"""A figure of Plotly drawn as a picture.

Plotly itself needs a browser and 5 MB of script, and its figures carry every point with what is
said of it. A report holds pictures: what the reader sees is all there is (docs/artefacts.md).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

from wardbook.template.spec import TemplateProblem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PIXELS_PER_INCH = 100
_SIZE = (900, 500)
_DASHES = {"dash": "--", "dot": ":", "dashdot": "-.", "longdash": (0, (8, 3)), "solid": "-"}
_COLOURS = ("#0b6a60", "#b4621a", "#3d5a99", "#9c2b22", "#6d8a2d", "#7a3e9d", "#536062", "#c79a1b")
_RGB = re.compile(r"rgba?\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*(?:,\s*([\d.]+)\s*)?\)")


class PlotlyFigure(Protocol):
    """What every figure of Plotly can tell of itself."""

    def to_plotly_json(self) -> Any:
        """Return data and layout."""


def draw_plotly(name: str, figure: PlotlyFigure) -> Figure:
    """Return a figure of matplotlib that shows what a figure of Plotly shows at rest.

    Lines, points, areas, bars, histograms, boxes, heat maps and pies on one pair of axes; titles,
    legend, logarithmic and date axes, ranges.

    Raises:
        TemplateProblem: it has another kind of trace; the message names the kind.
    """
    from matplotlib.figure import Figure as Picture

    plain = figure.to_plotly_json()
    layout = plain.get("layout", {})
    wide, high = layout.get("width") or _SIZE[0], layout.get("height") or _SIZE[1]
    picture = Picture(
        figsize=(wide / _PIXELS_PER_INCH, high / _PIXELS_PER_INCH), dpi=1.6 * _PIXELS_PER_INCH
    )
    axes = picture.subplots()
    canvas = _Canvas(axes, layout.get("barmode", "group"), plain["data"])
    for number, trace in enumerate(plain["data"]):
        if trace.get("visible") in (False, "legendonly"):
            continue
        kind = str(trace.get("type") or "scatter")
        draw = _TRACES.get(kind)
        if draw is None:
            raise TemplateProblem(
                f"figure {name!r}: a trace of kind {kind!r} cannot be shown in a report, only "
                f"{', '.join(_TRACES)}. Draw it with matplotlib."
            )
        draw(canvas, trace, _COLOURS[number % len(_COLOURS)])
    canvas.write_categories()
    _label(axes, layout)
    picture.tight_layout()
    return picture


class _Canvas:
    """The axes, where values stand on them, and where the next bars begin."""

    def __init__(self, axes: Axes, mode: str, traces: Sequence[Mapping[str, Any]]) -> None:
        self.axes = axes
        self.stacked = mode in ("stack", "relative")
        shown = [t for t in traces if t.get("type") == "bar" and t.get("visible") in (None, True)]
        self.side_by_side = 1 if self.stacked or mode == "overlay" else max(1, len(shown))
        self.drawn = 0
        self._tops: dict[float, float] = {}
        self._categories: dict[str, list[str]] = {"x": [], "y": []}

    def place(self, axis: str, values: Sequence[Any]) -> list[float]:
        """Return values as places on an axis; all traces share one order of categories."""
        from matplotlib.dates import date2num

        if any(isinstance(value, datetime) for value in values):
            getattr(self.axes, f"{axis}axis_date")()
            to_place: Callable[[Any], float] = date2num
            return [to_place(value) for value in values]
        if any(isinstance(value, str) for value in values):
            known = self._categories[axis]
            known += [text for text in dict.fromkeys(map(str, values)) if text not in known]
            return [float(known.index(str(value))) for value in values]
        return [float("nan") if value is None else float(value) for value in values]

    def begin_bars(self, places: Sequence[float], heights: Sequence[float]) -> list[float]:
        """Return where the bars of one more trace begin."""
        self.drawn += 1
        if not self.stacked:
            return [0.0] * len(places)
        begins = [self._tops.get(place, 0.0) for place in places]
        for place, begin, height in zip(places, begins, heights, strict=True):
            self._tops[place] = begin + height
        return begins

    def write_categories(self) -> None:
        """Name the categories at their places."""
        for axis, names in self._categories.items():
            if names:
                getattr(self.axes, f"set_{axis}ticks")(range(len(names)), labels=names)


def _draw_scatter(canvas: _Canvas, trace: Mapping[str, Any], colour: str) -> None:
    y = _values(trace, "y")
    x = canvas.place("x", _values(trace, "x") or list(range(len(y))))
    y = canvas.place("y", y)
    line, marker = trace.get("line") or {}, trace.get("marker") or {}
    mode = str(trace.get("mode") or ("lines+markers" if len(y) < 20 else "lines"))
    ink = _colour(line.get("color") or marker.get("color"), colour)
    if trace.get("fill") not in (None, "none"):
        fill = _colour(trace.get("fillcolor"), ink)
        canvas.axes.fill_between(x, y, alpha=0.25, color=fill, linewidth=0)
    canvas.axes.plot(
        x,
        y,
        color=ink,
        linestyle=_DASHES.get(str(line.get("dash", "solid")), "-") if "lines" in mode else "None",
        linewidth=float(line.get("width", 2)),
        marker="o" if "markers" in mode else "None",
        markersize=float(marker["size"]) if isinstance(marker.get("size"), int | float) else 5,
        label=_legend(trace),
        zorder=3,
    )


def _draw_bar(canvas: _Canvas, trace: Mapping[str, Any], colour: str) -> None:
    across = trace.get("orientation") == "h"
    names = ("y", "x") if across else ("x", "y")
    heights = [float(one or 0) for one in _values(trace, names[1])]
    keys = _values(trace, names[0]) or list(range(len(heights)))
    places = canvas.place(names[0], keys)
    gaps = [later - one for one, later in pairwise(sorted(set(places)))]
    width = 0.8 * min(gaps, default=1.0) / canvas.side_by_side
    shift = (canvas.drawn - (canvas.side_by_side - 1) / 2) * width * (canvas.side_by_side > 1)
    begins = canvas.begin_bars(places, heights)
    shifted = [place + shift for place in places]
    ink = _colour((trace.get("marker") or {}).get("color"), colour)
    label = _legend(trace)
    if across:
        canvas.axes.barh(shifted, heights, height=width, left=begins, color=ink, label=label)
    else:
        canvas.axes.bar(shifted, heights, width=width, bottom=begins, color=ink, label=label)


def _draw_histogram(canvas: _Canvas, trace: Mapping[str, Any], colour: str) -> None:
    across = "y" in trace and "x" not in trace
    values = [one for one in _values(trace, "y" if across else "x") if one is not None]
    canvas.axes.hist(
        values,
        bins=trace.get("nbinsx") or trace.get("nbinsy") or "auto",
        orientation="horizontal" if across else "vertical",
        color=_colour((trace.get("marker") or {}).get("color"), colour),
        alpha=0.85,
        label=_legend(trace),
    )


def _draw_box(canvas: _Canvas, trace: Mapping[str, Any], colour: str) -> None:
    values = [one for one in _values(trace, "y") or _values(trace, "x") if one is not None]
    canvas.drawn += 1
    # Single points outside the whiskers are persons: a report shows the box alone.
    canvas.axes.boxplot(
        [values],
        positions=[canvas.drawn],
        widths=0.6,
        showfliers=False,
        tick_labels=[str(trace.get("name") or canvas.drawn)],
        orientation="horizontal" if "y" not in trace else "vertical",
        patch_artist=True,
        boxprops={"facecolor": colour, "alpha": 0.5},
        medianprops={"color": "#1b2425"},
    )


def _draw_heatmap(canvas: _Canvas, trace: Mapping[str, Any], _colour: str) -> None:
    rows = [[float("nan") if one is None else one for one in row] for row in _grid(trace.get("z"))]
    shown = canvas.axes.imshow(rows, aspect="auto", origin="lower", cmap="viridis")
    for values, ticks in (
        (_values(trace, "x"), canvas.axes.set_xticks),
        (_values(trace, "y"), canvas.axes.set_yticks),
    ):
        if values:
            ticks(range(len(values)), labels=[str(one)[:20] for one in values])
    if canvas.axes.figure is not None:
        canvas.axes.figure.colorbar(shown, ax=canvas.axes)


def _draw_pie(canvas: _Canvas, trace: Mapping[str, Any], _colour: str) -> None:
    values = _values(trace, "values")
    labels = [str(one) for one in _values(trace, "labels")] or None
    hole = float(trace.get("hole") or 0)
    wedges, *_ = canvas.axes.pie(
        values,
        labels=labels,
        colors=_COLOURS,
        autopct="%1.0f %%",
        startangle=90,
        counterclock=False,
        wedgeprops={"width": 1 - hole},
    )
    for wedge in wedges:
        wedge.set_label("_nolegend_")  # its name stands beside it


_TRACES: Mapping[str, Callable[[_Canvas, Mapping[str, Any], str], None]] = {
    "scatter": _draw_scatter,
    "scattergl": _draw_scatter,
    "bar": _draw_bar,
    "histogram": _draw_histogram,
    "box": _draw_box,
    "heatmap": _draw_heatmap,
    "pie": _draw_pie,
}


def _label(axes: Axes, layout: Mapping[str, Any]) -> None:
    axes.set_title(_plain(layout.get("title")), loc="left")
    for name, which in (("xaxis", "x"), ("yaxis", "y")):
        given = layout.get(name) or {}
        getattr(axes, f"set_{which}label")(_plain(given.get("title")))
        if given.get("type") == "log":
            getattr(axes, f"set_{which}scale")("log")
        limits = given.get("range")
        if limits is not None and given.get("type") not in ("log", "category"):
            getattr(axes, f"set_{which}lim")(*(_moment(one) for one in limits))
    axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    if layout.get("showlegend", len(labels) > 1) and handles:
        axes.legend(frameon=False)


def _values(trace: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list of a trace; dates in ISO format become moments."""
    value = trace.get(name)
    if value is None:
        return []
    return [_moment(one) for one in _unpack(value)]


def _grid(value: Any) -> list[list[Any]]:
    if isinstance(value, Mapping) and "shape" in value:
        flat = _unpack(value)
        wide = int(str(value["shape"]).split(",")[1])
        return [flat[at : at + wide] for at in range(0, len(flat), wide)]
    return [_unpack(row) for row in value]


def _unpack(value: Any) -> list[Any]:
    if isinstance(value, Mapping) and "bdata" in value:
        import numpy as np

        unpacked: list[Any] = np.frombuffer(
            base64.b64decode(value["bdata"]), dtype=str(value["dtype"])
        ).tolist()
        return unpacked
    return list(value.tolist() if hasattr(value, "tolist") else value)


def _moment(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
        return pd.Timestamp(value).to_pydatetime()
    return value


def _colour(given: Any, otherwise: Any) -> Any:
    """Return a colour in matplotlib's words; lists of colours and scales are not taken over."""
    from matplotlib.colors import is_color_like

    found = _RGB.fullmatch(given) if isinstance(given, str) else None
    if found:
        parts = [float(part) / 255 for part in found.groups()[:3]]
        return (*parts, float(found[4])) if found[4] else tuple(parts)
    return given if isinstance(given, str) and is_color_like(given) else otherwise


def _legend(trace: Mapping[str, Any]) -> str | None:
    return _plain(trace.get("name")) or None if trace.get("showlegend") is not False else None


def _plain(title: Any) -> str:
    """Return a title without Plotly's tags, and without what matplotlib takes for mathematics."""
    text = title.get("text") if isinstance(title, Mapping) else title
    return re.sub(r"<[^>]{0,200}>", "", str(text or "")).replace("$", r"\$")
