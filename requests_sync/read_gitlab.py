"""Reading GitLab: issues and merge requests that people may have touched go into the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_fields import version_of_issue, view_of_issue
from requests_sync.jira_port import Payload
from requests_sync.opinions import read_opinions
from requests_sync.read import CLOCK_SKEW, in_pages
from wardbook.domain.mirror import Remark, Side, Thread, digest_of
from wardbook.domain.record import Record, Review
from wardbook.domain.states import State
from wardbook.ledger import Ledger
from wardbook.settings import Settings

_UNDER_REVIEW = frozenset({State.RUNNING, State.FAILED, State.HELD, State.REJECTED, State.REOPENED})
QUIET = timedelta(seconds=90)
"""After this long an issue's stamp is old enough for the next note to move it (a minute)."""


def read_issues(ledger: Ledger, gitlab: GitLabPort, settings: Settings, now: datetime) -> None:
    """Take every issue of ours that changed since the last reading into the ledger.

    One list for each GitLab project; an issue costs a call of its own only when people may have
    written on it. What counts is GitLab's own clock, with an overlap.

    Raises:
        ForeignFault: GitLab could not be read; the watermark of that project stays.
    """
    for project in settings.projects:
        mark = f"gitlab.read_until:{project}"
        before = ledger.mark(mark)
        since = before and (datetime.fromisoformat(before) - CLOCK_SKEW).isoformat()
        latest = before
        for page in in_pages(gitlab.issues_changed(project, since)):
            latest = latest or str(page[0]["updated_at"])
            latest = max(latest, str(page[0]["updated_at"]), key=datetime.fromisoformat)
            known = ledger.keys_of_issues(project, [int(issue["iid"]) for issue in page])
            for issue in page:
                key, version = known.get(int(issue["iid"]), (None, ""))
                if key is not None and version != version_of_issue(issue):
                    take_issue(ledger, gitlab, key, issue, now + QUIET)
        if latest and latest != before:
            ledger.set_mark(mark, latest)
    for key in ledger.to_look_at(now):
        record = ledger.record(key)
        if record is None or record.links.project is None or record.links.issue is None:
            continue
        again = gitlab.issue(record.links.project, record.links.issue)
        if again is not None:
            take_issue(ledger, gitlab, key, again, None)


def take_issue(
    ledger: Ledger, gitlab: GitLabPort, key: str, issue: Payload, look_at: datetime | None
) -> None:
    """Take one issue, as just read, into the ledger, with what people wrote on it.

    Args:
        ledger: written to.
        gitlab: read from.
        key: the request's.
        issue: the payload.
        look_at: when it is read once more, if people wrote on it: an edit within a minute of the
            issue's last stamp leaves no trace in it.
    """
    project = str(issue["references"]["full"]).rpartition("#")[0]
    if not issue["user_notes_count"] and not ledger.thread(key, Side.GITLAB).remarks:
        ledger.take_view(key, view_of_issue(issue), None, None)
        return
    thread = thread_of_notes(gitlab, project, int(issue["iid"]))
    view = replace(view_of_issue(issue), said=digest_of(asdict(thread)))
    ledger.take_view(key, view, thread, look_at if thread.remarks else None)


def thread_of_notes(gitlab: GitLabPort, project: str, iid: int) -> Thread:
    """Read what people wrote on an issue: neither the system, nor we, nor internally."""
    return Thread(
        tuple(
            Remark(
                str(note["id"]),
                str(note["author"]["name"]),
                str(note["created_at"]),
                str(note["body"]),
            )
            for note in gitlab.notes(project, "issues", iid)
            if not note["system"]
            and not note.get("internal")
            and not note.get("confidential")
            and note["author"]["username"] != gitlab.account
        )
    )


def read_reviews(ledger: Ledger, gitlab: GitLabPort, now: datetime) -> None:
    """Take every merge request that a person may have touched into the ledger.

    One list per GitLab project in which a request waits for a person; only merge requests that
    changed since they were last read cost calls of their own, and once more a little later, since
    what follows within a minute may leave no trace in a merge request's stamp. They are asked for
    by their numbers: by a date, one approved before this ledger began would never be seen.

    Raises:
        ForeignFault: GitLab could not be read.
    """
    waiting: dict[str, dict[int, Record]] = {}
    for record in ledger.records(_UNDER_REVIEW):
        links = record.links
        if links.project and links.merge_request:
            waiting.setdefault(links.project, {})[links.merge_request] = record
    for project, by_iid in waiting.items():
        for found in gitlab.merge_requests(project, state="all", scope="all", iids=list(by_iid)):
            seen = by_iid.get(int(found["iid"]))
            if seen is None:
                continue
            changed = seen.review.updated != found["updated_at"]
            if changed or (seen.review.again and now >= datetime.fromisoformat(seen.review.again)):
                review = _review(gitlab, project, seen, found)
                again = (now + QUIET).isoformat() if changed else ""
                ledger.take_review(seen.key, replace(review, again=again), now)


def _review(gitlab: GitLabPort, project: str, record: Record, found: Mapping[str, Any]) -> Review:
    """Read one merge request: its head, whose work it is, and what people said of the evidence."""
    said = read_opinions(
        gitlab.notes(project, "mergerequests", int(found["iid"])), record, gitlab.account
    )
    commits = gitlab.branch_commits(
        project, str(found["target_branch"]), str(found["source_branch"])
    )
    written = {str(commit[f"{who}_name"]) for commit in commits for who in ("author", "committer")}
    addresses = {
        str(commit[f"{who}_email"]) for commit in commits for who in ("author", "committer")
    }
    return Review(
        updated=str(found["updated_at"]),
        head=str(found["sha"]),
        state=str(found["state"]),
        approvals=tuple(said.approvals.values()),
        authors=tuple(sorted(written)),
        hands=tuple(sorted(addresses | said.pushed)),
        refusals=tuple(said.refusals),
        closed_by=said.closed_by,
    )
