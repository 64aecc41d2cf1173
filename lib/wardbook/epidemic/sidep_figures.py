"""The figures of the report on incidence and positivity.

Each function takes the table that the report publishes and the words in the reader's language, and
returns a matplotlib `Figure` made without pyplot: nothing global is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wardbook.chart_style import BLUE, DPI, GREY, VERMILION, dress, dress_bars
from wardbook.epidemic.figures import draw_rates
from wardbook.messages import Language
from wardbook.wording import write_number

FEW = 11


def draw_course(
    days: pd.Series[pd.Timestamp],
    table: pd.DataFrame,
    labels: Mapping[str, str],
    language: Language,
) -> Figure:
    """Draw positivity, and incidence where it is known, each with its 95 % interval as a band.

    `table` has positivity and incidence with _low and _high, a row for each of `days`; `labels`
    has positivity and incidence: the titles of the panels.
    """
    measures = [("positivity", 100.0, BLUE)]
    if table["incidence"].notna().any():
        measures.insert(0, ("incidence", 1.0, VERMILION))
    figure = Figure(figsize=(8, 0.6 + 2.7 * len(measures)), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(measures), 1, sharex=True, squeeze=False).ravel()
    marker = "o" if len(table) <= 7 else None
    for axes, (name, factor, colour) in zip(panels, measures, strict=True):
        curve, low, high = (
            pd.Series(factor * table[f"{name}{end}"].to_numpy(dtype=float), pd.Index(days))
            for end in ("", "_low", "_high")
        )
        axes.fill_between(low.index, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(curve.index, curve, color=colour, linewidth=2, marker=marker)
        axes.set_title(labels[name], loc="left", fontsize=10, fontweight="bold")
        axes.margins(x=0.01)
        dress(axes, language)
    return figure


def draw_map(departments: pd.DataFrame, label: str, language: Language) -> Figure:
    """Draw the incidence of departments (columns department, incidence) as a map of squares."""
    known = departments.dropna(subset="incidence")
    rates = dict(
        zip(known["department"].astype(str), known["incidence"].astype(float), strict=True)
    )
    return draw_rates(rates, "Oranges", label, language)


def draw_bars(departments: pd.DataFrame, label: str, language: Language) -> Figure:
    """Draw the positivity of a few departments (name, positivity, _low, _high) with intervals."""
    table = departments.dropna(subset="positivity").sort_values("positivity", ascending=False)
    figure = Figure(figsize=(8, 0.9 + 0.34 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    at = np.arange(len(table))
    shares, low, high = (100 * table[f"positivity{end}"] for end in ("", "_low", "_high"))
    axes.hlines(at, low, high, color=GREY, linewidth=1.5)
    axes.plot(shares, at, "o", color=BLUE)
    dress_bars(axes, list(table["name"]), language)
    axes.set_xlabel(label, fontsize=9, color=GREY)
    return figure


def draw_ages(
    weekly: pd.DataFrame, names: Mapping[str, str], label: str, language: Language
) -> Figure:
    """Draw a square for each week and age class, coloured by positivity.

    `weekly` has columns week, age, tested, positivity; `names` the classes to be drawn, youngest
    first. A square with fewer than FEW tested stays white.
    """
    shown = weekly.assign(positivity=weekly["positivity"].where(weekly["tested"] >= FEW))
    wide = shown.pivot(index="age", columns="week", values="positivity").reindex(list(names))
    figure = Figure(figsize=(8, 3.8), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    top = float(np.nanmax(wide.to_numpy(dtype=float), initial=0.01))
    drawn = axes.imshow(
        100 * wide.to_numpy(dtype=float),
        aspect="auto",
        origin="lower",
        cmap="Blues",
        vmin=0,
        vmax=100 * top,
        interpolation="nearest",
    )
    axes.set_yticks(range(len(names)), list(names.values()))
    step = max(1, len(wide.columns) // 5)
    axes.set_xticks(range(0, len(wide.columns), step), list(wide.columns[::step]))
    axes.tick_params(length=0, labelsize=8, labelcolor=GREY)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(drawn, ax=axes, pad=0.01, format=lambda x, _: write_number(x, language))
    bar.set_label(label, fontsize=9)
    bar.outline.set_visible(False)
    return figure


def draw_ratios(
    table: pd.DataFrame, names: Sequence[str], label: str, language: Language
) -> Figure:
    """Draw ratios (ratio, ratio_low, ratio_high) with a line at 1; `names` has one for each row."""
    figure = Figure(figsize=(8, 0.9 + 0.34 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    at = np.arange(len(table))
    axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.hlines(at, table["ratio_low"], table["ratio_high"], color=GREY, linewidth=1.5)
    axes.plot(table["ratio"], at, "o", color=BLUE)
    dress_bars(axes, names, language)
    axes.set_xlabel(label, fontsize=9, color=GREY)
    return figure
