"""Merges: who may, and the commits that come of it."""

from __future__ import annotations

from wardbook.sandbox.gitlab.access import asker, may_push, repository
from wardbook.sandbox.gitlab.approving import standing
from wardbook.sandbox.gitlab.code_beans import diff_refs, is_draft
from wardbook.sandbox.gitlab.git import GitError, Person
from wardbook.sandbox.gitlab.noting import add_system_note
from wardbook.sandbox.gitlab.refusals import Refused, unauthorized
from wardbook.sandbox.house import instant, now, records
from wardbook.sandbox.store import Body


def may_merge(project: Body, request_: Body) -> bool:
    """Tell whether the asking account may merge this now."""
    try:
        check_mergeable(project, request_, None)
    except Refused:
        return False
    return True


def check_mergeable(project: Body, request_: Body, sha: str | None) -> None:
    """Refuse a merge.

    Raises:
        Refused: 401, no right; 405, not open, draft or not approved; 409, the head is not
            `sha`; 422, it conflicts.
    """
    if not may_push(project, request_["target_branch"]):
        raise unauthorized()
    if request_["state"] != "opened" or is_draft(request_["title"]):
        raise Refused(405, "405 Method Not Allowed")
    if len(standing(project, request_)) < project["approvals_required"]:
        raise Refused(405, "405 Method Not Allowed")
    store = repository(project)
    refs = diff_refs(request_, store)
    if sha and sha != refs["head_sha"]:
        raise Refused(409, f"SHA does not match HEAD of source branch: {refs['head_sha']}")
    if not refs["head_sha"] or not refs["target_sha"]:
        raise Refused(405, "405 Method Not Allowed")
    if store.conflicts(refs["target_sha"], refs["head_sha"]):
        raise Refused(422, "Branch cannot be merged")


def merge(
    project: Body, request_: Body, *, squash: bool, remove_source: bool, message: str | None
) -> None:
    """Merge a mergeable request: commit, then move the target.

    If the process dies in between, the request is still open and a second merge finds the source
    in the target already: it makes no second commit.
    """
    store = repository(project)
    refs = diff_refs(request_, store)
    head, target = refs["head_sha"], refs["target_sha"]
    merged_before = store.is_ancestor(head, target) and head != target
    try:
        if not merged_before:
            move_target(project, request_, refs, squash=squash, message=message)
    except GitError as error:
        raise Refused(422, f"Branch cannot be merged: {error}") from None
    request_ |= {
        "state": "merged",
        "merged_by": asker()["id"],
        "merged_at": instant(),
        "frozen": refs,
        "last_head": head,
    }
    if merged_before:
        request_["merge_commit_sha"] = target
    add_system_note("gitlab.mr", request_, "merged")
    records().save("gitlab.mr", request_)
    if remove_source and request_["source_branch"] != project["default_branch"]:
        store.delete_branch(request_["source_branch"], head)


def move_target(
    project: Body, request_: Body, refs: Body, *, squash: bool, message: str | None
) -> None:
    """Make the commits of a merge and set the target branch to them."""
    store = repository(project)
    when = int(now().timestamp())
    person = Person(asker()["name"], asker()["email"])
    head, target = refs["head_sha"], refs["target_sha"]
    if squash:
        tree = store.run("rev-parse", f"{head}^{{tree}}").decode().strip()
        head = store.commit_tree(tree, [refs["base_sha"]], request_["title"], person, when)
        request_["squash_commit_sha"] = head
    text = message or (
        f"Merge branch '{request_['source_branch']}' into '{request_['target_branch']}'\n\n"
        f"{request_['title']}\n\n"
        f"See merge request {project['path_with_namespace']}!{request_['iid']}"
    )
    sha = store.merge(target, head, text, person, when)
    store.move(request_["target_branch"], sha, target)
    request_["merge_commit_sha"] = sha
