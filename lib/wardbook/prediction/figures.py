"""The figures of the report on a risk model; each is drawn from a table that the report publishes.

Each takes the table and the words in the reader's language, and returns a matplotlib `Figure` made
without pyplot: nothing global is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from babel.dates import format_date
from babel.numbers import format_decimal
from matplotlib import dates
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from wardbook.chart_style import BLUE, DPI, EPOCH, GREY, PALE, VERMILION, dress_bars
from wardbook.messages import Language
from wardbook.wording import LOCALES, write_number

GREEN = "#009E73"
_DASHED = (0, (4, 3))


def draw_calibration(groups: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the observed share of each group of risk over its mean risk, in percent.

    The bars are 95 % intervals of a share (Wilson). `groups` has predicted, events, visits;
    `labels` has predicted, observed, ideal, groups.
    """
    figure, axes = _open(4.6)
    shares = groups["events"] / groups["visits"]
    low, high = _wilson(groups["events"].to_numpy(), groups["visits"].to_numpy())
    most = 100 * max(float(groups["predicted"].max()), float(high.max())) * 1.05
    axes.plot([0, most], [0, most], color=GREY, linestyle=_DASHED, label=labels["ideal"])
    x = 100 * groups["predicted"]
    axes.vlines(x, 100 * low, 100 * high, color=PALE, linewidth=4)
    axes.plot(x, 100 * shares, "o-", color=BLUE, linewidth=1.5, label=labels["groups"])
    _dress(axes, labels["predicted"], labels["observed"], language)
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    return figure


def draw_roc(groups: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the ROC curve through the bounds of the groups of risk, in percent.

    `groups` has events and visits, lowest risk first; `labels` has false, true, chance, logistic.
    """
    figure, axes = _open(4.6)
    events = groups["events"].to_numpy()[::-1].cumsum()
    others = (groups["visits"] - groups["events"]).to_numpy()[::-1].cumsum()
    true, false = (np.append(0, 100 * counts / counts[-1]) for counts in (events, others))
    axes.plot([0, 100], [0, 100], color=GREY, linestyle=_DASHED, label=labels["chance"])
    axes.plot(false, true, "o-", color=BLUE, linewidth=1.8, label=labels["logistic"])
    _dress(axes, labels["false"], labels["true"], language)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 101)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    return figure


def draw_decisions(table: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the net benefit of each way to decide, per 1,000 visits, over the threshold in percent.

    `table` has threshold, model, everybody, rule; `labels` has threshold, logistic, everybody,
    rule, nobody, benefit.
    """
    figure, axes = _open(4.2)
    x = table["threshold"]
    styles: Sequence[tuple[str, str, str, Any, str]] = (
        ("model", "logistic", BLUE, "-", "o"),
        ("rule", "rule", GREEN, "-", "D"),
        ("everybody", "everybody", VERMILION, _DASHED, "s"),
    )
    for column, name, colour, line, mark in styles:
        style = {"color": colour, "linestyle": line, "marker": mark, "label": labels[name]}
        axes.plot(x, 1000 * table[column], **style)
    axes.axhline(0, color=GREY, linewidth=1, label=labels["nobody"])
    best = 1000 * float(table[["model", "rule", "everybody"]].to_numpy().max())
    _dress(axes, labels["threshold"], labels["benefit"], language)
    axes.set_ylim(-0.25 * best, 1.1 * best)
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    return figure


def draw_periods(
    periods: pd.DataFrame, changed: date | None, labels: Mapping[str, str], language: Language
) -> Figure:
    """Draw observed over expected by period, with the day from which it is another.

    `periods` has period, visits, events, predicted; `labels` has
    observed, expected, share, changed.
    """
    figure, axes = _open(4.0)
    spans = [[pd.Timestamp(day) for day in one.split("/")] for one in periods["period"]]
    middles = [first + (last - first) / 2 for first, last in spans]
    low, high = _wilson(periods["events"].to_numpy(), periods["visits"].to_numpy())
    share = 100 * periods["events"] / periods["visits"]
    for (first, last), predicted in zip(spans, 100 * periods["predicted"], strict=True):
        axes.hlines(predicted, first, last, color=VERMILION, linewidth=2)
    axes.plot([], [], color=VERMILION, linewidth=2, label=labels["expected"])
    axes.vlines(middles, 100 * low, 100 * high, color=PALE, linewidth=4)
    axes.plot(middles, share, "o", color=BLUE, label=labels["observed"])
    if changed is not None:
        axes.axvline(pd.Timestamp(changed), color=GREY, linestyle=_DASHED, label=labels["changed"])
    _dress(axes, "", labels["share"], language)
    _name_months(axes, language)
    axes.set_ylim(0, 105 * float(high.max()))
    axes.legend(frameon=False, fontsize=9, loc="lower right", bbox_to_anchor=(1, 0.99), ncols=3)
    return figure


def draw_subgroups(
    groups: pd.DataFrame, names: Sequence[str], whole: float, label: str, language: Language
) -> Figure:
    """Draw the area under the curve of each subgroup with its interval, and that of all as a line.

    `groups` has auc, auc_low, auc_high; `names` say what each row is.
    """
    figure, axes = _open(1.0 + 0.32 * len(groups))
    places = np.arange(len(groups))
    axes.hlines(places, groups["auc_low"], groups["auc_high"], color=PALE, linewidth=4)
    axes.plot(groups["auc"], places, "o", color=BLUE)
    axes.axvline(whole, color=GREY, linewidth=1, linestyle=_DASHED)
    dress_bars(axes, list(names), language)
    axes.set_xlim(max(0.0, float(groups["auc_low"].min()) - 0.03), 1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _decimals(x, language)))
    axes.set_xlabel(label, fontsize=9, color=GREY)
    return figure


def _open(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(8, height), dpi=DPI, layout="constrained")
    return figure, figure.subplots()


def _dress(axes: Any, below: str, beside: str, language: Language) -> None:
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY)
    axes.set_xlabel(below, fontsize=9, color=GREY)
    axes.set_ylabel(beside, fontsize=9, color=GREY)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))


def _name_months(axes: Any, language: Language) -> None:
    axes.xaxis.set_major_locator(dates.AutoDateLocator(minticks=3, maxticks=8))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _month(x, language)))


def _month(number: float, language: Language) -> str:
    day = EPOCH + timedelta(days=round(number))
    return str(format_date(day, "MMM y", locale=LOCALES[language]))


def _decimals(value: float, language: Language) -> str:
    return str(format_decimal(value, "0.0#", locale=LOCALES[language]))


def _wilson(events: np.ndarray, visits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(events, visits, method="wilson")
    return np.asarray(low), np.asarray(high)
