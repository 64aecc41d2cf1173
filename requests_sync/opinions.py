"""What people said of a run's evidence, read from the notes of its merge request.

GitLab's list of approvers does not say what they had before their eyes; the order of its notes
does. Whatever was said before the present evidence was shown last is about something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from requests_sync.jira_port import Payload
from requests_sync.marks import digest_of_evidence, evidence_mark, holds_mark
from wardbook.domain.record import Approval, Record, TurnDown

_REFUSAL = re.compile(r"\s*(?:refus[ée]?|refused)\s*:\s*((?:[1-5]\b[\s,;–—-]*)*)(.*)", re.I | re.S)
_LONGEST_REASON = 2000


@dataclass
class Opinions:
    """Who approved the evidence, who refused it, who closed the merge request, who pushed."""

    approvals: dict[str, Approval] = field(default_factory=dict)
    refusals: list[TurnDown] = field(default_factory=list)
    closed_by: TurnDown | None = None
    pushed: set[str] = field(default_factory=set)


def read_opinions(notes: Iterable[Payload], record: Record, ours: str) -> Opinions:
    """Return what counts as said of the evidence of a request's present run.

    Args:
        notes: of the merge request.
        record: the request; `work.evidence` is the digest of what was shown.
        ours: our own account. A note of it that somebody changed since shows something else.
    """
    said, shown = Opinions(), False
    words: dict[str, str] = {}
    mark = evidence_mark(record.work.run or "")
    # In the order of their ids: what counts follows the evidence it is about.
    for note in sorted(notes, key=lambda note: int(note["id"])):
        author, body = note["author"], str(note["body"])
        username = str(author["username"])
        if note["system"]:
            if body.startswith("added ") and "commit" in body:
                said.pushed.add(username)
            _take_event(said, note, words, shown=shown)
        elif username == ours:
            if holds_mark(body, mark):
                shown = digest_of_evidence(body) == record.work.evidence
                said.approvals, said.refusals = {}, []
                words.clear()
        elif shown:
            words[username] = body
            refusal = read_refusal(body, username, str(author["name"]))
            if refusal is not None:
                said.refusals.append(refusal)
    return said


def _take_event(said: Opinions, note: Payload, words: dict[str, str], *, shown: bool) -> None:
    author, body = note["author"], str(note["body"])
    username, name = str(author["username"]), str(author["name"])
    if body.startswith("closed"):
        last = words.get(username, "")
        said.closed_by = read_refusal(last, username, name) or TurnDown(
            username, name, (), last[:_LONGEST_REASON]
        )
    elif body.startswith("reopened"):
        said.closed_by = None
    elif body.startswith("approved this merge request"):
        if shown:
            said.approvals[username] = Approval(
                username,
                name,
                str(note["created_at"]),
                int(author.get("id") or 0),
                str(author.get("state") or "active"),
            )
    elif body.startswith(("unapproved this merge request", "requested changes")):
        said.approvals.pop(username, None)
    elif body.startswith("reset approvals"):
        said.approvals.clear()


def read_refusal(body: str, username: str, name: str) -> TurnDown | None:
    """Return the refusal that a comment holds: `Refus : 1, 4 — why`, in either language.

    Args:
        body: the comment; numbers directly after the colon are those of the usual causes.
        username, name: whose it is.
    """
    found = _REFUSAL.fullmatch(body.replace("\u00a0", " ").replace("\u202f", " "))
    if found is None:
        return None
    causes = tuple(sorted({int(number) for number in re.findall("[1-5]", found[1])}))
    return TurnDown(username, name, causes, found[2].strip()[:_LONGEST_REASON])
