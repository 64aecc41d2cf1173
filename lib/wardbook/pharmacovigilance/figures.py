"""The figure of the report on signals, drawn from the table that it publishes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from wardbook.chart_style import BLUE, DPI, GREY, VERMILION, dress_bars
from wardbook.messages import Language
from wardbook.wording import write_number

MOST_PAIRS = 25
_TICKS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_LONGEST = 30


def draw_signals(signals: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the PRR of each pair with its 95 % interval, in the table's order, the first ones.

    `signals` has columns drug_name, event_name, prr, prr_low, prr_high, evans; those that meet
    Evans' criteria have another colour and mark. `labels` has prr: the unit.
    """
    table = signals.head(MOST_PAIRS)
    figure = Figure(figsize=(8, 1.1 + 0.34 * len(table)), dpi=DPI, layout="constrained")
    axes = figure.subplots()
    numbers = table[["prr", "prr_low", "prr_high", "evans"]].to_numpy(dtype=float)
    for place, (prr, low, high, evans) in enumerate(numbers):
        style: dict[str, Any] = {"color": VERMILION if evans else BLUE}
        axes.hlines(place, low, high, linewidth=2.5, **style)
        axes.plot(prr, place, "D" if evans else "o", **style)
    names = table[["drug_name", "event_name"]].itertuples(index=False)
    dress_bars(axes, [f"{_shorten(drug)} · {_shorten(event)}" for drug, event in names], language)
    axes.set_xscale("log")
    axes.set_xlim(max(0.05, numbers[:, 1].min() / 1.2), min(200, numbers[:, 2].max() * 1.2))
    axes.xaxis.set_major_locator(FixedLocator(_TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))
    axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel(labels["prr"], fontsize=9, color=GREY)
    return figure


def _shorten(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1].rstrip() + "…"
