"""One entry of the audit log, and the chain that ties it to all before it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from wardbook.audit.told import tell_details, tell_line
from wardbook.errors import Refusal

START = "0" * 64
"""What stands for the digest of an entry before the first."""
BEGUN = "log.begun"
"""The event of the first entry of every log; its details name the log."""
_FORM = "wardbook-audit-1"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST = {"at": 32, "actor": 120, "event": 64, "request": 64}


class MalformedEntry(Refusal):
    """A line of an export that is not an entry as we write it."""


@dataclass(frozen=True)
class Fact:
    """Something that was done, before it has its place in the log.

    Args:
        at: the moment, ISO 8601.
        actor: an account, or one of the words of `domain.states.Actor`.
        event: its name, as `run.started`.
        request: the request's key; empty where it is about none.
        details: what it says besides; only what `told.py` allows is kept.
    """

    at: str
    actor: str
    event: str
    request: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One entry; `details` is JSON as text, so that every byte of it is what was hashed."""

    sequence: int
    at: str
    actor: str
    event: str
    request: str
    details: str
    previous: str
    digest: str

    @property
    def told(self) -> dict[str, Any]:
        """The details, read."""
        told: dict[str, Any] = json.loads(self.details)
        return told

    def to_line(self) -> str:
        """Return the one form in which an export holds this entry, without a line's end."""
        return _dump(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Entry:
        """Read a line of an export.

        Raises:
            MalformedEntry: it is not, to the byte, what `to_line` writes.
        """
        try:
            entry = cls(**json.loads(line))
            kinds = [isinstance(value, str) for value in list(asdict(entry).values())[1:]]
            well = all(kinds) and type(entry.sequence) is int and entry.to_line() == line
        except (ValueError, TypeError):
            well = False
        if not well:
            raise MalformedEntry("a line of the export is not an entry as Wardbook writes it")
        return entry


def link_entry(fact: Fact, previous: Entry | None) -> Entry:
    """Return the entry that follows `previous`, or the first of a log."""
    told = {
        "at": fact.at,
        "actor": fact.actor,
        "event": fact.event,
        "request": fact.request,
    }
    entry = Entry(
        sequence=previous.sequence + 1 if previous else 1,
        details=_dump(tell_details(fact.details)),
        previous=previous.digest if previous else START,
        digest="",
        **{name: tell_line(text, _LONGEST[name]) for name, text in told.items()},
    )
    return Entry(**(asdict(entry) | {"digest": digest_of(entry)}))


def digest_of(entry: Entry) -> str:
    """Return SHA-256 over the canonical bytes of an entry without its own digest."""
    parts = [
        *(_FORM, entry.sequence, entry.at, entry.actor, entry.event, entry.request),
        *(entry.details, entry.previous),
    ]
    # What nobody writes may yet be read from a database that somebody changed.
    return hashlib.sha256(_dump(parts).encode("utf-8", "surrogatepass")).hexdigest()


def is_digest(text: str) -> bool:
    """Tell whether a text has the form of a digest."""
    return _DIGEST.fullmatch(text) is not None


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
