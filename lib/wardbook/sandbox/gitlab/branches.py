"""Routes of branches."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab.access import find_code, require_push
from wardbook.sandbox.gitlab.arguments import arguments
from wardbook.sandbox.gitlab.code_beans import branch_bean
from wardbook.sandbox.gitlab.git import ZERO, GitError, Repository, is_branch_name
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, not_found
from wardbook.sandbox.house import records
from wardbook.sandbox.seed import DEVELOPER

routes = Blueprint("branches", __name__, url_prefix="/api/v4")
BASE = "/projects/<seg:project>/repository/branches"


def find_branch(store: Repository, name: str) -> str:
    """Return a branch's commit id.

    Raises:
        Refused: 404.
    """
    sha = store.branch(name)
    if sha is None:
        raise not_found("Branch")
    return sha


@routes.get(BASE)
def list_branches(project: str) -> Response:
    """Return the branches by name."""
    found, store = find_code(project)
    text = request.args.get("search", "")
    rows = [(name, sha) for name, sha in sorted(store.branches().items()) if text in name]
    return paginate(rows, lambda row: branch_bean(found, store, *row))


@routes.get(f"{BASE}/<seg:name>")
def read(project: str, name: str) -> Response:
    """Return one branch."""
    found, store = find_code(project)
    return jsonify(branch_bean(found, store, name, find_branch(store, name)))


@routes.post(BASE)
def create(project: str) -> tuple[Response, int]:
    """Make a branch from a branch, tag or commit."""
    found, store = find_code(project, DEVELOPER)
    given = arguments()
    for name in ("branch", "ref"):
        if not given.get(name):
            raise bad_parameter(f"{name} is missing")
    branch, ref = str(given["branch"]), str(given["ref"])
    if not is_branch_name(branch):
        raise Refused(400, "Branch name is invalid")
    if store.branch(branch):
        raise Refused(400, "Branch already exists")
    sha = store.resolve(ref)
    if sha is None:
        raise Refused(400, f"Invalid reference name: {ref}")
    require_push(found, branch)
    try:
        store.move(branch, sha, ZERO)
    except GitError:
        raise Refused(400, f"Failed to create branch '{branch}': invalid reference name") from None
    records().touched = True
    return jsonify(branch_bean(found, store, branch, sha)), 201


@routes.delete(f"{BASE}/<seg:name>")
def delete(project: str, name: str) -> tuple[str, int]:
    """Delete a branch, except the default one."""
    found, store = find_code(project, DEVELOPER)
    sha = find_branch(store, name)
    if name == found["default_branch"]:
        raise Refused(400, "Cannot remove default branch")
    store.delete_branch(name, sha)
    records().touched = True
    return "", 204
