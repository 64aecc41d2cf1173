"""The figures of the report on haemolysis.

Each function takes what the report publishes and the words in the reader's language, and returns a
matplotlib `Figure` made without pyplot: nothing global is kept. Shares are drawn in percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from wardbook.chart_style import BLUE, DPI, GREY, PALE, VERMILION, dress_bars
from wardbook.haemolysis.chart import Chart
from wardbook.haemolysis.funnel import INNER, OUTER, Funnel, exact_limits, wide_limits
from wardbook.messages import Language
from wardbook.wording import write_number

MOST_CHARTS = 6
LINE = "#E3E3E3"


def draw_funnel(
    funnel: Funnel, names: Mapping[str, str], labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw each ward's share by its number of tubes, with the limits.

    `names` are the wards' by code; `labels` has share, tubes, chance, usual, target.
    """
    figure = Figure(figsize=(8, 4.8), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    wards = funnel.wards
    reach = np.array([wards["tubes"].min() * 0.8, wards["tubes"].max() * 1.12])
    tubes = np.unique(np.round(np.geomspace(float(reach[0]), float(reach[1]), 300)))
    chance = exact_limits(funnel.target, tubes, OUTER)
    for level, width in ((INNER, 1.0), (OUTER, 1.8)):
        usual = wide_limits(funnel.target, funnel.between, tubes, level)
        for side in usual:
            axes.plot(tubes, 100 * side, color=BLUE, linewidth=width, alpha=0.75)
    for side in chance:
        axes.plot(tubes, 100 * side, color=GREY, linewidth=1, linestyle=(0, (2, 2)))
    axes.lines[2].set_label(labels["usual"])
    axes.lines[4].set_label(labels["chance"])
    axes.axhline(100 * funnel.target, color=GREY, linewidth=1, label=labels["target"])
    high = (wards["standing"] == "high").to_numpy()
    for mask, colour, mark in ((~high, BLUE, "o"), (high, VERMILION, "D")):
        axes.plot(wards["tubes"][mask], 100 * wards["share"][mask], mark, color=colour)
    for ward, tubes_of, share in wards.loc[
        wards["standing"] != "", ["ward", "tubes", "share"]
    ].to_numpy():
        axes.annotate(
            names.get(ward, ward),
            (tubes_of, 100 * share),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize=9,
            color=GREY,
        )
    axes.set_xscale("log")
    axes.set_xlim(*reach)
    axes.set_ylim(0, 100 * max(wards["share"].max(), 2 * funnel.target) * 1.12)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _dress(axes, language, labels["tubes"], labels["share"])
    axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
    return figure


def draw_odds_ratios(
    table: pd.DataFrame, names: Sequence[str], labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw adjusted odds ratios with their intervals, and the crude ones beside, on a log scale.

    `table` is that of `tell_odds_ratios`, `names` a row's name each; `labels` has adjusted, crude,
    odds.
    """
    figure = Figure(figsize=(8, 1.2 + 0.42 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table))
    axes.axvline(1, color=GREY, linewidth=1)
    axes.hlines(places, table["low"], table["high"], color=BLUE, linewidth=2.5)
    axes.plot(table["odds_ratio"], places, "o", color=BLUE, label=labels["adjusted"])
    axes.plot(table["crude"], places + 0.22, "x", color=GREY, markersize=5, label=labels["crude"])
    axes.set_xscale("log")
    dress_bars(axes, list(names), language)
    axes.set_xlim(*_reach(table))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(labels["odds"], fontsize=9, color=GREY)
    axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    return figure


def draw_delays(
    delays: pd.DataFrame, names: Sequence[str], labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw the share of haemolysed tubes by time on the way, with its 95 % interval.

    `delays` is that of `count_delays`, `names` a band's each; `labels` has share, hours.
    """
    figure = Figure(figsize=(8, 3.6), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(delays))
    axes.vlines(places, 100 * delays["low"], 100 * delays["high"], color=BLUE, linewidth=2.5)
    axes.plot(places, 100 * delays["share"], "o-", color=BLUE, linewidth=1)
    axes.set_ylim(bottom=0)
    _dress(axes, language, labels["hours"], labels["share"])
    axes.set_xticks(places, list(names))
    axes.set_xlim(-0.4, len(delays) - 0.6)
    return figure


def draw_chart(
    charts: Sequence[Chart],
    names: Mapping[str, str],
    labels: Mapping[str, str],
    language: Language,
) -> Figure:
    """Draw a panel for each chart, at most six: weekly shares, their moving average, its limits.

    `labels` has share, week, ewma, limits, usual.
    """
    shown = charts[:MOST_CHARTS]
    figure = Figure(figsize=(8, 0.6 + 2.1 * len(shown)), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, chart in zip(panels, shown, strict=True):
        _draw_panel(axes, chart, names.get(chart.ward, chart.ward), labels, language)
    panels[0].legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1.0), ncols=3)
    panels[-1].set_xlabel(labels["week"], fontsize=9, color=GREY)
    return figure


def _draw_panel(
    axes: Any, chart: Chart, name: str, labels: Mapping[str, str], language: Language
) -> None:
    weeks = chart.weeks
    places = np.arange(len(weeks))
    low, high = 100 * weeks["low"], 100 * weeks["high"]
    axes.fill_between(places, low, high, color=PALE, alpha=0.6, linewidth=0, label=labels["limits"])
    axes.axhline(100 * chart.usual, color=GREY, linewidth=1, label=labels["usual"])
    axes.plot(places, 100 * weeks["share"], ".", color=GREY, alpha=0.5, markersize=3.5)
    axes.plot(places, 100 * weeks["ewma"], color=BLUE, linewidth=1.8, label=labels["ewma"])
    out = (weeks["signal"] != "").to_numpy()
    axes.plot(places[out], 100 * weeks["ewma"][out], "D", color=VERMILION, markersize=3.5)
    top = 100 * np.nanmax([weeks["ewma"].max(), weeks["high"].max()])
    axes.set_ylim(0, 1.6 * top)
    axes.set_title(name, fontsize=9, loc="left", color=GREY)
    _dress(axes, language, "", labels["share"])
    ticks = places[:: max(1, len(places) // 7)]
    axes.set_xticks(ticks, list(weeks["week"].iloc[ticks]))
    axes.set_xlim(-1.5, len(places) - 0.5)


def _dress(axes: Any, language: Language, below: str, beside: str) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    write = FuncFormatter(lambda value, _: write_number(value, language))
    axes.yaxis.set_major_formatter(write)
    axes.xaxis.set_major_formatter(write)
    axes.set_xlabel(below, fontsize=9, color=GREY)
    axes.set_ylabel(beside, fontsize=9, color=GREY)


def _reach(table: pd.DataFrame) -> tuple[float, float]:
    low = min(table["low"].min(), table["crude"].min())
    high = max(table["high"].max(), table["crude"].max())
    return 0.92 * min(low, 1), 1.08 * max(high, 1)
