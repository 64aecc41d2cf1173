"""Estimates and days as a reader writes them."""

from __future__ import annotations

from babel.numbers import format_decimal

from wardbook.messages import Language
from wardbook.prediction.interval import Interval
from wardbook.wording import LOCALES


def write_decimal(value: float, language: Language, digits: int = 2) -> str:
    """Return a number with so many decimals."""
    return str(format_decimal(value, "0." + "0" * digits, locale=LOCALES[language]))


def write_interval(found: Interval, language: Language, digits: int = 2) -> str:
    """Return an estimate with its bounds: 0.82 (0.80 to 0.84)."""
    value, low, high = (
        write_decimal(one, language, digits) for one in (found.value, found.low, found.high)
    )
    return f"{value} ({low} {'à' if language == 'fr' else 'to'} {high})"
