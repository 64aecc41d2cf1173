"""Effects on Jira and GitLab, each with the way to look whether it exists already.

`find` looks at the outside world directly, by a mark that we left, and never in a search index; it
is asked whenever an earlier attempt may have gone through. `do` makes the effect. A text that an
effect writes is composed beforehand and stands in the intent, so that a second attempt writes the
same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from requests_sync.gitlab_port import GitLabPort
from requests_sync.jira_port import JiraPort, person_id
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.errors import ForeignFault

_NOTHING: Mapping[str, Any] = {}


class Effect(Protocol):
    """One kind of effect. Both methods raise ForeignFault when a server fails."""

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Return the outcome when the effect exists already, else None."""

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Make the effect exist."""


def marker(intent: Intent) -> str:
    """Return the hidden mark that an effect leaves in GitLab's Markdown."""
    return f"<!-- wardbook:{intent.key} -->"


def wiki_marker(intent: Intent) -> str:
    """Return the mark that an effect leaves in Jira's wiki markup: an invisible anchor."""
    return "{anchor:wardbook-" + re.sub("[/~:]", "-", intent.key) + "}"


def holds_mark(text: str, mark: str) -> bool:
    """Tell whether a text that we wrote has this mark on a line of its own.

    Only we write whole lines: foreign text inside ours is quoted, so that a requester who types
    another request's mark is not taken for it.
    """
    return mark in (line.strip() for line in text.splitlines())


