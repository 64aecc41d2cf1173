"""The figures of the hospital epidemic report.

Each function takes the table that the report publishes and the words in the reader's language, and
returns a matplotlib `Figure` made without pyplot: nothing global is kept. Colours are of Okabe and
Ito's palette, or shades of one colour, which people with any colour vision can tell apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps, patheffects
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from wardbook.chart_style import BLUE, DPI, GREY, PALE, VERMILION, dress
from wardbook.epidemic.geography import all_departments, all_regions
from wardbook.messages import Language
from wardbook.wording import write_number


def draw_stock(france: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw people in hospital and in critical care by day.

    `france` has columns date, hosp, rea; `labels` has hosp, rea: each curve's name.
    """
    figure = Figure(figsize=(8, 4.2), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for count, colour in (("hosp", BLUE), ("rea", VERMILION)):
        curve = _with_breaks(france.set_index("date")[count])
        axes.fill_between(curve.index, curve, color=colour, alpha=0.12, linewidth=0)
        axes.plot(curve.index, curve, color=colour, linewidth=2, marker=_mark_points(curve))
        peak = int(france[count].to_numpy().argmax())
        axes.annotate(
            labels[count],
            (france["date"].iloc[peak], france[count].max()),
            xytext=(0, 5),
            textcoords="offset points",
            ha=("left", "center", "right")[3 * peak // len(france)],
            color=colour,
            fontweight="bold",
            path_effects=[patheffects.withStroke(linewidth=3, foreground="white")],
        )
    axes.margins(x=0.01, y=0.12)
    dress(axes, language)
    return figure


def draw_admissions(france: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw new admissions by day as bars with their seven-day mean as a line, one panel each.

    `france` has columns date, incid_hosp, incid_rea and their means COUNT_mean7; `labels` has
    incid_hosp, incid_rea (titles of the panels), day and mean (legend).
    """
    figure = Figure(figsize=(8, 5.6), dpi=DPI, layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, count in zip(panels, ("incid_hosp", "incid_rea"), strict=True):
        series = france.set_index("date")
        axes.bar(series.index, series[count], width=1, color=PALE, label=labels["day"])
        mean = _with_breaks(series[f"{count}_mean7"])
        style = {"color": BLUE, "linewidth": 2, "marker": _mark_points(mean)}
        axes.plot(mean.index, mean, label=labels["mean"], **style)
        axes.set_title(labels[count], loc="left", fontsize=10, fontweight="bold")
        axes.margins(x=0.01)
        dress(axes, language)
    panels[0].legend(
        frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2
    )
    return figure


def draw_regions(
    regions: pd.DataFrame, france: pd.Series[float], labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw people in hospital per 100,000 inhabitants, one panel a region, all on one scale.

    `regions` has columns date, region_name, hosp_per_100k; regions without a population are left
    out. `france` is the rate of the whole country by date, in grey behind each panel. `labels` has
    rate: the unit, above the panels.
    """
    curves = regions.pivot(index="date", columns="region_name", values="hosp_per_100k")
    curves = curves.dropna(axis="columns", how="all").asfreq("D")
    names = [r.name for r in all_regions().values() if r.name in curves.columns]
    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    figure = Figure(figsize=(8, 0.9 + 1.55 * down), dpi=DPI, layout="constrained")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    reference = _with_breaks(france.loc[curves.index.min() : curves.index.max()])
    for axes, name in zip(panels, names, strict=False):
        axes.plot(reference.index, reference, color="#A0A0A0", linewidth=1)
        marker = _mark_points(curves[name])
        axes.plot(curves.index, curves[name], color=BLUE, linewidth=2, marker=marker)
        axes.set_title(name, loc="left", fontsize=9, fontweight="bold")
        axes.margins(x=0.02)
        dress(axes, language, ticks=4, fontsize=8)
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    panels[0].set_ylim(0, 1.05 * max(1.0, reference.max(), curves.max(axis=None)))
    figure.suptitle(labels["rate"], x=0.01, ha="left", fontsize=10)
    return figure


def draw_departments(
    departments: pd.DataFrame, labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw the last day's people in hospital per 100,000 inhabitants as a map of squares.

    `departments` has columns date, department, hosp_per_100k; a department without a row that day
    stays white. `labels` has rate: the unit of the colours.
    """
    last = departments[departments["date"] == departments["date"].max()]
    rates = last.set_index("department")["hosp_per_100k"].to_dict()
    return draw_rates(rates, "Blues", labels["rate"], language)


def draw_rates(rates: Mapping[str, float], shades: str, label: str, language: Language) -> Figure:
    """Draw rates by department as a map of squares; a department without one stays white.

    `shades` is a colour map of matplotlib's, `label` the unit of its colours.
    """
    colours = ScalarMappable(Normalize(0, max([1.0, *rates.values()])), colormaps[shades])
    figure = Figure(figsize=(8, 8.2), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    for department in all_departments().values():
        if department.tile is not None:
            _draw_tile(axes, department.tile, department.code, rates, colours, language)
    axes.set(xlim=(-0.1, 12.1), ylim=(13.1, -0.1), aspect="equal")
    axes.axis("off")
    bar = figure.colorbar(
        colours, ax=axes, orientation="horizontal", shrink=0.6, aspect=30, pad=0.01
    )
    bar.set_label(label)
    bar.outline.set_visible(False)
    return figure


def _draw_tile(
    axes: Any,
    tile: tuple[int, int],
    code: str,
    rates: Mapping[str, float],
    colours: ScalarMappable,
    language: Language,
) -> None:
    """Draw one square of the map, coloured by its rate; white where there is none."""
    x, y = tile
    value = rates.get(code, math.nan)
    known = not math.isnan(value)
    fill = colours.to_rgba(np.array([value]))[0] if known else np.ones(4)
    dark = np.dot(fill[:3], (0.299, 0.587, 0.114)) < 0.5
    ink = ("white" if dark else "black") if known else GREY
    axes.add_patch(
        Rectangle((x + 0.03, y + 0.03), 0.94, 0.94, facecolor=fill, edgecolor="#B0B0B0", lw=0.5)
    )
    axes.text(x + 0.5, y + 0.34, code, ha="center", va="center", fontsize=8, color=ink)
    if known:
        number = write_number(round(value), language)
        axes.text(
            *(x + 0.5, y + 0.7, number),
            ha="center",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=ink,
        )


def _with_breaks(series: pd.Series[Any]) -> pd.Series[Any]:
    """Put the missing days in, so that a line stops at a gap and does not bridge it."""
    return series.asfreq("D").astype(float)


def _mark_points(curve: pd.Series[Any]) -> str | None:
    """Return a mark for each day of a short curve: a single day would draw no line at all."""
    return "o" if len(curve) <= 7 else None
