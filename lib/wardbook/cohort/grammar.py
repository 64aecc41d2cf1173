"""Reads the criteria that a requester writes, one text each. docs: templates/cohort_extraction.

criterion   = "age" RANGE ["at" "index"] | "sex" ("F" | "M")
            | "observed" DAYS "days" ("before" | "after") "index"
            | ["not"] event [window]
event       = "death" | DOMAIN codes [comparison]
codes       = "concept" ID{|ID} | [VOCABULARY] CODE{|CODE}
comparison  = (">" | ">=" | "<" | "<=" | "=") NUMBER [UNIT]          of a measurement
window      = "before" "index" FAR..NEAR "days" | "after" "index" NEAR..FAR "days"
            | "within" DAYS "days"                                   of the index, after it
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from wardbook.cohort.criteria import (
    DOMAINS,
    VOCABULARIES,
    AgeAtIndex,
    Codes,
    Cohort,
    Comparison,
    Criterion,
    Event,
    Happened,
    Observed,
    SexIs,
    Window,
)
from wardbook.errors import DataProblem

MOST = 12
"""So many criteria, and so many characteristics."""
_LONGEST = 36_525  # days: a century

_FORMS = {
    "": r"[0-9]{1,10}",
    "ICD10": r"[A-Z]([0-9][0-9A-Z.+]{0,6})?",
    "ATC": r"[A-Z]([0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?)?",
    "CCAM": r"[A-Z]{1,4}[0-9]{0,3}",
    "LOINC": r"(LP)?[0-9]{1,7}-[0-9]",
    "HPO": r"HP:[0-9]{7}",
    "SNOMED": r"[0-9]{5,18}",
}
_OTHER_FORM = r"[0-9A-Z][0-9A-Z.:+-]{0,19}"
_KEYWORDS = {"before", "after", "within", "first", ">", ">=", "<", "<=", "="}
_RANGE = re.compile(r"([0-9]{1,6})\.\.([0-9]{1,6})")


def read_cohort(asked: Mapping[str, Any]) -> Cohort:
    """Return the cohort that the parameters ask for.

    Args:
        asked: `entry`, `start`, `end`, `criteria`, `characteristics` and `group`, as typed by the
            template's declaration.

    Raises:
        DataProblem: a text is not of the grammar, or nobody can meet what is asked; names the
            parameter, which of its criteria, and the word.
    """
    start, end = asked.get("start"), asked.get("end")
    if start and end and start > end:
        raise DataProblem("period_reversed", start=str(start), end=str(end))
    criteria = _read_all(asked.get("criteria") or (), "criteria")
    _refuse_contradictions(criteria)
    return Cohort(
        entry=read_entry(asked["entry"]),
        start=start,
        end=end,
        criteria=criteria,
        characteristics=_read_all(asked.get("characteristics") or (), "characteristics"),
        group=read_criterion(asked["group"], "group") if asked.get("group") else None,
    )


def read_entry(text: str) -> Event:
    """Return the event of which the first one is a person's index; the word `first` may follow.

    Raises:
        DataProblem: it is none.
    """
    words = _Words(text, "entry", 1)
    event = _read_event(words)
    words.take_if("first")
    words.end()
    return event


def read_criterion(text: str, parameter: str, number: int = 1) -> Criterion:
    """Return one criterion.

    Raises:
        DataProblem: it is none.
    """
    words = _Words(text, parameter, number)
    criterion = _read_criterion(words)
    words.end()
    return criterion


def _read_all(texts: Sequence[str], parameter: str) -> tuple[Criterion, ...]:
    if len(texts) > MOST:
        raise DataProblem("criteria_too_many", parameter=parameter, limit=MOST)
    return tuple(read_criterion(text, parameter, at) for at, text in enumerate(texts, 1))


class _Words:
    """The words of one criterion, taken one after another."""

    def __init__(self, text: str, parameter: str, number: int) -> None:
        self._words = re.sub(r"(>=|<=|>|<|=)", r" \1 ", text).split()
        self._at = 0
        self._place: dict[str, str | int] = {"parameter": parameter, "number": number}

    @property
    def next(self) -> str:
        return self._words[self._at].casefold() if self._at < len(self._words) else ""

    def take(self, expected: str) -> str:
        if self._at >= len(self._words):
            raise DataProblem("criterion_short", expected=expected, **self._place)
        self._at += 1
        return self._words[self._at - 1]

    def take_if(self, word: str) -> bool:
        if self.next != word:
            return False
        self._at += 1
        return True

    def take_one_of(self, *allowed: str) -> str:
        word = self.take(" | ".join(allowed)).casefold()
        if word not in allowed:
            self.refuse("criterion_word", expected=" | ".join(allowed))
        return word

    def take_number(self, expected: str) -> int:
        word = self.take(expected)
        if not re.fullmatch(r"[0-9]{1,6}", word):
            self.refuse("criterion_word", expected=expected)
        return self._within(int(word))

    def take_range(self, expected: str) -> tuple[int, int]:
        found = _RANGE.fullmatch(self.take(expected))
        if not found:
            self.refuse("criterion_word", expected=expected)
        return self._within(int(found[1])), self._within(int(found[2]))

    def end(self) -> None:
        if self._at < len(self._words):
            self._at += 1
            self.refuse("criterion_surplus")

    def refuse(self, code: str, **details: str) -> NoReturn:
        """Raise a problem with the word that was taken last."""
        found = _quote(self._words[self._at - 1])
        raise DataProblem(code, word=self._at, found=found, **self._place, **details)

    def _within(self, number: int) -> int:
        if number > _LONGEST:
            self.refuse("criterion_word", expected=f"0..{_LONGEST}")
        return number


def _read_criterion(words: _Words) -> Criterion:
    match words.next:
        case "age":
            words.take("age")
            low, high = words.take_range("18..80")
            if low > high:
                words.refuse("criterion_reversed", expected=f"{high}..{low}")
            if words.take_if("at"):
                words.take_one_of("index")
            return AgeAtIndex(low, high)
        case "sex":
            words.take("sex")
            return SexIs(words.take_one_of("f", "m").upper())
        case "observed":
            return _read_observed(words)
        case _:
            negated = words.take_if("not")
            event = _read_event(words)
            return Happened(event, _read_window(words), negated)


def _read_observed(words: _Words) -> Observed:
    words.take("observed")
    days = words.take_number("365")
    words.take_one_of("days")
    side = words.take_one_of("before", "after")
    words.take_one_of("index")
    return Observed(-days, 0) if side == "before" else Observed(0, days)


def _read_event(words: _Words) -> Event:
    domain = words.take_one_of(*DOMAINS)
    if domain == "death":
        return Event(domain)
    codes = _read_codes(words, DOMAINS[domain].vocabulary)
    signed = words.next in {">", ">=", "<", "<=", "="}
    if signed and domain != "measurement":
        words.take("")
        words.refuse("criterion_surplus")
    return Event(domain, codes, _read_comparison(words) if signed else None)


def _read_codes(words: _Words, vocabulary: str) -> Codes:
    if words.take_if("concept"):
        vocabulary = ""
    elif words.next in VOCABULARIES:
        vocabulary = VOCABULARIES[words.take("").casefold()]
    word = words.take(vocabulary or "concept 1118084").upper()
    form = _FORMS.get(vocabulary.removesuffix("CM") if vocabulary == "ICD10CM" else vocabulary)
    for code in word.split("|"):
        if not re.fullmatch(form or _OTHER_FORM, code):
            said = vocabulary or "concept"
            words.refuse("criterion_code_form", expected=said)
    return Codes(vocabulary, tuple(dict.fromkeys(word.split("|"))))


def _read_comparison(words: _Words) -> Comparison:
    sign = words.take(">")
    word = words.take("150")
    if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,6})?", word):
        words.refuse("criterion_word", expected="150")
    unit = words.take("") if words.next and words.next not in _KEYWORDS else ""
    return Comparison(sign, float(word), unit)


def _read_window(words: _Words) -> Window | None:
    if words.take_if("within"):
        days = words.take_number("30")
        words.take_one_of("days")
        return Window(0, days)
    for side in ("before", "after"):
        if words.take_if(side):
            words.take_one_of("index")
            first, last = words.take_range("30..0" if side == "before" else "0..30")
            if (first < last) if side == "before" else (first > last):
                words.refuse("criterion_reversed", expected=f"{last}..{first}")
            words.take_one_of("days")
            return Window(-first, -last) if side == "before" else Window(first, last)
    return None


def _refuse_contradictions(criteria: Sequence[Criterion]) -> None:
    for at, one in enumerate(criteria):
        for before, other in enumerate(criteria[:at]):
            if _contradict(one, other):
                raise DataProblem("criteria_contradict", number=before + 1, other=at + 1)


def _contradict(one: Criterion, other: Criterion) -> bool:
    match one, other:
        case AgeAtIndex(), AgeAtIndex():
            return max(one.low, other.low) > min(one.high, other.high)
        case SexIs(), SexIs():
            return one.code != other.code
        case Happened(), Happened():
            absent, present = (one, other) if one.negated else (other, one)
            same = one.event == other.event and one.negated != other.negated
            return same and _covers(absent.window, present.window)
        case _:
            return False


def _covers(wide: Window | None, narrow: Window | None) -> bool:
    if wide is None:
        return True
    return narrow is not None and wide.first <= narrow.first and narrow.last <= wide.last


def _quote(word: str) -> str:
    """Return a requester's word with nothing in it that a ticket would read as markup."""
    return re.sub(r"[^\w.,:/<>=-]", "?", word)[:40]
