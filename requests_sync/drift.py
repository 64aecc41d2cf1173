"""Drift: where the two sides of a request differ from what they should be, compared whole.

Nothing that the ledger remembers of copies is trusted: what should be there is composed anew from
the originals, what is there is read from the trackers and recognised by its marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wardbook.domain.mirror import Twin, TwinKind
from wardbook.domain.record import Intent

_NOTE = re.compile(r"^<!-- wardbook:(comment|attachment):(\S+) -->$", re.MULTILINE)
_COMMENT = re.compile(r"^\{anchor:wardbook-(note)-(\S+)\}$", re.MULTILINE)
Key = tuple[TwinKind, str]


@dataclass(frozen=True)
class Copy:
    """A copy that is really there, told by its mark."""

    kind: TwinKind
    theirs: str
    ours: str
    text: str


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be; `repair` brings it to be, where we can.

    `what` is `missing`, `differs`, `left_over` or `double` for a copy; else `gone`, `orphan`,
    `state`, `by_hand`, `remote_link`, or what is to be set: `fields`, `assign`.
    """

    what: str
    about: str
    repair: Intent | None


@dataclass(frozen=True)
class Found:
    """What a comparison came to: the differences, and the copies that are as they should be."""

    differences: tuple[Difference, ...]
    sound: tuple[Twin, ...]


def copies_in_notes(notes: Iterable[Mapping[str, Any]], account: str) -> Iterator[Copy]:
    """Yield the copies among an issue's notes, oldest first."""
    for note in notes:
        if note["author"]["username"] == account and not note["system"]:
            for kind, theirs in _NOTE.findall(note["body"]):
                yield Copy(TwinKind(kind), theirs, str(note["id"]), str(note["body"]))


def copies_in_comments(
    comments: Iterable[Mapping[str, Any]], is_ours: Callable[[Mapping[str, Any]], bool]
) -> Iterator[Copy]:
    """Yield the copies among a ticket's comments, oldest first."""
    for comment in comments:
        if is_ours(comment):
            for kind, theirs in _COMMENT.findall(comment["body"].replace("\r", "")):
                yield Copy(TwinKind(kind), theirs, str(comment["id"]), str(comment["body"]))


def adopted_twins(there: Sequence[Copy], known: Collection[Key]) -> Iterator[Twin]:
    """Yield a twin for each copy that the ledger does not know; the oldest where there are two.

    Of which version it is a copy is not told: it is compared with its original by its text.
    """
    seen = set(known)
    for copy in there:
        # An anchor has no number sign; ids of notes have no dash.
        theirs = copy.theirs.replace("-", "#") if copy.kind is TwinKind.NOTE else copy.theirs
        if (copy.kind, theirs) not in seen:
            seen.add((copy.kind, theirs))
            yield Twin(copy.kind, theirs, "", copy.ours)


def differences(expected: Sequence[Intent], there: Sequence[Copy]) -> Found:
    """Compare what should be there with what is.

    Args:
        expected: the intents of a comparison that knows of no copy: one for each that should be.
        there: the copies found, links of issues among them.
    """
    found: list[Difference] = []
    sound: list[Twin] = []
    wanted = {_key(intent): intent for intent in expected if "twin" in intent.payload}
    seen: set[Key] = set()
    for copy in there:
        key = (copy.kind, _anchored(copy.kind, copy.theirs, wanted))
        intent = wanted.get(key)
        about = f"{key[0]}:{key[1]}"
        if intent is None or key in seen:
            what = "double" if key in seen else "left_over"
            found.append(Difference(what, about, _removal(copy, key, double=key in seen)))
            continue
        seen.add(key)
        text = intent.payload.get("text")
        if text is not None and copy.text.strip() != text.strip():
            payload = {**intent.payload, "ours": copy.ours}
            found.append(Difference("differs", about, replace(intent, payload=payload)))
        else:
            sound.append(Twin(*key, str(intent.payload["twin"]["stamp"]), copy.ours))
    for key, intent in wanted.items():
        if key not in seen:
            found.append(Difference("missing", f"{key[0]}:{key[1]}", intent))
    found += [
        Difference(intent.kind.partition(".")[2], intent.kind, intent)
        for intent in expected
        if "twin" not in intent.payload
    ]
    return Found(tuple(found), tuple(sound))


def _key(intent: Intent) -> Key:
    return TwinKind(intent.payload["twin"]["kind"]), str(intent.payload["twin"]["theirs"])


def _anchored(kind: TwinKind, theirs: str, wanted: Mapping[Key, Intent]) -> str:
    """Return the original's id: an anchor writes a dash where the id of a part has a hash."""
    if (kind, theirs) in wanted or kind is not TwinKind.NOTE:
        return theirs
    return theirs.replace("-", "#")


_KINDS = {
    TwinKind.COMMENT: "gitlab.comment",
    TwinKind.NOTE: "jira.note",
    TwinKind.ATTACHMENT: "gitlab.attachment",
    TwinKind.LINK: "gitlab.link",
}


def _removal(copy: Copy, key: Key, *, double: bool) -> Intent:
    twin = {"kind": key[0], "theirs": key[1], "stamp": ""}
    payload = {"gone": True, "double": double, "twin": twin, "ours": copy.ours}
    return Intent(f"drift/{key[0]}:{key[1]}:{copy.ours}", _KINDS[copy.kind], payload)
