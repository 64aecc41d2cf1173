"""The one place that talks to GitLab.

Wraps `python-gitlab`: every call has a time limit, a 429 is waited out as its answer says, and
nothing else is retried here (the client's own retries of failures repeat POSTs). Every failure
becomes a ForeignFault in our words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from requests_sync.jira_port import advice
from wardbook.errors import ForeignFault
from wardbook.settings import GitLabSettings

_TIMEOUT = 30.0
Payload = Mapping[str, Any]


class GitLabPort:
    """What the platform asks of GitLab."""

    def __init__(self, settings: GitLabSettings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> Any:
        import gitlab

        return gitlab.Gitlab(
            self._settings.url.rstrip("/"),
            private_token=self._settings.token.get_secret_value(),
            timeout=_TIMEOUT,
            retry_transient_errors=False,
            per_page=100,
        )

    @cached_property
    def account(self) -> str:
        """Our own username."""
        with _translated("sign in"):
            self._client.auth()
            return str(self._client.user.username)

    def _project(self, path: str) -> Any:
        # Lazy: naming a project costs no call.
        return self._client.projects.get(path, lazy=True)

    # --- issues ---------------------------------------------------------------------------

    def create_issue(self, project: str, fields: Payload) -> Payload:
        """Create an issue."""
        with _translated(f"create an issue in {project}"):
            return dict(self._project(project).issues.create(dict(fields)).attributes)

    def update_issue(self, project: str, iid: int, fields: Payload) -> None:
        """Change fields of an issue."""
        with _translated(f"change issue {iid} of {project}"):
            self._project(project).issues.update(iid, dict(fields))

    def issues(self, project: str, created_after: datetime | None) -> Iterator[Payload]:
        """Yield the issues that our account created, newest first; not from a search index."""
        query: dict[str, Any] = {"scope": "created_by_me", "state": "all"}
        if created_after is not None:
            query["created_after"] = created_after.isoformat()
        with _translated(f"list the issues of {project}"):
            for issue in self._project(project).issues.list(iterator=True, **query):
                yield issue.attributes

    def notes(self, project: str, kind: str, iid: int) -> Iterator[Payload]:
        """Yield the notes of an issue or merge request (`kind` says which), oldest first."""
        with _translated(f"read the notes of {project} {kind} {iid}"):
            parent = getattr(self._project(project), kind).get(iid, lazy=True)
            for note in parent.notes.list(iterator=True, sort="asc", order_by="created_at"):
                yield note.attributes

    def add_note(self, project: str, kind: str, iid: int, body: str) -> int:
        """Add a note to an issue or merge request; returns its id."""
        with _translated(f"write a note on {project} {kind} {iid}"):
            parent = getattr(self._project(project), kind).get(iid, lazy=True)
            return int(parent.notes.create({"body": body}).id)

    # --- repository -----------------------------------------------------------------------

    def branch_head(self, project: str, branch: str) -> str | None:
        """Return the commit at the head of a branch, or None where there is no such branch."""
        from gitlab.exceptions import GitlabGetError

        with _translated(f"read the branch {branch} of {project}"):
            try:
                return str(self._project(project).branches.get(branch).commit["id"])
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise

    def file(self, project: str, path: str, commit: str) -> bytes | None:
        """Return a file's bytes at a commit, or None where it is not there."""
        from gitlab.exceptions import GitlabGetError

        with _translated(f"read {path} of {project}"):
            try:
                return bytes(self._project(project).files.raw(file_path=path, ref=commit))
            except GitlabGetError as error:
                if error.response_code == 404:
                    return None
                raise

    def commit(
        self,
        project: str,
        *,
        branch: str,
        start_branch: str | None,
        message: str,
        actions: Sequence[Payload],
    ) -> str:
        """Commit files in one go, creating the branch from `start_branch`; returns the commit."""
        fields: dict[str, Any] = {
            "branch": branch,
            "commit_message": message,
            "actions": [dict(action) for action in actions],
        }
        if start_branch is not None:
            fields["start_branch"] = start_branch
        with _translated(f"commit to {branch} of {project}"):
            return str(self._project(project).commits.create(fields).id)

    def commit_authors(self, project: str, target: str, branch: str) -> tuple[str, ...]:
        """Return the names of those who wrote the commits of `branch` that `target` lacks."""
        with _translated(f"read the commits of {branch} of {project}"):
            comparison = self._project(project).repository_compare(target, branch)
        return tuple(sorted({str(commit["author_name"]) for commit in comparison["commits"]}))

    # --- merge requests -------------------------------------------------------------------

    def create_merge_request(self, project: str, fields: Payload) -> Payload:
        """Open a merge request."""
        with _translated(f"open a merge request in {project}"):
            return dict(self._project(project).mergerequests.create(dict(fields)).attributes)

    def merge_requests(self, project: str, **query: object) -> Iterator[Payload]:
        """Yield the merge requests that fit a query of GitLab's."""
        with _translated(f"list the merge requests of {project}"):
            for found in self._project(project).mergerequests.list(iterator=True, **query):
                yield found.attributes

    def merge_request(self, project: str, iid: int) -> Payload:
        """Return one merge request."""
        with _translated(f"read merge request {iid} of {project}"):
            return dict(self._project(project).mergerequests.get(iid).attributes)

    # --- people ---------------------------------------------------------------------------

    def user(self, username: str) -> Payload | None:
        """Return the account with exactly this username."""
        with _translated(f"look up the account {username}"):
            for user in self._client.users.list(username=username, iterator=True):
                if user.username == username:
                    return dict(user.attributes)
        return None

    def gpg_keys(self, username: str) -> list[str]:
        """Return the armoured public keys that this account published; none without account."""
        user = self.user(username)
        if user is None:
            return []
        with _translated(f"read the keys of {username}"):
            account = self._client.users.get(user["id"], lazy=True)
            return [str(key.key) for key in account.gpgkeys.list(iterator=True)]


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn the client's errors into ours. Never their text: it can hold bodies."""
    from gitlab.exceptions import GitlabError
    from requests import RequestException

    try:
        yield
    except GitlabError as error:
        status = error.response_code
        raise ForeignFault(
            f"GitLab did not let us {doing} (HTTP {status or 'without answer'}). {advice(status)}"
        ) from None
    except RequestException as error:
        raise ForeignFault(
            f"GitLab could not be reached to {doing} ({type(error).__name__}). "
            "It is tried again; check `gitlab.url` and the network if it stays so."
        ) from None
