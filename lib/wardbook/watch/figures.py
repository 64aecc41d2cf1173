"""The figures of the report on a metric, made without pyplot: nothing global is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from wardbook.chart_style import BLUE, DPI, GREY, PALE, VERMILION, dress
from wardbook.messages import Language


def draw_groups(
    points: pd.DataFrame,
    alerts: pd.DataFrame,
    groups: Sequence[str],
    labels: Mapping[str, str],
    language: Language,
) -> Figure:
    """Draw each group's values, what is expected with its limits, and the first call of alerts.

    `points` and `alerts` are as `wardbook.watch.signals` gives them; `labels` has value, expected,
    limits and alert. The axes begin at 0 where no value is below.
    """
    figure = Figure(figsize=(8, 0.8 + 2.4 * len(groups)), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(groups), 1, sharex=True, squeeze=False).ravel()
    step = points["date"].drop_duplicates().sort_values().diff().min()
    for axes, group in zip(panels, groups, strict=True):
        one = points[points["group"] == group].set_index("date").asfreq(step)
        axes.fill_between(
            one.index,
            one["low"],
            one["high"],
            color=PALE,
            alpha=0.5,
            linewidth=0,
            label=labels["limits"],
        )
        axes.plot(one.index, one["expected"], color=GREY, linewidth=1, label=labels["expected"])
        axes.plot(
            one.index,
            one["value"],
            color=BLUE,
            linewidth=1,
            marker=".",
            markersize=3,
            label=labels["value"],
        )
        called = one.loc[one.index.isin(alerts.loc[alerts["group"] == group, "date"])]
        axes.plot(
            called.index, called["value"], "o", color=VERMILION, markersize=6, label=labels["alert"]
        )
        axes.set_title(group, loc="left", fontsize=10, fontweight="bold")
        axes.margins(x=0.01)
        bottom = min(0.0, float(one["low"].min()), float(one["value"].min()))
        dress(axes, language)
        axes.set_ylim(bottom=bottom)
    panels[0].legend(
        frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=4
    )
    return figure
