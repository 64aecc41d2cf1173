"""Turns a commit's actions into changes of paths, checks them, and commits."""

from __future__ import annotations

import base64
import binascii

from wardbook.sandbox.gitlab.access import asker, require_push
from wardbook.sandbox.gitlab.git import (
    Change,
    Commit,
    GitError,
    Person,
    Repository,
    is_branch_name,
    is_file_path,
)
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter
from wardbook.sandbox.house import instant, now, records
from wardbook.sandbox.store import Body

ACTIONS = ("create", "update", "delete", "move", "chmod")


def commit_actions(project: Body, store: Repository, given: Body, actions: list[Body]) -> Commit:
    """Commit the actions on the branch that `given` names.

    Raises:
        Refused: 400, a wrong branch, path or action; 403, a protected branch.
    """
    branch = str(given["branch"])
    if not is_branch_name(branch):
        raise Refused(400, "You can only create or edit files when you are on a branch")
    require_push(project, branch)
    parent = find_parent(store, branch, given)
    changes: list[Change] = []
    for action in actions:
        changes += read_action(store, parent, action)
    if not changes and not given.get("allow_empty"):
        raise Refused(400, "Provide actions to commit.")
    person = Person(
        str(given.get("author_name") or asker()["name"]),
        str(given.get("author_email") or asker()["email"]),
    )
    try:
        sha = store.write(
            branch, parent, changes, str(given["commit_message"]), person, int(now().timestamp())
        )
    except GitError as error:
        raise Refused(400, f"The commit could not be made: {error}") from None
    project["last_activity_at"] = instant()
    records().save("gitlab.project", project)
    return store.commit(sha)


def find_parent(store: Repository, branch: str, given: Body) -> str:
    """Return the commit on which the new one stands: the branch, else `start_branch` or `_sha`.

    Raises:
        Refused: 400, there is none, or a branch is to be started that exists.
    """
    present = store.branch(branch)
    start = given.get("start_branch") or given.get("start_sha")
    if start is None or (present and start == branch):
        if present is None:
            raise Refused(400, "You can only create or edit files when you are on a branch")
        return present
    if present and not given.get("force"):
        raise Refused(400, f"A branch called '{branch}' already exists. Switch to that branch in "
                           "order to make changes")  # fmt: skip
    parent = store.resolve(str(start))
    if parent is None:
        raise Refused(400, f"Cannot find start_branch '{start}'")
    return parent


def read_action(store: Repository, parent: str, action: Body) -> list[Change]:
    """Return what one action changes.

    Raises:
        Refused: 400, malformed, or the file is or is not there.
    """
    kind, path = action.get("action"), str(action.get("file_path") or "")
    if kind not in ACTIONS:
        raise bad_parameter("actions[0][action] does not have a valid value")
    if not is_file_path(path):
        raise Refused(400, f"Invalid path: {path}" if path else "You must provide a file path")
    present = store.entry(parent, path)
    if kind == "create":
        if present:
            raise Refused(400, "A file with this name already exists")
        return [Change(path, content_of(action), mode_of(action))]
    if kind == "move":
        return read_move(store, parent, action, path)
    if present is None:
        raise Refused(400, "A file with this name doesn't exist")
    check_last_commit(store, parent, path, action)
    if kind == "delete":
        return [Change(path, None)]
    if kind == "chmod":
        return [Change(path, store.blob(present.sha), mode_of(action))]
    return [Change(path, content_of(action), present.mode)]


def read_move(store: Repository, parent: str, action: Body, path: str) -> list[Change]:
    """Return the two changes of a move; without content the file keeps its own."""
    origin = str(action.get("previous_path") or "")
    source = store.entry(parent, origin) if is_file_path(origin) else None
    if source is None:
        raise Refused(400, "A file with this name doesn't exist")
    if store.entry(parent, path):
        raise Refused(400, "A file with this name already exists")
    content = store.blob(source.sha) if action.get("content") is None else content_of(action)
    return [Change(origin, None), Change(path, content, source.mode)]


def content_of(action: Body) -> bytes:
    """Return a file's content, text or base64.

    Raises:
        Refused: 400, not base64.
    """
    content = action.get("content")
    if content is None:
        content = ""
    if action.get("encoding") != "base64":
        return str(content).encode()
    try:
        return base64.b64decode(str(content), validate=False)
    except binascii.Error:
        raise Refused(400, "The content is not valid base64") from None


def mode_of(action: Body) -> str:
    """Return the mode of a new file."""
    return "100755" if action.get("execute_filemode") else "100644"


def check_last_commit(store: Repository, parent: str, path: str, action: Body) -> None:
    """Refuse a change that was made on an older content than the branch has."""
    wanted = action.get("last_commit_id")
    if not wanted:
        return
    if store.log(parent, path=path, limit=1)[0].sha != wanted:
        raise Refused(
            400,
            "You are attempting to update a file that has changed since you started editing it.",
        )
