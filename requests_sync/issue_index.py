"""Which issue belongs to which ticket, read from the marks in the issues themselves.

Asked when the ledger does not know: an attempt may have gone through, or the ledger was lost. The
first question lists all issues of ours; a later one lists those created since, and only where this
ledger has tried to create one: what a lost ledger left was there at the first question already.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from requests_sync.gitlab_port import GitLabPort, Payload
from requests_sync.issue_fields import view_of_issue
from requests_sync.marks import ticket_of_issue
from wardbook.domain.mirror import IssueView
from wardbook.domain.states import State

_OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True)
class FoundIssue:
    """An issue of ours, as it was listed."""

    iid: int
    url: str
    labels: tuple[str, ...]
    view: IssueView

    @property
    def closed_by_us(self) -> bool:
        """Whether it is closed as its request was over, not by somebody since."""
        over = {State.ANSWERED.label, State.CLOSED.label}
        return self.view.closed and not over.isdisjoint(self.labels)


class IssueIndex:
    """The issues of each project by the id of their ticket; the oldest counts where there are two.

    One for all threads of a process.
    """

    def __init__(self, gitlab: GitLabPort) -> None:
        self._gitlab = gitlab
        self._issues: dict[str, dict[str, FoundIssue]] = {}
        self._until: dict[str, str] = {}
        self._lock = threading.Lock()

    def find(self, project: str, ticket_id: str, *, tried: bool) -> FoundIssue | None:
        """Return the issue of a ticket, or None.

        Args:
            project: the service's project in GitLab.
            ticket_id: Jira's id of the ticket.
            tried: whether this ledger has tried to create it: then what was created up to this
                moment is looked through.

        Raises:
            ForeignFault: GitLab could not be read.
        """
        with self._lock:
            if tried or project not in self._issues:
                self._refresh(project)
            return self._issues[project].get(ticket_id)

    def of_project(self, project: str) -> Mapping[str, FoundIssue]:
        """Return all issues of a project, by the id of their ticket.

        Raises:
            ForeignFault: GitLab could not be read.
        """
        with self._lock:
            self._refresh(project)
            return self._issues[project]

    def _refresh(self, project: str) -> None:
        until = self._until.get(project)
        after = until and (datetime.fromisoformat(until) - _OVERLAP).isoformat()
        issues = dict(self._issues.get(project, {}))
        latest = until
        for issue in self._gitlab.issues_created(project, after):
            latest = latest or str(issue["created_at"])  # the first one is the latest
            latest = max(latest, str(issue["created_at"]), key=datetime.fromisoformat)
            ticket = ticket_of_issue(issue["description"] or "")
            if ticket is not None:
                kept = issues.get(ticket)
                if kept is None or kept.iid >= int(issue["iid"]):
                    issues[ticket] = _found(issue)
        self._issues[project] = issues
        if latest is not None:
            self._until[project] = latest


def _found(issue: Payload) -> FoundIssue:
    return FoundIssue(
        int(issue["iid"]), str(issue["web_url"]), tuple(issue["labels"]), view_of_issue(issue)
    )
