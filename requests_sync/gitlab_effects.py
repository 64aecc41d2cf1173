"""Effects of the request's way on GitLab: issue, branch, merge request, state, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from typing import Any

from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_fields import (
    labels_of,
    shown_digest,
    version_after_note,
    view_of_issue,
)
from requests_sync.issue_index import IssueIndex
from requests_sync.marks import effect_mark
from requests_sync.places import may_exist, project_of
from requests_sync.sight import Sight
from wardbook.domain.mirror import IssueView
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import ForeignFault


@dataclass(frozen=True)
class GitLabIssue:
    """The confidential issue of a request, created once."""

    gitlab: GitLabPort
    index: IssueIndex

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the request's mark in our own issues."""
        project = intent.payload["project"]
        found = self.index.find(project, record.ticket.id, tried=bool(intent.attempts))
        if found is None:
            return None
        # People may have written on it: without a version it is read before it is compared.
        view = replace(found.view, updated="")
        outcome = _issue_outcome(project, found.iid, found.url, view)
        return replace(outcome, agreed={"issue_closed": found.closed_by_us})

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Create it; an analyst without an account in GitLab leaves it unassigned."""
        del record
        project, fields = intent.payload["project"], dict(intent.payload["fields"])
        analyst = intent.payload["assignee"]
        user = self.gitlab.user(analyst) if analyst else None
        if user is not None:
            fields["assignee_ids"] = [user["id"]]
        issue = self.gitlab.create_issue(project, fields)
        view = view_of_issue(issue)
        outcome = _issue_outcome(project, issue["iid"], issue["web_url"], view)
        agreed = {
            "assignee": view.assignee,
            "ticket_assignee": analyst,
            "issue_closed": view.closed,
            "wanted": shown_digest(fields),
            "wanted_for": intent.payload["wanted_for"],
            "shown": view.shown,
        }
        # Whatever else we make for an accepted request comes after its issue.
        return Outcome(
            outcome.links, outcome.detail, view=outcome.view, agreed=agreed, is_first=True
        )


def _issue_outcome(project: str, iid: int, url: str, view: IssueView) -> Outcome:
    links = {"project": project, "issue": iid, "issue_url": url}
    return Outcome(links, {"iid": iid}, view=asdict(view), agreed={"issue_closed": view.closed})


@dataclass(frozen=True)
class GitLabBranch:
    """The request's branch with its notebook and parameters, in one commit."""

    gitlab: GitLabPort
    main: str

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the branch's head holds these files."""
        project, branch = project_of(record), intent.payload["branch"]
        head = self.gitlab.branch_head(project, branch)
        if head is None or self._actions(project, head, intent):
            return None
        return Outcome({"branch": branch, "head": head}, {"commit": head})

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Commit what is missing or differs; a notebook that is there stays the analyst's."""
        project, branch = project_of(record), intent.payload["branch"]
        # A request that was never tried has no branch: asking would cost a call for each.
        asked = may_exist(intent, record) or record.links.branch
        head = self.gitlab.branch_head(project, branch) if asked else None
        actions = self._actions(project, head, intent)
        commit = head
        if actions:
            commit = self.gitlab.commit(
                project,
                branch=branch,
                start_branch=self.main if head is None else None,
                message=intent.payload["message"],
                actions=actions,
            )
        return Outcome({"branch": branch, "head": commit}, {"commit": commit})

    def _actions(self, project: str, head: str | None, intent: Intent) -> list[dict[str, str]]:
        actions = []
        for path, text in intent.payload["files"].items():
            there = None if head is None else self.gitlab.file(project, path, head)
            if there is None or (there != text.encode() and path != intent.payload["notebook"]):
                action = "create" if there is None else "update"
                actions.append({"action": action, "file_path": path, "content": text})
        return actions


@dataclass(frozen=True)
class GitLabMergeRequest:
    """The merge request in which analysts and reviewers work."""

    gitlab: GitLabPort
    main: str

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for a merge request from the request's branch; one that was closed is an answer."""
        found = self.gitlab.merge_requests(
            project_of(record), source_branch=intent.payload["branch"], state="all", scope="all"
        )
        return next((_merge_request_outcome(request) for request in found), None)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Open it, unless the request has one: an analyst may have been first, at their bench."""
        if record.links.merge_request is not None:
            return Outcome()
        fields = {
            "source_branch": intent.payload["branch"],
            "target_branch": self.main,
            "title": intent.payload["title"],
            "description": intent.payload["description"],
        }
        try:
            opened = self.gitlab.create_merge_request(project_of(record), fields)
        except ForeignFault as fault:
            theirs = self.find(intent, record) if fault.status == HTTPStatus.CONFLICT else None
            if theirs is None:
                raise
            return theirs
        return _merge_request_outcome(opened)


def _merge_request_outcome(found: Mapping[str, Any]) -> Outcome:
    links = {"merge_request": found["iid"], "merge_request_url": found["web_url"]}
    return Outcome(links, {"iid": found["iid"]})


@dataclass(frozen=True)
class GitLabState:
    """The state label of the issue, and whether it is open: always that of the request now."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the issue shows it."""
        if record.links.issue is None:
            return None
        issue = self.gitlab.issue(project_of(record), record.links.issue)
        if issue is None or not set(_state_labels(record)) <= set(issue["labels"]):
            return None
        view, closed = view_of_issue(issue), intent.payload.get("closed")
        return _state_outcome(record, view) if closed in {None, view.closed} else None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Show the request's present state, not the one of the intent's time."""
        iid = record.links.issue
        if iid is None:
            return Outcome(detail={"skipped": "the request has no issue"})
        fields: dict[str, Any] = {"add_labels": ",".join(_state_labels(record))}
        closed = intent.payload.get("closed")
        if closed is not None:
            fields["state_event"] = "close" if closed else "reopen"
        issue = self.gitlab.update_issue(project_of(record), iid, fields)
        return _state_outcome(record, view_of_issue(issue))


def _state_labels(record: Record) -> list[str]:
    """Return the state's label; with the ticket's resolution, so that it needs no own write."""
    known = [name for name in labels_of(record.ticket) if name.startswith("resolution::")]
    return [record.state.label, *known]


def _state_outcome(record: Record, view: IssueView) -> Outcome:
    # Not its version: people may have written on it since it was read.
    return Outcome(
        detail={"label": record.state.label},
        view={"closed": view.closed, "shown": view.shown},
        agreed={"issue_closed": view.closed},
    )


@dataclass(frozen=True)
class GitLabNote:
    """A note on the request's issue or merge request."""

    gitlab: GitLabPort
    sight: Sight

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the effect's mark in the notes that our account wrote."""
        kind, iid = _noteable(intent, record)
        if iid is None:
            return None
        note = self.sight.note(project_of(record), kind, iid, effect_mark(intent))
        return Outcome(detail={"note": note["id"]}) if note else None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write the note with its mark."""
        kind, iid = _noteable(intent, record)
        if iid is None:
            return Outcome(detail={"skipped": f"the request has no {kind}"})
        body = f"{intent.payload['text']}\n\n{effect_mark(intent)}"
        note = self.gitlab.add_note(project_of(record), kind, iid, body)
        if kind != "issues":
            return Outcome(detail={"note": note})
        view = {"updated": version_after_note(record.view.updated, 1)}
        return Outcome(detail={"note": note}, view=view)


def _noteable(intent: Intent, record: Record) -> tuple[str, int | None]:
    if intent.payload["on"] == "merge_request":
        return "mergerequests", record.links.merge_request
    return "issues", record.links.issue
