"""How pages speak: texts, numbers and dates of one language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

from wardbook.messages import Language, say

LOCALES: Mapping[Language, str] = {"fr": "fr_FR", "en": "en_GB"}


@dataclass(frozen=True)
class Voice:
    """One language's texts and formats, for the page templates."""

    language: Language

    def say(self, message: str, /, **values: object) -> str:
        """Return the message `topic.key`; it is plain text, which the page escapes."""
        return say(self.language, message, **values)

    def number(self, value: Decimal | int, pattern: str = "#,##0") -> str:
        """Return a number in the language, by a CLDR number pattern."""
        return format_decimal(value, format=pattern, locale=LOCALES[self.language])

    def day(self, iso: str, width: str = "long") -> str:
        """Return the day of an ISO date or date-time; `width` is CLDR's: long, medium, short."""
        day = date.fromisoformat(iso[:10])
        return format_date(day, format=width, locale=LOCALES[self.language])

    def month(self, iso: str) -> str:
        """Return the month of an ISO date or month, with its year."""
        day = date.fromisoformat(f"{iso[:7]}-01")
        return format_date(day, format="LLLL y", locale=LOCALES[self.language])

    def moment(self, iso: str) -> str:
        """Return an ISO date-time as day, hour, minute and, if it has one, zone."""
        moment = datetime.fromisoformat(iso)
        return f"{self.day(iso)}, {moment.strftime('%H:%M %Z').rstrip()}"

    def size(self, octets: int) -> str:
        """Return a file's size in kilobytes (1,000 bytes), at least 1."""
        return self.say("report.kilobytes", size=self.number(max(1, round(octets / 1000))))
