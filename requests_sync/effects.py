"""Effects of the request's way on Jira and GitLab, each with the way to look whether it exists.

`find` looks at the outside world directly, by a mark that we left, and never in a search index; it
is asked whenever an earlier attempt may have gone through. `do` makes the effect. A text that an
effect writes is composed beforehand and stands in the intent, so that a second attempt writes the
same. The copies between both sides are in `copies.py`.
"""

from __future__ import annotations

from typing import Protocol

from requests_sync.copies import copy_effects
from requests_sync.gitlab_effects import (
    GitLabBranch,
    GitLabIssue,
    GitLabMergeRequest,
    GitLabNote,
    GitLabState,
)
from requests_sync.gitlab_port import GitLabPort
from requests_sync.issue_index import IssueIndex
from requests_sync.jira_effects import JiraComment, JiraLink, JiraTransition
from requests_sync.jira_port import JiraPort
from requests_sync.sight import Sight
from wardbook.domain.record import Intent, Outcome, Record
from wardbook.messages import Language


class Effect(Protocol):
    """One kind of effect. Both methods raise ForeignFault when a server fails."""

    def find(self, intent: Intent, record: Record) -> Outcome | None:
        """Return the outcome when the effect exists already, else None."""

    def do(self, intent: Intent, record: Record) -> Outcome:
        """Make the effect exist."""


def tracker_effects(
    jira: JiraPort, gitlab: GitLabPort, index: IssueIndex, main: str, language: Language
) -> dict[str, Effect]:
    """Return the effects on both trackers for one request, by the kind that intents name."""
    sight = Sight(jira, gitlab)
    return {
        "gitlab.issue": GitLabIssue(gitlab, index),
        "gitlab.branch": GitLabBranch(gitlab, main),
        "gitlab.merge_request": GitLabMergeRequest(gitlab, main),
        "gitlab.state": GitLabState(gitlab),
        "gitlab.note": GitLabNote(gitlab, sight),
        "jira.comment": JiraComment(jira, sight),
        "jira.link": JiraLink(jira),
        "jira.transition": JiraTransition(jira),
        **copy_effects(jira, gitlab, sight, language),
    }
