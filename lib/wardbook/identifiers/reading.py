"""How a text is read when identifiers are sought: folded letters, confused digits, words nearby.

A scan and a photocopy turn 0 into O and 1 into l. What has a checksum may be read through such
confusion without many false hits.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

CONFUSED = str.maketrans("OoQIlSZB", "00011528")
"""Letters that scans put in place of digits, and the digits meant."""

DIGITISH = "0-9OoQIlSZAB"
"""Digits, what stands for them, and the letters of Corsica's departments, for a regex set."""

SPACES = " \u00a0\u202f\u2009\u2007\u200b"
SEPARATORS = rf"{SPACES}\n.\-_/()\u2010\u2011\u2013"
"""What may stand between the digits of one number, for a regex set."""

CELL_BREAK = "\x1e"
"""Stands between the cells of a column that is searched as one text: nothing reads across it."""

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l"})


def fold(word: str) -> str:
    """Return a word in lower case, without accents and ligatures: `Chênevert` as `chenevert`."""
    lower = word.lower()
    if lower.isascii():
        return lower
    plain = unicodedata.normalize("NFKD", lower.translate(_LIGATURES))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@dataclass(frozen=True, repr=False)
class Reading:
    """One text under search, and the header of the column that it comes from."""

    text: str
    column: str = ""

    @cached_property
    def lower(self) -> str:
        """The text in lower case, each character at its own place."""
        lower = self.text.lower()
        if len(lower) == len(self.text):
            return lower
        return "".join(c if len(c.lower()) != 1 else c.lower() for c in self.text)

    @cached_property
    def header(self) -> str:
        """The column's header, folded, its words apart: `DateNaissance` as `date naissance`."""
        return re.sub(r"[\W_]+", " ", fold(re.sub(r"(?<=[a-zé])(?=[A-Z])", " ", self.column)))

    def is_told(self, cue: re.Pattern[str], start: int, *, reach: int = 40) -> bool:
        """Whether a word of `cue` is in the column's header or shortly before `start`."""
        if self.column and cue.search(self.header):
            return True
        return cue.search(self.lower, max(0, start - reach), start) is not None
