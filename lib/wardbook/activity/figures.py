"""The figures of the reports on wards and on the laboratory.

Each function takes the table that the report publishes and the words in the reader's language, and
returns a matplotlib `Figure` made without pyplot: nothing global is kept. Shares are drawn in
percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wardbook.activity.results import wilson_interval
from wardbook.chart_style import BLUE, DPI, GREY, PALE, VERMILION, dress, dress_bars
from wardbook.messages import Language

WINDOW = 7
PALETTE = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def draw_daily(
    daily: pd.DataFrame, column: str, labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw a count by day as bars with its mean over the day and the six before as a line.

    `daily` has columns date and `column`; `labels` has day and mean: what bars and line are.
    """
    figure, axes = _open(3.6)
    series = daily.set_index("date")[column].astype(float).asfreq("D")
    axes.bar(series.index, series, width=1, color=PALE, label=labels["day"])
    mean = series.rolling(WINDOW, min_periods=WINDOW).mean()
    axes.plot(mean.index, mean, color=BLUE, linewidth=2, label=labels["mean"])
    axes.margins(x=0.01)
    dress(axes, language)
    _explain(axes)
    return figure


def draw_occupancy(wards: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the share of each ward's beds that is taken, fullest first, with a line at 100 %.

    `wards` has columns name and occupancy; `labels` has share: the unit.
    """
    table = wards.sort_values("occupancy", ascending=False, kind="stable")
    figure, axes = _open(0.9 + 0.34 * len(table))
    shares = 100 * table["occupancy"].to_numpy()
    axes.barh(range(len(table)), shares, color=np.where(shares > 100, VERMILION, BLUE), height=0.65)
    axes.axvline(100, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    dress_bars(axes, list(table["name"]), language)
    axes.set_xlabel(labels["share"], fontsize=9, color=GREY)
    return figure


def draw_positivity(tests: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the positivity of each analysis over the day and the six before.

    `tests` has columns date, analysis, tests, positive; `labels` has share: the unit.
    """
    figure, axes = _open(3.8)
    names = sorted(tests["analysis"].unique())
    for name, colour in zip(names, _colours(len(names)), strict=True):
        series = tests[tests["analysis"] == name].set_index("date")[["positive", "tests"]]
        sums = series.asfreq("D").rolling(WINDOW, min_periods=WINDOW).sum()
        share = 100 * sums["positive"] / sums["tests"]
        axes.plot(share.index, share, color=colour, linewidth=2, label=name)
    axes.margins(x=0.01)
    dress(axes, language)
    axes.set_ylabel(labels["share"], fontsize=9, color=GREY)
    _explain(axes)
    return figure


def draw_turnaround(
    wards: pd.DataFrame, target: int, labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw each ward's median and 90th percentile, slowest first, with a line at the target.

    `wards` has columns name, median_minutes, p90_minutes; `labels` has median, p90, minutes.
    """
    table = wards.sort_values("p90_minutes", ascending=False, kind="stable", ignore_index=True)
    figure, axes = _open(0.9 + 0.36 * len(table))
    places = table.index.to_numpy()
    axes.hlines(places, table["median_minutes"], table["p90_minutes"], color=PALE, linewidth=5)
    axes.plot(table["median_minutes"], places, "o", color=BLUE, label=labels["median"])
    axes.plot(table["p90_minutes"], places, "D", color=VERMILION, label=labels["p90"])
    axes.axvline(target, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    dress_bars(axes, list(table["name"]), language)
    axes.set_xlabel(labels["minutes"], fontsize=9, color=GREY)
    _explain(axes)
    return figure


def draw_haemolysis(
    wards: pd.DataFrame, outstanding: Sequence[str], labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw each ward's share of haemolysed tubes with its 95 % interval (Wilson), highest first.

    `wards` has columns ward, name, tubes, haemolysed; those `outstanding` have another colour and
    mark. The line is the share of all tubes. `labels` has share: the unit.
    """
    table = wards.assign(rate=wards["haemolysed"] / wards["tubes"])
    table = table.sort_values("rate", ascending=False, kind="stable", ignore_index=True)
    figure, axes = _open(0.9 + 0.36 * len(table))
    rows = zip(table["ward"], table["rate"], table["haemolysed"], table["tubes"], strict=True)
    for place, (ward, rate, haemolysed, tubes) in enumerate(rows):
        low, high = wilson_interval(haemolysed, tubes)
        stands_out = ward in outstanding
        style: dict[str, Any] = {"color": VERMILION if stands_out else BLUE}
        axes.hlines(place, 100 * low, 100 * high, linewidth=2.5, **style)
        axes.plot(100 * rate, place, "D" if stands_out else "o", **style)
    whole = 100 * table["haemolysed"].sum() / table["tubes"].sum()
    axes.axvline(whole, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    dress_bars(axes, list(table["name"]), language)
    axes.set_xlabel(labels["share"], fontsize=9, color=GREY)
    return figure


def _open(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(8, height), dpi=DPI, layout="constrained")
    return figure, figure.subplots()


def _explain(axes: Any) -> None:
    axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 0.99), ncols=3)


def _colours(count: int) -> list[str]:
    return [PALETTE[at % len(PALETTE)] for at in range(count)]
