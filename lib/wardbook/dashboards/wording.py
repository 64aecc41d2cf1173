"""How a preview says values and days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from wardbook.dashboards.board import Panel, Threshold
from wardbook.report.voice import LOCALES, Voice


@dataclass(frozen=True)
class Wording:
    """The voice of a preview, in the unit's time zone."""

    voice: Voice
    zone: ZoneInfo

    def value(self, panel: Panel, value: float | None) -> str:
        """Return a value with its unit, as its panel shows it."""
        if value is None:
            return self.voice.say("dashboard.withheld")
        return self.number(panel, value) + self.suffix(panel)

    def number(self, panel: Panel, value: float) -> str:
        """Return a value without its unit."""
        value = value * 100 if panel.unit == "fraction" else value
        if panel.decimals is not None:
            pattern = "#,##0" + ("." + "0" * panel.decimals if panel.decimals else "")
        else:
            pattern = "#,##0.#" if abs(value) < 100 else "#,##0"
        return self.voice.number(Decimal(repr(value)), pattern)

    def tick(self, panel: Panel) -> Callable[[float], str]:
        """Return how the values of an axis are written: short, and exactly."""

        def write(value: float) -> str:
            value = value * 100 if panel.unit == "fraction" else value
            number = self.voice.number(Decimal(f"{value:.10g}"), "#,##0.####")
            return number + self.suffix(panel)

        return write

    def suffix(self, panel: Panel) -> str:
        """Return what is written behind a number."""
        if panel.unit == "number":
            return ""
        return self.voice.say(f"dashboard.suffix_{panel.unit}")

    def day(self, moment: datetime) -> str:
        """Return the day of a moment, in full."""
        return self.voice.day(moment.astimezone(self.zone).isoformat())

    def short_day(self, moment: datetime) -> str:
        """Return day and month of a moment, for an axis."""
        day = moment.astimezone(self.zone).date()
        return format_date(day, format="d MMM", locale=LOCALES[self.voice.language])

    def short_moment(self, moment: datetime) -> str:
        """Return a moment for the head of a column: its day, and its hour if it is not midnight."""
        local = moment.astimezone(self.zone)
        hour = "" if (local.hour, local.minute) == (0, 0) else local.strftime(" %H:%M")
        return self.short_day(moment) + hour

    def threshold(self, panel: Panel, threshold: Threshold) -> str:
        """Return a threshold in words: `au-dessus de 95 %`."""
        way = "above" if threshold.above else "below"
        return self.voice.say(f"dashboard.{way}", value=self.tick(panel)(threshold.value))
