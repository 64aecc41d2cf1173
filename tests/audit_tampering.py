"""Everything that can be done to a log, and whether it is found.

python -m tests.audit_tampering [--entries 10000] [--places 50] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace

from wardbook.audit.check import find_flaws, log_of
from wardbook.audit.entry import BEGUN, Entry, Fact, digest_of, link_entry
from wardbook.audit.head import Head

Log = list[Entry]
Tamper = Callable[[Log, int, random.Random], Log]
EVENTS = ("ticket.received", "gate.accepted", "run.started", "release.approved", "effect.confirmed")


def make_log(size: int, seed: int = 1) -> Log:
    """A log as the ledger writes it."""
    chance = random.Random(seed)
    log = [
        link_entry(
            Fact("2026-03-02T12:00:00+00:00", "platform", BEGUN, "", {"log": "ab" * 16}), None
        )
    ]
    while len(log) < size:
        details = {"run": f"data-{chance.randrange(999)}", "seconds": chance.random()}
        fact = Fact(
            f"2026-03-02T12:{chance.randrange(60):02}:00+00:00",
            chance.choice(("platform", "rfaure", "hbernard")),
            chance.choice(EVENTS),
            f"DATA-{chance.randrange(99)}",
            details,
        )
        log.append(link_entry(fact, log[-1]))
    return log


def head_of(log: Sequence[Entry]) -> Head:
    """The head as it was copied elsewhere before anybody tampered."""
    return Head(log_of(log[0]), log[-1].sequence, log[-1].digest, log[-1].at)


def _relinked(log: Log, start: int) -> Log:
    """What somebody does who can write the whole table: every later entry is made anew."""
    made = log[:start]
    for entry in log[start:]:
        previous = made[-1].digest if made else "0" * 64
        entry = replace(entry, sequence=len(made) + 1, previous=previous)
        made.append(replace(entry, digest=digest_of(entry)))
    return made


def _edit(name: str) -> Tamper:
    def tamper(log: Log, at: int, chance: random.Random) -> Log:
        value = getattr(log[at], name)
        if isinstance(value, int):
            changed: object = value + chance.choice((-1, 1, 1000))
        else:
            place = chance.randrange(len(value)) if value else 0
            other = chance.choice([c for c in "0a9 é" if value[place : place + 1] != c])
            changed = value[:place] + other + value[place + 1 :]
        return [*log[:at], replace(log[at], **{name: changed}), *log[at + 1 :]]

    return tamper


def _forged(log: Log, at: int) -> Entry:
    fact = Fact(log[at].at, "rfaure", "release.approved", "DATA-1", {"run": "data-1-forged"})
    return link_entry(fact, log[at - 1] if at else None)


def _edit_and_mend(log: Log, at: int, chance: random.Random) -> Log:
    entry = replace(log[at], actor=f"{log[at].actor}x")
    return [*log[:at], replace(entry, digest=digest_of(entry)), *log[at + 1 :]]


def _edit_and_relink(log: Log, at: int, chance: random.Random) -> Log:
    return _relinked([*log[:at], replace(log[at], actor=f"{log[at].actor}x"), *log[at + 1 :]], at)


def _swap(log: Log, at: int, chance: random.Random) -> Log:
    other = chance.choice(
        [
            place
            for place in (at - 1, at + 1, 0, len(log) - 1)
            if place != at and 0 <= place < len(log)
        ]
    )
    changed = list(log)
    changed[at], changed[other] = log[other], log[at]
    return changed


def _swap_contents(log: Log, at: int, chance: random.Random) -> Log:
    """Reordered with the numbers and hashes left where they are."""
    other = at - 1 if at else 1
    changed = list(log)
    for here, there in ((at, other), (other, at)):
        one, its = log[here], log[there]
        changed[here] = replace(
            its, sequence=one.sequence, previous=one.previous, digest=one.digest
        )
    return changed


KINDS: dict[str, Tamper] = {
    **{f"edit {field.name}": _edit(field.name) for field in fields(Entry)},
    "edit, own digest made anew": _edit_and_mend,
    "edit, all made anew": _edit_and_relink,
    "delete": lambda log, at, _: [*log[:at], *log[at + 1 :]],
    "delete, all made anew": lambda log, at, _: _relinked([*log[:at], *log[at + 1 :]], at),
    "swap": _swap,
    "swap contents": _swap_contents,
    "swap, all made anew": lambda log, at, chance: _relinked(_swap(log, at, chance), 0),
    "insert": lambda log, at, _: [*log[:at], _forged(log, at), *log[at:]],
    "insert a copy": lambda log, at, _: [*log[:at], log[at], *log[at:]],
    "insert, all made anew": lambda log, at, _: _relinked(
        [*log[:at], _forged(log, at), *log[at:]], at
    ),
    "truncate": lambda log, at, _: log[:at],
    "truncate the beginning": lambda log, at, _: log[at + 1 :],
    "truncate, then go on": lambda log, at, _: [*log[:at], *_going_on(log, at)],
    "begin anew": lambda log, _at, _: _relinked(
        [replace(log[0], details=log[0].details.replace("ab", "cd")), *log[1:]], 0
    ),
    "unreadable": lambda log, at, _: [*log[:at], None, *log[at + 1 :]],  # type: ignore[list-item]
}


def _going_on(log: Log, at: int) -> Iterator[Entry]:
    """Other entries in the place of those cut off, as many."""
    previous = log[at - 1] if at else None
    for entry in log[at:]:
        previous = link_entry(Fact(entry.at, "platform", "run.started", "DATA-7"), previous)
        yield previous


def places(size: int, many: int, chance: random.Random) -> list[int]:
    """Both edges with their neighbours, and places at random between."""
    edges = {0, 1, 2, size // 2, size - 3, size - 2, size - 1}
    return sorted(edges | {chance.randrange(size) for _ in range(many)})


def unfound(log: Log, many: int, seed: int) -> tuple[int, list[str]]:
    """Tamper in every way at many places; returns how often, and what was not found."""
    chance, missed, tried = random.Random(seed), [], 0
    head = head_of(log)
    for name, tamper in KINDS.items():
        for at in places(len(log), many, chance):
            changed = tamper(log, at, chance)
            if changed == log:
                continue
            tried += 1
            if next(find_flaws(changed, [head]), None) is None:
                missed.append(f"{name} at {at}")
    return tried, missed


def main() -> int:
    """Print what was tried and found, and how long a whole verification takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--places", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    log = make_log(asked.entries, asked.seed)
    lines = [entry.to_line() for entry in log]
    took = []
    for _ in range(5):
        start = time.process_time()
        untouched = list(find_flaws(map(Entry.from_line, lines), [head_of(log)]))
        took.append(time.process_time() - start)
    print(
        f"untouched log of {len(log)} entries: {len(untouched)} findings, "
        f"read and verified in (processor time) {statistics.median(took):.2f} s"
    )
    tried, missed = unfound(log, asked.places, asked.seed)
    print(
        f"{tried} tampered logs of {len(KINDS)} kinds: "
        f"{tried - len(missed)} found, {len(missed)} missed"
    )
    for one in missed[:20]:
        print("missed:", one)
    return 1 if missed or untouched else 0


if __name__ == "__main__":
    sys.exit(main())
