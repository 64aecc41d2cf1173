"""Effects on what both sides have one of: the fields that follow the ticket, and the analyst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_fields import is_managed, shown_digest, view_of_issue
from requests_sync.jira_port import JiraPort
from requests_sync.marks import cut_at_mark
from requests_sync.places import REFUSED_FOR_GOOD, place_of
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.domain.ticket import Person
from wardbook.errors import ForeignFault


@dataclass(frozen=True)
class GitLabFields:
    """The fields that follow the ticket."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the issue has them."""
        issue = self._read(record)
        if issue is None or shown_digest(issue) != intent.payload["wanted"]:
            return None
        return self._outcome(intent, issue)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Set them; what an analyst added below our mark, and other labels, stay."""
        issue = self._read(record)
        if issue is None:
            return Outcome(detail={"skipped": "the issue is gone"})
        wanted = dict(intent.payload["fields"])
        _, added = cut_at_mark(issue["description"] or "")
        labels = set(wanted.pop("labels"))
        fields = wanted | {"description": wanted["description"] + added}
        stale = [name for name in issue["labels"] if is_managed(name) and name not in labels]
        missing = sorted(labels - set(issue["labels"]))
        if missing:
            fields["add_labels"] = ",".join(missing)
        if stale:
            fields["remove_labels"] = ",".join(stale)
        project, iid = place_of(record)
        return self._outcome(intent, self.gitlab.update_issue(project, iid, fields))

    def _read(self, record: Record) -> Mapping[str, Any] | None:
        return self.gitlab.issue(*place_of(record))

    def _outcome(self, intent: Intent, issue: Mapping[str, Any]) -> Outcome:
        view = view_of_issue(issue)
        agreed = {name: intent.payload[name] for name in ("wanted", "wanted_for")}
        agreed["shown"] = view.shown
        # Not its version: people may have written on it since it was read.
        return Outcome(detail={"shown": view.shown}, view={"shown": view.shown}, agreed=agreed)


@dataclass(frozen=True)
class GitLabAssign:
    """The analyst on the issue."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Nothing to look for: assigning twice is assigning once."""
        del intent, record
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Assign; somebody without an account in GitLab is reported."""
        username = intent.payload["username"]
        agreed = {"ticket_assignee": username}
        user = self.gitlab.user(username) if username else None
        if username and user is None:
            return Outcome(detail={"skipped": f"GitLab knows no {username}"}, agreed=agreed)
        project, iid = place_of(record)
        fields = {"assignee_ids": [user["id"] if user else 0]}
        view = view_of_issue(self.gitlab.update_issue(project, iid, fields))
        seen = {"assignee": view.assignee}
        return Outcome(detail={"assignee": username}, view=seen, agreed=agreed | seen)


@dataclass(frozen=True)
class JiraAssign:
    """The assignee of the ticket."""

    jira: JiraPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Nothing to look for: assigning twice is assigning once."""
        del intent, record
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Assign; whom Jira does not let be assigned is reported."""
        username, analyst = intent.payload["username"], intent.payload["analyst"]
        agreed = {"assignee": analyst}
        try:
            self.jira.assign(record.ticket.key, username)
        except ForeignFault as fault:
            if fault.status not in REFUSED_FOR_GOOD:
                raise
            return Outcome(detail={"skipped": str(fault)}, agreed=agreed)
        return Outcome(
            detail={"assignee": username},
            ticket={"assignee": Person(username, username) if username else None},
            agreed=agreed | {"ticket_assignee": analyst},
        )
