"""A ticket as its requester wrote it: text, not yet judged."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

# Mirrored, or changed by us, or by Jira itself: none of these is part of what is asked.
_NOT_JUDGED = (
    "key",
    "updated",
    "status",
    "done",
    "issue_type",
    "priority",
    "resolution",
    "labels",
    "assignee",
    "due",
)


@dataclass(frozen=True)
class Person:
    """Somebody in Jira; `username` is the account's name there (its id on Cloud)."""

    username: str
    name: str


@dataclass(frozen=True)
class Ticket:
    """One data request as filed in Jira. Every text is foreign and stays mere text.

    `updated` is Jira's own stamp (ISO 8601 with offset); it changes with every comment, so it says
    that the ticket was touched, not that the request changed: `fingerprint` says that. `done` is
    the category of its status; `due` is an ISO date or empty. `colleagues` are to receive what is
    sealed besides the reporter.
    """

    key: str
    id: str
    updated: str
    status: str
    summary: str
    description: str
    components: tuple[str, ...]
    reporter: Person
    purpose: str
    legal_basis: str
    reference: str
    expires: str
    approver: Person | None
    template: str
    parameters: str
    language: str
    done: bool = False
    issue_type: str = ""
    priority: str = ""
    resolution: str = ""
    labels: tuple[str, ...] = ()
    assignee: Person | None = None
    due: str = ""
    ethics: str = ""
    dpo: Person | None = None
    recurrence: str = ""
    colleagues: tuple[Person, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what the gate judges; equal as long as the requester asks the same.

        A person counts by their account, since names change; an empty field does not count.
        """
        content = asdict(self)
        for not_judged in _NOT_JUDGED:
            del content[not_judged]
        for person in ("reporter", "approver", "dpo"):
            content[person] = content[person] and content[person]["username"]
        content["colleagues"] = sorted(one.username for one in self.colleagues)
        content = {name: value for name, value in content.items() if value}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
