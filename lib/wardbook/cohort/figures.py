"""The flow diagram: those who are left going down, those who are left out to the right."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from wardbook.chart_style import BLUE, DPI, GREY
from wardbook.messages import Language
from wardbook.wording import write_number

_ROW, _WIDE = 1.3, 24
_LEFT, _RIGHT = 0.22, 0.52
"""The middle of the first column of boxes and the left of the second, of the figure's width."""


def draw_flow(flow: pd.DataFrame, labels: Mapping[str, str], language: Language) -> Figure:
    """Draw the flow as boxes from top to bottom.

    `flow` has columns box, step, criterion and persons, which is missing where it is not shown;
    `labels` has source, kept, out, unmet and hidden: what the boxes say.
    """
    steps = len(flow) // 2
    height = _ROW * (2 * steps + 1) * 0.62
    figure = Figure(figsize=(5.2, height), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(2 * steps + 0.75, -0.75))
    columns = (flow[name].tolist() for name in ("box", "criterion", "persons"))
    for at, (box, criterion, persons) in enumerate(zip(*columns, strict=True)):
        step = (at + 1) // 2
        count = labels["hidden"] if pd.isna(persons) else write_number(persons, language)
        if box.startswith("left"):
            place, x, colour, side = 2 * step - 1, _RIGHT, GREY, "left"
            said = f"{labels['out']} {count}\n{labels['unmet']}\n{_wrap(criterion)}"
            axes.annotate("", (_RIGHT - 0.04, place), (_LEFT, place), arrowprops=_arrow())
        else:
            place, x, colour, side = 2 * step, _LEFT, BLUE, "center"
            said = f"{labels['kept'] if step else labels['source']}\n{count}"
            if step:
                axes.annotate("", (x, place - 0.42), (x, place - 1.58), arrowprops=_arrow())
        axes.text(
            *(x, place, said),
            ha=side,
            va="center",
            fontsize=10,
            linespacing=1.3,
            bbox={"boxstyle": "round,pad=0.5", "fc": "white", "ec": colour, "lw": 1.2},
        )
    return figure


def _wrap(criterion: object) -> str:
    return "\n".join(textwrap.wrap(str(criterion), _WIDE)[:6])


def _arrow() -> dict[str, Any]:
    return {"arrowstyle": "-|>", "color": GREY, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
