"""How the charts of reports look: colours, thin grid lines, numbers and days as readers write them.

Colours are of Okabe and Ito's palette, or shades of one colour, which people with any colour vision
can tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from matplotlib import dates
from matplotlib.ticker import FuncFormatter, MaxNLocator

from wardbook.messages import Language
from wardbook.wording import LOCALES, write_number

BLUE, VERMILION, GREY, PALE = "#0072B2", "#D55E00", "#595959", "#A9CBE3"
DPI = 150
EPOCH = date(1970, 1, 1)
"""Day 0 of matplotlib's axes."""


def dress(axes: Any, language: Language, *, ticks: int = 10, fontsize: int = 9) -> None:
    """Draw thin grid lines, and numbers and months in the reader's language.

    The horizontal axis has days, the vertical one begins at 0.
    """
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="y", color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=fontsize, labelcolor=GREY)
    axes.tick_params(axis="x", length=3, color=GREY)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: write_number(y, language)))
    axes.set_ylim(bottom=0)
    locator = dates.AutoDateLocator(minticks=2, maxticks=ticks)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_MonthFormatter(language))


def dress_bars(axes: Any, names: Sequence[str], language: Language) -> None:
    """Name horizontal bars from top to bottom, with numbers in the reader's language below."""
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.grid(axis="x", color="#E3E3E3", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=GREY)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write_number(x, language)))


class _MonthFormatter(FuncFormatter):
    """Months, with the year where it changes; days where the period is short."""

    def __init__(self, language: Language) -> None:
        super().__init__(lambda x, _: self.format_ticks([x])[0])
        self.locale = LOCALES[language]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks at once, for a year is shown where it changes."""
        days = [EPOCH + timedelta(days=round(value)) for value in values]
        pattern = "MMM" if all(day.day == 1 for day in days) else "d MMM"
        years = [None, *(day.year for day in days[:-1])]
        return [
            format_date(day, pattern, locale=self.locale)
            + (f"\n{day.year}" if day.year != year else "")
            for day, year in zip(days, years, strict=True)
        ]
