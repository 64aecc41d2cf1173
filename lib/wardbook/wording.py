"""Numbers and days as a French or English reader writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from wardbook.messages import Language

LOCALES: dict[Language, str] = {"fr": "fr_FR", "en": "en_GB"}


def write_number(value: float, language: Language) -> str:
    """Return a number with its thousands separated and at most one decimal."""
    return format_decimal(value, format="#,##0.#", locale=LOCALES[language])


def write_day(day: date, language: Language) -> str:
    """Return a day in words: 1er avril 2020, 8 janvier 2021; 8 January 2021."""
    words = format_date(day, format="long", locale=LOCALES[language])
    # The ordinal of the first is no part of the locale's data that babel uses.
    return words.replace("1", "1er", 1) if language == "fr" and day.day == 1 else words


def write_days(days: Sequence[date], language: Language, *, limit: int = 5) -> str:
    """Return the first `limit` days in words as a list, with … where there are more."""
    words = [write_day(day, language) for day in days[:limit]]
    if len(days) > limit:
        return ", ".join([*words, "…"])
    return format_list(words, locale=LOCALES[language])


def write_codes(codes: Sequence[str], *, limit: int = 10) -> str:
    """Return the first `limit` codes, with … where there are more."""
    return ", ".join([*codes[:limit], *(["…"] if len(codes) > limit else [])])


def write_mean(value: float, language: Language) -> str | None:
    """Return a mean number of people: whole from 10 on, else one decimal; None if missing."""
    if math.isnan(value):
        return None
    return write_number(round(value) if value >= 10 else value, language)
