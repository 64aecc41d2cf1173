"""The figures of the report on lineages and mutations.

Each function takes the table that the report publishes and the words in the reader's language, and
returns a matplotlib `Figure` made without pyplot: nothing global is kept. Shares are drawn in
percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from wardbook.chart_style import BLUE, DPI, GREY, VERMILION, dress
from wardbook.messages import Language
from wardbook.wording import write_number

PALETTE = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("solid", (0, (5, 2)), (0, (1, 1.5)))
"""Colours come again with another dash: so many lineages can be told apart."""


def draw_shares(
    shares: pd.DataFrame, by: str, labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw each one's share by week with its interval as a band.

    `shares` has columns week, `by`, share, low, high; `labels` has share: the unit.
    """
    figure = Figure(figsize=(8, 4.4), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    names = list(dict.fromkeys(shares[by]))
    for at, name in enumerate(names):
        part = shares[shares[by] == name]
        days = pd.DatetimeIndex([_find_middle(week) for week in part["week"]]).to_numpy()
        colour, dash = PALETTE[at % len(PALETTE)], DASHES[at // len(PALETTE) % len(DASHES)]
        band = [100 * part[end].to_numpy() for end in ("low", "high")]
        axes.fill_between(days, *band, color=colour, alpha=0.15, linewidth=0)
        style: dict[str, Any] = {"marker": "o"} if len(days) == 1 else {}
        axes.plot(
            days,
            100 * part["share"],
            color=colour,
            linestyle=dash,
            linewidth=2,
            label=name,
            **style,
        )
    axes.margins(x=0.01)
    dress(axes, language)
    axes.set_ylim(0, 100)
    axes.set_ylabel(labels["share"], fontsize=9, color=GREY)
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5)
    return figure


def _find_middle(week: str) -> date:
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 4)


def draw_growth(growth: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw each lineage's growth against all others with its interval, fastest first.

    `growth` has columns lineage, growth, growth_low, growth_high (per day); `labels` has growth:
    the unit. What certainly grows is red, what certainly recedes blue.
    """
    table = growth.sort_values("growth", ascending=False, kind="stable")
    figure = Figure(figsize=(8, 1.1 + 0.36 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(table))
    value, low, high = (
        100 * table[name].to_numpy() for name in ("growth", "growth_low", "growth_high")
    )
    colours = np.where(low > 0, VERMILION, np.where(high < 0, BLUE, GREY))
    axes.hlines(places, low, high, color=colours, linewidth=2)
    axes.scatter(value, places, color=colours, s=36, zorder=3)
    axes.axvline(0, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.grid(axis="x", color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY)
    axes.set_yticks(places, list(table["lineage"]))
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))
    axes.set_xlabel(labels["growth"], fontsize=9, color=GREY)
    return figure
