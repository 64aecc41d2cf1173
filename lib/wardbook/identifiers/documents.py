"""Account numbers by their check digits; passports by their form and the word that names them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wardbook.identifiers.checksums import has_iban_digits
from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.reading import CONFUSED, Reading

IBAN = re.compile(
    r"[A-Z](?<![^\W_].)[A-Z][0-9OIlSB]{2}(?:[ \u00a0\u202f.-]{0,2}[0-9A-Zlo]){11,30}", re.A
)
LENGTHS = range(34, 14, -1)
PASSPORT = re.compile(
    r"[0-9OoIlSZB](?<![^\W_].)[0-9OoIlSZB][ \u00a0\u202f.-]{0,2}[A-Z]{2}[ \u00a0\u202f.-]{0,2}"
    r"[0-9OoIlSZB]{5}(?![^\W_])"
)
PASSPORT_CUE = re.compile(r"passe?port|pi[èe]ce d.identit[ée]")
MACHINE_READABLE = re.compile(r"P[<A-Z][A-Z]{3}[A-Z]{1,30}<<[A-Z<]{3,}")


def find_documents(reading: Reading) -> Iterator[Finding]:
    """Yield account numbers and passports."""
    for match in IBAN.finditer(reading.text):
        end = _find_iban_end(reading.text, match.start(), match.end())
        if end is not None:
            yield Finding(match.start(), end, Kind.IBAN, Certainty.CERTAIN)
    for match in PASSPORT.finditer(reading.text):
        if reading.is_told(PASSPORT_CUE, match.start()):
            yield Finding(match.start(), match.end(), Kind.PASSPORT, Certainty.CERTAIN)
    for match in MACHINE_READABLE.finditer(reading.text):
        yield Finding(match.start(), match.end(), Kind.PASSPORT, Certainty.CERTAIN)


def _find_iban_end(text: str, start: int, end: int) -> int | None:
    """Return where the account number ends that begins at `start`; words may follow it."""
    places = [place for place in range(start, end) if text[place].isalnum()]
    number = "".join(text[place] for place in places)
    wanted = [27] if number.startswith("FR") else list(LENGTHS)
    for length in wanted:
        if length > len(number):
            continue
        last = places[length - 1] + 1
        if last < len(text) and text[last].isalnum():
            continue
        cut = number[:length]
        read_again = cut[:2] + cut[2:].translate(CONFUSED)
        if has_iban_digits(cut) or (read_again != cut and has_iban_digits(read_again)):
            return last
    return None
