"""What people type into a field, read as they mean it: only where nothing is in doubt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import TypeVar

Meaning = TypeVar("Meaning")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def tidy(text: str) -> str:
    """Return a field's text on one line, as a keyboard would have typed it.

    Full-width letters and digits become plain ones, every dash a hyphen, every run of white space
    (unbreakable too) one space; invisible characters go, and blanks at both ends.
    """
    plain = unicodedata.normalize("NFKC", text)
    kinds = ((char, unicodedata.category(char)) for char in plain)
    seen = "".join(
        "-" if kind == "Pd" or char == "\N{MINUS SIGN}" else char
        for char, kind in kinds
        if kind not in {"Cc", "Cf"} or char.isspace()
    )
    return " ".join(seen.split())


def parse_day(text: str) -> date:
    """Return the day that a field says.

    Raises:
        ValueError: it is not a day of the calendar, written YYYY-MM-DD. Only that form is taken:
            03/04/2020 is read in two ways, 20200304 in none by people.
    """
    plain = tidy(text)
    if not _DAY.fullmatch(plain):
        raise ValueError("not of the form YYYY-MM-DD")
    return date.fromisoformat(plain)


def pick(text: str, meanings: Mapping[str, Meaning]) -> Meaning | None:
    """Return what an option means, or None.

    Args:
        text: one of the words, in any case, or several for the same thing: "Soins / care".
        meanings: word, case-folded, to meaning.
    """
    plain = tidy(text).casefold()
    words = [plain] if plain in meanings else [word.strip() for word in plain.split("/")]
    found = {meanings.get(word) for word in words}
    return found.pop() if len(found) == 1 else None