@dataclass(frozen=True)
class GitLabIssue:
    """The confidential issue of a request: created once, then brought up to date."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look through our own issues for the request's mark."""
        if record.links.issue is not None:
            return None
        project = intent.payload["project"]
        for issue in self.gitlab.issues(project, None):
            if holds_mark(issue["description"] or "", intent.payload["mark"]):
                return _issue_outcome(project, issue)
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Create the issue, or change its title and description when the ticket was edited."""
        project = intent.payload["project"]
        texts = {name: intent.payload[name] for name in ("title", "description")}
        if record.links.issue is not None:
            self.gitlab.update_issue(project, record.links.issue, texts)
            return Outcome(_NOTHING, _NOTHING)
        fields = texts | {"confidential": True, "labels": intent.payload["labels"]}
        return _issue_outcome(project, self.gitlab.create_issue(project, fields))


def _issue_outcome(project: str, issue: Mapping[str, Any]) -> Outcome:
    links = {"project": project, "issue": issue["iid"], "issue_url": issue["web_url"]}
    return Outcome(links, {"iid": issue["iid"]})


@dataclass(frozen=True)
class GitLabBranch:
    """The request's branch with its notebook and parameters, in one commit."""

    gitlab: GitLabPort
    main: str

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the branch's head holds these files."""
        project, branch = _project(record), intent.payload["branch"]
        head = self.gitlab.branch_head(project, branch)
        if head is None or self._actions(project, head, intent):
            return None
        return Outcome({"branch": branch, "head": head}, {"commit": head})

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Commit what is missing or differs; a notebook that is there stays the analyst's."""
        project, branch = _project(record), intent.payload["branch"]
        head = self.gitlab.branch_head(project, branch)
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
            _project(record), source_branch=intent.payload["branch"], state="all", scope="all"
        )
        return next((_merge_request_outcome(request) for request in found), None)

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Open it, unless the request has one."""
        if record.links.merge_request is not None:
            return Outcome(_NOTHING, _NOTHING)
        fields = {
            "source_branch": intent.payload["branch"],
            "target_branch": self.main,
            "title": intent.payload["title"],
            "description": intent.payload["description"],
        }
        return _merge_request_outcome(self.gitlab.create_merge_request(_project(record), fields))


def _merge_request_outcome(found: Mapping[str, Any]) -> Outcome:
    links = {"merge_request": found["iid"], "merge_request_url": found["web_url"]}
    return Outcome(links, {"iid": found["iid"]})


@dataclass(frozen=True)
class GitLabState:
    """The state label of the issue, and whether it is open: always that of the request now."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Nothing to look for: setting the same label twice is setting it once."""
        del intent, record
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Show the request's present state, not the one of the intent's time."""
        issue = record.links.issue
        if issue is None:
            return Outcome(_NOTHING, {"skipped": "the request has no issue"})
        fields: dict[str, Any] = {"add_labels": record.state.label}
        closed = intent.payload.get("closed")
        if closed is not None:
            fields["state_event"] = "close" if closed else "reopen"
        self.gitlab.update_issue(_project(record), issue, fields)
        return Outcome(_NOTHING, {"label": record.state.label})


@dataclass(frozen=True)
class GitLabNote:
    """A note on the request's issue or merge request."""

    gitlab: GitLabPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the effect's mark in the notes that our account wrote."""
        kind, iid = _noteable(intent, record)
        if iid is None:
            return None
        for note in self.gitlab.notes(_project(record), kind, iid):
            ours = note["author"]["username"] == self.gitlab.account
            if ours and holds_mark(note["body"], marker(intent)):
                return Outcome(_NOTHING, {"note": note["id"]})
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write the note with its mark."""
        kind, iid = _noteable(intent, record)
        if iid is None:
            return Outcome(_NOTHING, {"skipped": f"the request has no {kind}"})
        body = f"{intent.payload['text']}\n\n{marker(intent)}"
        return Outcome(_NOTHING, {"note": self.gitlab.add_note(_project(record), kind, iid, body)})


def _noteable(intent: Intent, record: Record) -> tuple[str, int | None]:
    if intent.payload["on"] == "merge_request":
        return "mergerequests", record.links.merge_request
    return "issues", record.links.issue


@dataclass(frozen=True)
class JiraComment:
    """A comment on the ticket."""

    jira: JiraPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for the effect's mark in the comments that our account wrote."""
        for comment in self.jira.comments(record.key):
            ours = person_id(comment["author"]) == self.jira.account
            if ours and holds_mark(comment["body"], wiki_marker(intent)):
                return Outcome(_NOTHING, {"comment": comment["id"]})
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Write the comment with its mark."""
        text = f"{intent.payload['text']}\n{wiki_marker(intent)}"
        return Outcome(_NOTHING, {"comment": self.jira.add_comment(record.key, text)})


@dataclass(frozen=True)
class JiraLink:
    """A remote link on the ticket; Jira itself keeps one for each global id."""

    jira: JiraPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look for a link with this global id and address."""
        for link in self.jira.remote_links(record.key):
            same = link.get("globalId") == _identity(intent, record)
            if same and link["object"]["url"] == _link_url(intent, record):
                return Outcome(_NOTHING, _NOTHING)
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Create the link or bring it up to date."""
        self.jira.put_remote_link(
            record.key,
            _identity(intent, record),
            _link_url(intent, record),
            intent.payload["title"],
        )
        return Outcome(_NOTHING, _NOTHING)


def _identity(intent: Intent, record: Record) -> str:
    return f"system=wardbook&id={record.key}/{intent.payload['what']}"


def _link_url(intent: Intent, record: Record) -> str:
    if intent.payload["what"] == "issue":
        return str(record.links.issue_url)
    return str(intent.payload["url"])


@dataclass(frozen=True)
class JiraTransition:
    """The ticket's status, led through the workflow's own transitions."""

    jira: JiraPort

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Look whether the ticket has the status."""
        if self.jira.status(record.key) == intent.payload["status"]:
            return Outcome(_NOTHING, {"status": intent.payload["status"]})
        return None

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Make the transition that leads there; one that is not offered is reported, not forced."""
        wanted = intent.payload["status"]
        if self.jira.status(record.key) == wanted:
            return Outcome(_NOTHING, {"status": wanted})
        for offered in self.jira.transitions(record.key):
            if offered["to"]["name"] == wanted:
                return self._make(record, offered, intent)
        return Outcome(_NOTHING, {"skipped": f"the workflow offers no transition to {wanted}"})

    def _make(self, record: Record, offered: Mapping[str, Any], intent: Intent) -> Outcome:
        screen: Mapping[str, Any] = offered.get("fields") or {}
        fields = {}
        if "resolution" in screen:
            fields["resolution"] = {"name": intent.payload["resolution"]}
        unknown = [n for n, f in screen.items() if f.get("required") and n not in fields]
        if unknown:
            return Outcome(_NOTHING, {"skipped": f"the transition's screen wants {unknown}"})
        self.jira.transition(record.key, offered["id"], fields)
        return Outcome(_NOTHING, {"status": intent.payload["status"]})


def _project(record: Record) -> str:
    if record.links.project is None:
        raise ForeignFault(f"{record.key} has no GitLab project yet; it is tried again.")
    return record.links.project


def tracker_effects(jira: JiraPort, gitlab: GitLabPort, main: str) -> dict[str, Effect]:
    """Return the effects on both trackers, by the kind that intents name."""
    return {
        "gitlab.issue": GitLabIssue(gitlab),
        "gitlab.branch": GitLabBranch(gitlab, main),
        "gitlab.merge_request": GitLabMergeRequest(gitlab, main),
        "gitlab.state": GitLabState(gitlab),
        "gitlab.note": GitLabNote(gitlab),
        "jira.comment": JiraComment(jira),
        "jira.link": JiraLink(jira),
        "jira.transition": JiraTransition(jira),
    }
