"""The figures of the report on COVID-19 in the hospital."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from wardbook.chart_style import BLUE, DPI, GREY
from wardbook.messages import Language
from wardbook.wording import write_number


def draw_ratios(ratios: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw each group's ratio of positivity with its interval, and a line at 1.

    `ratios` has columns level, ratio, low, high; `labels` has ratio: what it is against, and a word
    for each level that is no range of ages.
    """
    figure = Figure(figsize=(8, 1.1 + 0.36 * len(ratios)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places = range(len(ratios))
    axes.hlines(places, ratios["low"], ratios["high"], color=BLUE, linewidth=2)
    axes.scatter(ratios["ratio"], places, color=BLUE, s=36, zorder=3)
    axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.grid(axis="x", color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY)
    axes.set_yticks(places, [labels.get(level, level) for level in ratios["level"]])
    axes.set_ylim(len(ratios) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))
    axes.set_xlabel(labels["ratio"], fontsize=9, color=GREY)
    return figure
