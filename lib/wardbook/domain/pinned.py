"""Keys of people, and how far each is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trust(StrEnum):
    """What was decided of a key for one person.

    A key that GitLab's directory lists for somebody the first time is proposed; an approver
    confirms or rejects it. A confirmed one is followed by another confirmed one, or it is revoked:
    by an approver, or because the directory once showed its owner's revocation.
    """

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    FOLLOWED = "followed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class PinnedKey:
    """One key of one person, as the ledger keeps it; moments are ISO 8601.

    `person` is the account's name in Jira, `fingerprint` has 40 digits, `request` is the first one
    that wanted it, `decided_by` is who confirmed, rejected or revoked it ("" while proposed).
    """

    person: str
    fingerprint: str
    trust: Trust
    request: str
    proposed_at: str
    decided_at: str = ""
    decided_by: str = ""


def grouped(fingerprint: str) -> str:
    """Return a fingerprint as people read it aloud: ten groups of four digits."""
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))
