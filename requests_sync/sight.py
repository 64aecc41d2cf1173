"""What our account wrote on one request, read once however often it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from requests_sync.gitlab_port import GitLabPort
from requests_sync.jira_port import JiraPort, person_id
from requests_sync.marks import holds_mark

Payload = dict[str, Any]


class Sight:
    """Our notes and comments, for as long as one worker holds the request.

    Nobody else writes in our name meanwhile, so what was read stays true; what this worker writes
    is not looked for again.
    """

    def __init__(self, jira: JiraPort, gitlab: GitLabPort) -> None:
        self._jira = jira
        self._gitlab = gitlab
        self._notes: dict[tuple[str, str, int], list[Payload]] = {}
        self._comments: dict[str, list[Payload]] = {}

    def note(self, project: str, kind: str, iid: int, mark: str) -> Payload | None:
        """Return our note with this mark; the oldest where there are several."""
        return next(self.notes(project, kind, iid, mark), None)

    def notes(self, project: str, kind: str, iid: int, mark: str) -> Iterator[Payload]:
        """Yield our notes with this mark, oldest first."""
        place = (project, kind, iid)
        if place not in self._notes:
            self._notes[place] = [
                {"id": int(note["id"]), "body": str(note["body"])}
                for note in self._gitlab.notes(project, kind, iid)
                if note["author"]["username"] == self._gitlab.account
            ]
        yield from (note for note in self._notes[place] if holds_mark(note["body"], mark))

    def comment(self, key: str, mark: str) -> Payload | None:
        """Return our comment with this mark; the oldest where there are several."""
        return next(self.comments(key, mark), None)

    def comments(self, key: str, mark: str) -> Iterator[Payload]:
        """Yield our comments with this mark, oldest first."""
        if key not in self._comments:
            self._comments[key] = [
                {"id": str(comment["id"]), "body": str(comment["body"])}
                for comment in self._jira.comments(key)
                if person_id(comment.get("author") or {}) == self._jira.account
            ]
        yield from (one for one in self._comments[key] if holds_mark(one["body"], mark))
