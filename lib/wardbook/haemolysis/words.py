"""Numbers of the report on haemolysis as a reader writes them."""

from __future__ import annotations

from babel.numbers import format_decimal

from wardbook.messages import Language
from wardbook.wording import LOCALES


def write_ratio(value: float, language: Language) -> str:
    """Return a number with two decimals, as odds ratios and mmol/L are written."""
    return format_decimal(value, format="#,##0.00", locale=LOCALES[language])
