"""The search itself: every kind over one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wardbook.hospital.canaries import find_canary_marks
from wardbook.identifiers.births import find_births
from wardbook.identifiers.contacts import find_contacts
from wardbook.identifiers.context import Context, compact
from wardbook.identifiers.credentials import find_credentials
from wardbook.identifiers.documents import find_documents
from wardbook.identifiers.finding import Certainty, Finding, Kind
from wardbook.identifiers.names import find_names
from wardbook.identifiers.numbers import find_numbers
from wardbook.identifiers.reading import Reading

_FIRST = {Kind.CANARY: 0, Kind.CREDENTIAL: 1}
_SURE = {Certainty.CERTAIN: 0, Certainty.LIKELY: 1, Certainty.POSSIBLE: 2}


def scan(text: str, *, context: Context) -> tuple[Finding, ...]:
    """Return the identifiers and secrets in a text, in the order of their places.

    Where several lie over each other, the surest stands, then the longest. Time grows in proportion
    to the text's length, whatever is in it.
    """
    if len(text) < 4:
        return ()
    reading = Reading(text, context.column)
    return _keep_surest(_drop_shown(_find(reading, context), text, context))


def _find(reading: Reading, context: Context) -> Iterator[Finding]:
    for start, end in find_canary_marks(reading.lower):
        yield Finding(start, end, Kind.CANARY, Certainty.CERTAIN)
    yield from find_credentials(reading)
    yield from find_numbers(reading, context.site)
    yield from find_documents(reading)
    yield from find_contacts(reading)
    yield from find_births(reading)
    yield from find_names(reading, context.cohort)


def _drop_shown(findings: Iterable[Finding], text: str, context: Context) -> Iterator[Finding]:
    for one in findings:
        if not context.shown or compact(text[one.start : one.end]) not in context.shown_compact:
            yield one


def _keep_surest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    kept: list[Finding] = []
    for one in sorted(findings):
        if kept and one.start < kept[-1].end:
            kept[-1] = min(kept[-1], one, key=_rank)
        else:
            kept.append(one)
    return tuple(kept)


def _rank(one: Finding) -> tuple[int, int, int]:
    return _FIRST.get(one.kind, 2), _SURE[one.certainty], one.start - one.end
