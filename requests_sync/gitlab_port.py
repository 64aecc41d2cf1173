"""The one place that talks to GitLab.

Wraps `python-gitlab`: every call has a time limit, a 429 is waited out as its answer says, and
nothing else is retried here (the client's own retries of failures repeat POSTs). Every failure
becomes a ForeignFault in our words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any
from urllib.parse import quote

from requests_sync.jira_port import advice, settle_environment, suppress_missing
from wardbook.errors import ForeignFault
from wardbook.settings import GitLabSettings

_TIMEOUT = 30.0
Payload = Mapping[str, Any]


class GitLabPort:
    """What the platform asks of GitLab."""

    def __init__(self, settings: GitLabSettings) -> None:
        self._settings = settings
        self._projects: dict[str, Any] = {}

    @cached_property
    def _client(self) -> Any:
        import gitlab

        client = gitlab.Gitlab(
            self._settings.url.rstrip("/"),
            private_token=self._settings.token.get_secret_value(),
            timeout=_TIMEOUT,
            retry_transient_errors=False,
            per_page=100,
        )
        settle_environment(client.session, self._settings.url)
        return client

    @cached_property
    def own_user(self) -> Payload:
        """Our own account: `username`, `name`, `email`, `commit_email` where GitLab tells it."""
        with _translated("sign in"):
            self._client.auth()
            return dict(self._client.user.attributes)

    @property
    def account(self) -> str:
        """Our own username."""
        return str(self.own_user["username"])

    def _project(self, path: str) -> Any:
        if path not in self._projects:  # lazy: naming a project costs no call
            self._projects[path] = self._client.projects.get(path, lazy=True)
        return self._projects[path]

    # --- issues ---------------------------------------------------------------------------

    def create_issue(self, project: str, fields: Payload) -> Payload:
        """Create an issue."""
        with _translated(f"create an issue in {project}"):
            return dict(self._project(project).issues.create(dict(fields)).attributes)

    def update_issue(self, project: str, iid: int, fields: Payload) -> Payload:
        """Change fields of an issue; returns it as it is then."""
        with _translated(f"change issue {iid} of {project}"):
            return dict(self._project(project).issues.update(iid, dict(fields)))

    def issue(self, project: str, iid: int) -> Payload | None:
        """Return one issue, or None where it is no longer there."""
        try:
            with _translated(f"read issue {iid} of {project}"):
                return dict(self._project(project).issues.get(iid).attributes)
        except ForeignFault as fault:
            if fault.status == 404:
                return None
            raise

    def issues_created(self, project: str, after: str | None) -> Iterator[Payload]:
        """Yield the issues that our account created, latest first; not from a search index."""
        query = {"scope": "created_by_me", "order_by": "created_at"}
        yield from self._issues(project, query | ({"created_after": after} if after else {}))

    def issues_changed(self, project: str, after: str | None) -> Iterator[Payload]:
        """Yield the issues that our account created and that changed, latest change first."""
        query = {"scope": "created_by_me", "order_by": "updated_at"}
        yield from self._issues(project, query | ({"updated_after": after} if after else {}))

    def _issues(self, project: str, query: Mapping[str, str]) -> Iterator[Payload]:
        # Latest first: what changes between two pages then comes twice, and nothing is missed.
        with _translated(f"list the issues of {project}"):
            for issue in self._project(project).issues.list(
                iterator=True, state="all", sort="desc", **query
            ):
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

    def edit_note(self, project: str, iid: int, note: int, body: str) -> None:
        """Replace the text of a note of ours on an issue."""
        with _translated(f"change note {note} of {project} issue {iid}"):
            issue = self._project(project).issues.get(iid, lazy=True)
            issue.notes.update(note, {"body": body})

    def delete_note(self, project: str, iid: int, note: int) -> None:
        """Delete a note of ours on an issue; one that is gone already is no error."""
        with suppress_missing(), _translated(f"delete note {note} of {project} issue {iid}"):
            self._project(project).issues.get(iid, lazy=True).notes.delete(note)

    def upload(self, project: str, name: str, file: IO[bytes]) -> Payload:
        """Upload a file for use in texts, streamed; returns its `markdown` and addresses."""
        # Not the client's own way: it puts a project's path into the address as it stands.
        path = f"/projects/{quote(project, safe='')}/uploads"
        with _translated(f"upload {name} to {project}"):
            return dict(self._client.http_post(path, files={"file": (name, file)}))

    def uploads(self, project: str) -> Iterator[Payload]:
        """Yield what was uploaded to a project, latest first; needs maintainer rights."""
        path = f"/projects/{quote(project, safe='')}/uploads"
        with _translated(f"list the uploads of {project}"):
            yield from self._client.http_list(path, iterator=True)

    def delete_upload(self, project: str, upload: int) -> None:
        """Delete an uploaded file; needs maintainer rights."""
        path = f"/projects/{quote(project, safe='')}/uploads/{upload}"
        with suppress_missing(), _translated(f"delete upload {upload} of {project}"):
            self._client.http_delete(path)

    def link_issues(self, project: str, iid: int, other_project: str, other: int) -> int:
        """Link two issues, unless they are; returns the link's id."""
        from gitlab.exceptions import GitlabCreateError

        target = {"target_project_id": other_project, "target_issue_iid": other}
        with _translated(f"link issue {iid} of {project}"):
            try:
                self._project(project).issues.get(iid, lazy=True).links.create(target)
            except GitlabCreateError as error:
                if error.response_code != 409:
                    raise
        return dict(self.links(project, iid)).get(f"{other_project}#{other}", 0)

    def links(self, project: str, iid: int) -> Iterator[tuple[str, int]]:
        """Yield the issues linked to an issue, by full reference, with each link's id."""
        with _translated(f"read the links of issue {iid} of {project}"):
            issue = self._project(project).issues.get(iid, lazy=True)
            for link in issue.links.list(iterator=True):
                yield str(link.references["full"]), int(link.issue_link_id)

    def unlink_issues(self, project: str, iid: int, link: int) -> None:
        """Remove a link between issues; one that is gone already is no error."""
        with suppress_missing(), _translated(f"unlink issue {iid} of {project}"):
            self._project(project).issues.get(iid, lazy=True).links.delete(link)

    # --- repository -----------------------------------------------------------------------

    def clone_address(self, project: str) -> str:
        """Return where git clones a project from, without any token."""
        return f"{self._settings.url.rstrip('/')}/{quote(project)}.git"

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

    def branch_commits(self, project: str, target: str, branch: str) -> list[Payload]:
        """Return the commits of `branch` that `target` lacks."""
        with _translated(f"read the commits of {branch} of {project}"):
            return list(self._project(project).repository_compare(target, branch)["commits"])

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

    def reopen_merge_request(self, project: str, iid: int) -> Payload:
        """Open a closed merge request again: it follows its branch from then on."""
        with _translated(f"reopen merge request {iid} of {project}"):
            change = {"state_event": "reopen"}
            return dict(self._project(project).mergerequests.update(iid, change))

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
            f"GitLab did not let us {doing} (HTTP {status or 'without answer'}). {advice(status)}",
            status,
        ) from None
    except RequestException as error:
        raise ForeignFault(
            f"GitLab could not be reached to {doing} ({type(error).__name__}). "
            "It is tried again; check `gitlab.url` and the network if it stays so."
        ) from None
