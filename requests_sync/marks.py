"""The marks that our texts carry, so that what was made is found again without the ledger.

In GitLab's Markdown a mark is a comment, in Jira's wiki markup an anchor: readers see neither. A
mark counts only on a line of its own, in a text that our own account wrote: foreign text inside
ours is quoted, so nobody can write a whole line of it.
"""

from __future__ import annotations

import hashlib
import re

from wardbook.domain.mirror import TwinKind
from wardbook.domain.record import Intent
from wardbook.domain.ticket import Ticket

_EVIDENCE = re.compile(r"<!-- wardbook:evidence:\S+ -->")
_TICKED = re.compile(r"^(- )\[[xX]\]")
_REQUEST = re.compile(r"^<!-- wardbook:request:\S+ (\S+) -->$", re.MULTILINE)


def request_mark(ticket: Ticket) -> str:
    """Return the mark of a request's issue: found by Jira's id, which stays; the key is shown."""
    return f"<!-- wardbook:request:{ticket.key} {ticket.id} -->"


def ticket_of_issue(description: str) -> str | None:
    """Return the id of the ticket whose issue this description belongs to."""
    found = _REQUEST.search(description)
    return found[1] if found else None


def cut_at_mark(description: str) -> tuple[str, str]:
    """Split an issue's description into our part, its mark the last line, and what people added."""
    found = _REQUEST.search(description)
    if found is None:
        return description, ""
    return description[: found.end()], description[found.end() :]


def effect_mark(intent: Intent) -> str:
    """Return the mark of a note that an effect writes once."""
    return f"<!-- wardbook:{intent.key} -->"


def effect_anchor(intent: Intent) -> str:
    """Return the mark of a comment that an effect writes once."""
    return "{anchor:wardbook-" + re.sub("[/~:#]", "-", intent.key) + "}"


def copy_mark(kind: TwinKind, theirs: str) -> str:
    """Return the mark of the note that copies something of the ticket."""
    return f"<!-- wardbook:{kind}:{theirs} -->"


def copy_anchor(kind: TwinKind, theirs: str) -> str:
    """Return the mark of the comment that copies something of the issue."""
    return "{anchor:wardbook-" + f"{kind}-{theirs}".replace("#", "-") + "}"


def evidence_mark(run: str) -> str:
    """Return the mark of the note that shows a run's evidence to its reviewer."""
    return f"<!-- wardbook:evidence:{run} -->"


def digest_of_evidence(text: str) -> str:
    """Return the digest of an evidence note's text: what an approval of it is about.

    Args:
        text: what was written, or a note as it stands now; what follows its mark does not count,
            nor do blanks at the ends of lines, which a server may drop, and ticks in its list.
    """
    lines = [_TICKED.sub(r"\1[ ]", line.rstrip()) for line in text.splitlines()]
    mark = next((place for place, line in enumerate(lines) if _EVIDENCE.fullmatch(line)), None)
    return hashlib.sha256("\n".join(lines[:mark]).strip().encode()).hexdigest()


def holds_mark(text: str, mark: str) -> bool:
    """Tell whether a text that we wrote has this mark on a line of its own."""
    return mark in (line.strip() for line in text.splitlines())
