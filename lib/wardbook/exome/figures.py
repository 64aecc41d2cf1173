"""The odds ratios of genes with their intervals, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from wardbook.chart_style import BLUE, DPI, GREY, VERMILION
from wardbook.messages import Language
from wardbook.wording import write_number

SIGNIFICANT = 0.05


def draw_forest(burden: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw each odds ratio with its 95 % interval, the highest first, those with q < 0.05 marked.

    `burden` has columns term, odds_ratio, low, high, q; `labels` has ratio: what is measured.
    """
    table = burden.sort_values("odds_ratio", ascending=False, ignore_index=True)
    figure = Figure(figsize=(7, 1.1 + 0.27 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    columns = (table[name].tolist() for name in ("odds_ratio", "low", "high", "q"))
    for place, (ratio, low, high, q) in enumerate(zip(*columns, strict=True)):
        marked = q < SIGNIFICANT
        colour = VERMILION if marked else BLUE
        axes.hlines(place, low, high, linewidth=2, color=colour)
        axes.plot(ratio, place, "D" if marked else "o", color=colour, markersize=5)
    axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(table)), list(table["term"]))
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY)
    axes.set_xlabel(labels["ratio"], fontsize=9, color=GREY)
    return figure
