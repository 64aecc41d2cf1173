"""Dates of birth: a date beside a word of birth, or in a column of them.

A date alone is no identifier here: days of stays and of reports are everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.reading import CELL_BREAK, CONFUSED, Reading

BIRTH = re.compile(
    r"naiss(?!ances)|birth(?!s)"
    r"|n(?<![^\W_].)(?:é|e(?=e|\(e\)|[.·]e| le\b| :))(?<!au-n[ée])(?:\(e\)|[.·]e|e?s?)(?![^\W_])"
    r"|d(?<![^\W_].)(?:dn|ob|\.d\.n|/n)(?![^\W_])|born(?= (?:on|in)\b|:)|anniversaire"
)
BIRTH_COLUMN = re.compile(r"naiss|birth|\bddn\b|\bdob\b|\bdn\b|\bnee? le\b")
_MONTHS = (
    r"(?:janv|f[ée]v|mars|avr|mai|juin|juil|ao[uû]t|sept|oct|nov|d[ée]c|jan|feb|mar|apr|may|jun|jul"
    r"|aug|sep)[a-zéû]{0,7}"
)
_DIGIT = "[0-9OoIlSZB]"
_GAP = r"[ \u00a0\u202f./,_-]{1,3}"
DATE = re.compile(
    r"(?<![0-9])(?:"
    r"[0-9]{4}\s?[-/. ]\s?[0-9]{1,2}\s?[-/. ]\s?[0-9]{1,2}"
    r"|[0-9]{1,2}\s?[-/. ]\s?[0-9]{1,2}\s?[-/. ]\s?(?:[0-9]{4}|[0-9]{2})"
    rf"|{_DIGIT}{{1,2}}(?:er|ER|nd|rd|th)?{_GAP}(?i:{_MONTHS}){_GAP}(?:{_DIGIT}{{4}}|[0-9]{{2}})"
    rf"|(?i:{_MONTHS}){_GAP}[0-9]{{1,2}}{_GAP}[0-9]{{4}}"
    r"|(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r")(?![0-9])"
)
WRITTEN_OUT = re.compile(
    rf"(?:premier|[a-z][a-zé-]{{2,11}}(?: et un)?) {_MONTHS} (?:mille|deux[ -]mille|dix-neuf)\b"
    r"[a-z -]{0,45}"
)
ANY_DIGIT = re.compile("[0-9]")
AFTER, BEFORE, NEXT_LINE = 70, 30, 24


def find_births(reading: Reading) -> Iterator[Finding]:
    """Yield dates of birth."""
    if reading.column and BIRTH_COLUMN.search(reading.header):
        # A translation keeps every place; so what it finds lies there in the text too.
        for text in (reading.text, reading.text.translate(CONFUSED)):
            for match in DATE.finditer(text):
                yield Finding(match.start(), match.end(), Kind.BIRTH_DATE, Certainty.CERTAIN)
        return
    for word in BIRTH.finditer(reading.lower):
        span = _find_after(reading, word.end()) or _find_before(reading, word.start())
        if span:
            yield Finding(*span, Kind.BIRTH_DATE, Certainty.CERTAIN)


def _find_after(reading: Reading, start: int) -> tuple[int, int] | None:
    window = reading.text[start : start + AFTER]
    near = window.partition(CELL_BREAK)[0]
    line, _, next_line = near.partition("\n")
    near = near[: len(line) + 1 + NEXT_LINE] if next_line else near
    match = None
    if ANY_DIGIT.search(near):
        match = DATE.search(near) or DATE.search(near.translate(CONFUSED))
    if match is None and ("mil" in near or "MIL" in near):
        match = WRITTEN_OUT.search(near.lower())
    return (start + match.start(), start + match.end()) if match else None


def _find_before(reading: Reading, start: int) -> tuple[int, int] | None:
    if not reading.lower.startswith(("naiss", "birth", "ddn", "dob", "date", "d.d.n"), start):
        return None
    first = max(0, start - BEFORE)
    window = reading.text[first:start]
    for match in DATE.finditer(window):
        if re.fullmatch(r"\W{0,3}(?:date de |de |date of |jour de )?", window[match.end() :]):
            return first + match.start(), first + match.end()
    return None
