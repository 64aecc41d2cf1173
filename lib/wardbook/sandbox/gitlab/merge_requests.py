"""Routes of merge requests: list, open, read, change, merge, and what they change."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab import labels
from wardbook.sandbox.gitlab.access import asker, find_code, find_project, level, repository
from wardbook.sandbox.gitlab.arguments import arguments, is_true
from wardbook.sandbox.gitlab.beans import project_url, touched, user_bean
from wardbook.sandbox.gitlab.code_beans import commit_bean, diff_refs, merge_request_bean
from wardbook.sandbox.gitlab.diffs import diff_beans
from wardbook.sandbox.gitlab.filters import choose, order
from wardbook.sandbox.gitlab.hooks import announce_merge_request
from wardbook.sandbox.gitlab.issues import (
    change_labels,
    change_state,
    check_text,
    check_title,
    read_assignees,
)
from wardbook.sandbox.gitlab.merging import check_mergeable, merge
from wardbook.sandbox.gitlab.noting import apply_text, record_mentions, set_assignees
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import (
    Refused,
    bad_parameter,
    forbidden,
    invalid,
    not_found,
)
from wardbook.sandbox.house import instant, records
from wardbook.sandbox.seed import DEVELOPER, REPORTER
from wardbook.sandbox.store import Body

routes = Blueprint("merge_requests", __name__, url_prefix="/api/v4")
KIND = "gitlab.mr"
BASE = "/projects/<seg:project>/merge_requests"


def find_merge_request(project: str, iid: int) -> tuple[Body, Body]:
    """Return a project and one of its merge requests.

    Raises:
        Refused: 403 for guests, 404.
    """
    found = find_project(project, REPORTER)
    request_ = records().find(KIND, str(iid), found["id"])
    if request_ is None:
        raise not_found()
    return found, request_


@routes.get(BASE)
def list_merge_requests(project: str) -> Response:
    """Return the merge requests that meet the filters."""
    found = find_project(project, REPORTER)
    chosen = choose(records().all(KIND, found["id"]))
    for name in ("source_branch", "target_branch"):
        if name in request.args:
            chosen = [r for r in chosen if r[name] == request.args[name]]
    return paginate(order(chosen), lambda r: merge_request_bean(found, r))


@routes.post(BASE)
def create(project: str) -> tuple[Response, int]:
    """Open a merge request; its description's quick actions are done."""
    found, store = find_code(project, DEVELOPER)
    given = arguments()
    for name in ("source_branch", "target_branch"):
        if not given.get(name):
            raise bad_parameter(f"{name} is missing")
    title = check_title(given)
    source, target = str(given["source_branch"]), str(given["target_branch"])
    if source == target:
        raise Refused(409, ["You can't use same project/branch for source and target"])
    head = store.branch(source)
    if head is None:
        raise invalid(source_branch=["does not exist"])
    if store.branch(target) is None:
        raise invalid(target_branch=["does not exist"])
    refuse_second(found, source, target)
    request_ = insert_merge_request(found, given, title, head)
    labels.set_labels(found, request_, labels.read_labels(given.get("labels")), KIND)
    set_assignees(KIND, request_, read_assignees(KIND, found, request_, given) or [])
    settle_text(found, request_, given.get("description"))
    records().save(KIND, request_)
    announce_merge_request(found, request_, "open")
    return jsonify(merge_request_bean(found, request_)), 201


def refuse_second(project: Body, source: str, target: str) -> None:
    """Refuse a second open merge request between the same branches.

    Raises:
        Refused: 409.
    """
    for other in records().all(KIND, project["id"]):
        same = (other["source_branch"], other["target_branch"]) == (source, target)
        if same and other["state"] == "opened":
            raise Refused(
                409,
                [f"Another open merge request already exists for this source branch: "
                 f"!{other['iid']}"],
            )  # fmt: skip


def insert_merge_request(project: Body, given: Body, title: str, head: str) -> Body:
    """Store a new merge request."""
    now = instant()
    iid = records().number(f"gitlab.mr.iid.{project['id']}")
    return records().insert(
        KIND,
        {
            "iid": iid,
            "title": title,
            "description": None,
            "state": "opened",
            "author": asker()["id"],
            "assignees": [],
            "reviewers": read_reviewers(given),
            "labels": [],
            "source_branch": str(given["source_branch"]),
            "target_branch": str(given["target_branch"]),
            "remove_source_branch": is_true(given.get("remove_source_branch", False)),
            "should_remove_source_branch": None,
            "squash": is_true(given.get("squash", False)),
            "discussion_locked": None,
            "created_at": now,
            "updated_at": now,
            "merged_by": None,
            "merged_at": None,
            "closed_by": None,
            "closed_at": None,
            "merge_commit_sha": None,
            "squash_commit_sha": None,
            "frozen": None,
            "last_head": head,
        },
        owner=project["id"],
        key=str(iid),
    )


