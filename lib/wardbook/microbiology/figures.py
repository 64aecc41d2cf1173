"""The figures of an antibiogram, drawn from the tables that the report publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wardbook.chart_style import BLUE, DPI, GREY, VERMILION, dress_bars
from wardbook.messages import Language
from wardbook.microbiology.catalogue import shorten_name
from wardbook.wording import write_number

SHADES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", "#D6E6F2", "#6FA8D0", "#08519C"])
MOST_TRENDS = 24
_DARK = 0.75
_TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 10.0)


def draw_grid(table: pd.DataFrame, language: Language) -> Figure:
    """Draw the share of susceptible isolates (%), a line per drug and a column per organism.

    `table` has columns organism_name, drug_name and share. A place with too few isolates is empty;
    the darker, the more are susceptible.
    """
    grid = table.pivot(index="drug_name", columns="organism_name", values="share")
    order = table.groupby("organism_name")["isolates"].max().sort_values(ascending=False).index
    grid = grid[list(order)].sort_index(key=lambda names: names.str.normalize("NFKD"))
    figure = Figure(figsize=(8, 1.6 + 0.27 * len(grid)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    axes.imshow(grid, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(grid.to_numpy()):
        text = "–" if np.isnan(share) else write_number(round(100 * share), language)
        colour = "white" if share > _DARK else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    axes.set_yticks(range(len(grid)), list(grid.index), fontsize=9, color=GREY)
    names = [shorten_name(name) for name in grid.columns]
    axes.set_xticks(range(len(names)), names, fontsize=9, color=GREY, rotation=35, ha="left")
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    return figure


def draw_trends(trends: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw by how much the odds of resistance change in a year, with 95 % intervals.

    `trends` has columns organism_name, drug_name, odds_ratio, low, high; the clearest are drawn
    (see MOST_TRENDS), those whose interval is on one side of 1 in another colour and mark.
    `labels` has odds: the unit.
    """
    table = choose_clearest(trends)
    figure = Figure(figsize=(8, 1.1 + 0.32 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    numbers = table[["odds_ratio", "low", "high"]].to_numpy(dtype=float)
    for place, (odds_ratio, low, high) in enumerate(numbers):
        clear = low > 1 or high < 1
        style: dict[str, Any] = {"color": VERMILION if clear else BLUE}
        axes.hlines(place, low, high, linewidth=2.5, **style)
        axes.plot(odds_ratio, place, "D" if clear else "o", **style)
    names = zip(table["organism_name"], table["drug_name"], strict=True)
    dress_bars(axes, [f"{shorten_name(one)} · {other}" for one, other in names], language)
    axes.set_xscale("log")
    axes.set_xlim(max(0.05, table["low"].min() / 1.1), min(20, table["high"].max() * 1.1))
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))
    axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel(labels["odds"], fontsize=9, color=GREY)
    return figure


def choose_clearest(trends: pd.DataFrame) -> pd.DataFrame:
    """Return the trends that are furthest from 1 for their precision, steepest rise first."""
    width = np.log(trends["high"]) - np.log(trends["low"])
    clearness = (np.log(trends["odds_ratio"]) / width).abs()
    order = clearness.sort_values(ascending=False, kind="stable").index[:MOST_TRENDS]
    kept: pd.DataFrame = trends.loc[order]
    return kept.sort_values("odds_ratio", ascending=False, kind="stable", ignore_index=True)
