"""Finding what was done to the log: pure rules over its entries and the heads that stand elsewhere.

The chain alone shows every edit, deletion, reordering and insertion by somebody who does not make
all later entries anew; who does, or cuts the end off, is shown by a signed head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from wardbook.audit.entry import BEGUN, START, Entry, MalformedEntry, digest_of
from wardbook.audit.head import Head


class Flaw(StrEnum):
    """What can be wrong with a log."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    BEGINNING = "beginning"
    SEQUENCE = "sequence"
    CHAIN = "chain"
    CONTENT = "content"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    OTHER_LOG = "other_log"


TOLD = {
    Flaw.EMPTY: "there is no entry at all",
    Flaw.MALFORMED: "not an entry as Wardbook writes it",
    Flaw.BEGINNING: "the first entry does not begin a log",
    Flaw.SEQUENCE: "its number does not follow the one before: deleted, inserted or reordered",
    Flaw.CHAIN: "it does not follow from the entry before: deleted, inserted, reordered or edited",
    Flaw.CONTENT: "its content is not what was written: edited",
    Flaw.TRUNCATED: "a signed head is of a later entry: the end of the log is gone",
    Flaw.REWRITTEN: "a signed head is of another entry with this number: the log was rewritten",
    Flaw.OTHER_LOG: "a signed head is of another log: this one was begun anew",
}


@dataclass(frozen=True)
class Finding:
    """A flaw, and the place (1-based, in the order given) or the number of the entry."""

    flaw: Flaw
    place: int

    def __str__(self) -> str:
        return f"entry {self.place}: {TOLD[self.flaw]}"


def read_export(lines: Iterable[str]) -> Iterator[Entry | None]:
    """Yield the entries of an export, and None in the place of a line that is none."""
    for line in lines:
        try:
            yield Entry.from_line(line.removesuffix("\n"))
        except MalformedEntry:
            yield None


def find_flaws(entries: Iterable[Entry | None], heads: Sequence[Head] = ()) -> Iterator[Finding]:
    """Yield every flaw of a log, in its order; nothing where it is as it was written.

    Args:
        entries: all entries, oldest first; None for what could not be read.
        heads: heads whose signatures were found good.
    """
    at_heads: dict[int, Entry | None] = {head.sequence: None for head in heads}
    previous: Entry | None = None
    log, place = "", 0
    for place, entry in enumerate(entries, 1):
        if entry is None:
            yield Finding(Flaw.MALFORMED, place)
            continue
        if place == 1:
            log = log_of(entry)
            if not log:
                yield Finding(Flaw.BEGINNING, place)
        yield from _judge_entry(entry, previous, place)
        if entry.sequence in at_heads:
            at_heads[entry.sequence] = entry
        previous = entry
    if not place:
        yield Finding(Flaw.EMPTY, 0)
    for head in heads:
        if head.log != log:
            yield Finding(Flaw.OTHER_LOG, head.sequence)
            continue
        found = at_heads[head.sequence]
        if found is None:
            yield Finding(Flaw.TRUNCATED, head.sequence)
        elif found.digest != head.digest:
            yield Finding(Flaw.REWRITTEN, head.sequence)


def log_of(first: Entry) -> str:
    """Return the name of the log that begins with this entry; empty where it begins none."""
    if first.event != BEGUN:
        return ""
    try:
        return str(first.told["log"])
    except (ValueError, KeyError, TypeError):
        return ""


def _judge_entry(entry: Entry, previous: Entry | None, place: int) -> Iterator[Finding]:
    if entry.sequence != (previous.sequence + 1 if previous else 1):
        yield Finding(Flaw.SEQUENCE, place)
    if entry.previous != (previous.digest if previous else START):
        yield Finding(Flaw.CHAIN, place)
    if entry.digest != digest_of(entry):
        yield Finding(Flaw.CONTENT, place)