def read_reviewers(given: Body) -> list[int]:
    """Return the accounts of `reviewer_ids`."""
    return [int(i) for i in given.get("reviewer_ids") or [] if records().get("account", int(i))]


def settle_text(project: Body, request_: Body, text: str | None) -> None:
    """Store a description without its quick actions, which are done, and note the mentions."""
    if text is None:
        return
    request_["description"], _ = apply_text(KIND, project, request_, check_text(str(text)))
    url = f"{project_url(project)}/-/merge_requests/{request_['iid']}"
    record_mentions(KIND, project, request_, request_["description"], url)


@routes.get(f"{BASE}/<int:iid>")
def read(project: str, iid: int) -> Response:
    """Return a merge request."""
    found, request_ = find_merge_request(project, iid)
    bean = merge_request_bean(found, request_)
    return jsonify({**bean, "changes_count": str(len(changed_files(found, request_)))})


@routes.put(f"{BASE}/<int:iid>")
def edit(project: str, iid: int) -> Response:
    """Change a merge request; a new description's quick actions are done."""
    found, request_ = find_merge_request(project, iid)
    if level(found) < DEVELOPER and request_["author"] != asker()["id"]:
        raise forbidden()
    given = arguments()
    if "title" in given:
        request_["title"] = check_title(given)
    for name in ("target_branch",):
        if name in given:
            request_[name] = str(given[name])
    for name in ("remove_source_branch", "squash", "discussion_locked"):
        if name in given:
            request_[name] = is_true(given[name])
    if "reviewer_ids" in given:
        request_["reviewers"] = read_reviewers(given)
    change_labels(found, request_, given, KIND)
    if "assignee_ids" in given or "assignee_id" in given:
        assignees = read_assignees(KIND, found, request_, given)
        set_assignees(KIND, request_, request_["assignees"] if assignees is None else assignees)
    if "description" in given and given["description"] != request_["description"]:
        settle_text(found, request_, given["description"])
    freeze_or_thaw(found, request_, given)
    change_state(request_, given, KIND)
    records().save(KIND, touched(request_))
    announce_merge_request(found, request_, str(given.get("state_event") or "update"))
    return jsonify(merge_request_bean(found, request_))


def freeze_or_thaw(project: Body, request_: Body, given: Body) -> None:
    """Keep the commits that a request has when it is closed; follow the branches when reopened."""
    if given.get("state_event") == "close":
        request_["frozen"] = diff_refs(request_, repository(project))
    elif given.get("state_event") == "reopen" and request_["state"] == "closed":
        refuse_second(project, request_["source_branch"], request_["target_branch"])
        request_["frozen"] = None


@routes.put(f"{BASE}/<int:iid>/merge")
def do_merge(project: str, iid: int) -> Response:
    """Merge, optionally only if the head is still `sha`."""
    found, request_ = find_merge_request(project, iid)
    given = arguments()
    check_mergeable(found, request_, given.get("sha"))
    remove = is_true(given.get("should_remove_source_branch", request_["remove_source_branch"]))
    request_["should_remove_source_branch"] = remove
    merge(
        found,
        touched(request_),
        squash=is_true(given.get("squash", request_["squash"])),
        remove_source=remove,
        message=given.get("merge_commit_message"),
    )
    announce_merge_request(found, request_, "merge")
    return jsonify(merge_request_bean(found, request_))


def changed_files(project: Body, request_: Body) -> list[Body]:
    """Return the files that a merge request changes."""
    store = repository(project)
    refs = diff_refs(request_, store)
    if not refs["base_sha"] or not refs["head_sha"]:
        return []
    return diff_beans(store, refs["base_sha"], refs["head_sha"])


@routes.get(f"{BASE}/<int:iid>/changes")
def read_changes(project: str, iid: int) -> Response:
    """Return a merge request with its changed files."""
    found, request_ = find_merge_request(project, iid)
    changes = changed_files(found, request_)
    return jsonify({**merge_request_bean(found, request_), "changes": changes, "overflow": False})


@routes.get(f"{BASE}/<int:iid>/diffs")
def list_diffs(project: str, iid: int) -> Response:
    """Return the changed files."""
    return paginate(changed_files(*find_merge_request(project, iid)), lambda diff: diff)


@routes.get(f"{BASE}/<int:iid>/commits")
def list_commits(project: str, iid: int) -> Response:
    """Return the commits of a merge request, newest first."""
    found, request_ = find_merge_request(project, iid)
    store = repository(found)
    refs = diff_refs(request_, store)
    commits = store.log(f"{refs['base_sha']}..{refs['head_sha']}") if refs["base_sha"] else []
    return paginate(commits, lambda commit: commit_bean(found, commit))


@routes.get(f"{BASE}/<int:iid>/participants")
def list_participants(project: str, iid: int) -> Response:
    """Return who wrote on a merge request."""
    _, request_ = find_merge_request(project, iid)
    notes = records().all("gitlab.mr.note", request_["id"])
    ids = dict.fromkeys([request_["author"], *(n["author"] for n in notes)])
    return paginate(list(ids), user_bean)
