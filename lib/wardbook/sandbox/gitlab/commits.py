"""Routes of commits, trees and comparisons."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab.access import find_code
from wardbook.sandbox.gitlab.arguments import arguments
from wardbook.sandbox.gitlab.beans import project_url
from wardbook.sandbox.gitlab.code_beans import commit_bean, commit_detail_bean, pipeline_bean
from wardbook.sandbox.gitlab.committing import commit_actions
from wardbook.sandbox.gitlab.diffs import diff_beans
from wardbook.sandbox.gitlab.git import Repository
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import bad_parameter, not_found
from wardbook.sandbox.house import records
from wardbook.sandbox.seed import DEVELOPER
from wardbook.sandbox.store import Body

routes = Blueprint("commits", __name__, url_prefix="/api/v4")
BASE = "/projects/<seg:project>/repository"


def find_sha(store: Repository, revision: str, what: str = "Commit") -> str:
    """Return the commit id that a branch, tag or id means.

    Raises:
        Refused: 404.
    """
    sha = store.resolve(revision)
    if sha is None:
        raise not_found(what)
    return sha


@routes.get(f"{BASE}/commits")
def list_commits(project: str) -> Response:
    """Return the commits of a branch, those of one path when asked, newest first."""
    found, store = find_code(project)
    sha = find_sha(store, request.args.get("ref_name") or found["default_branch"])
    commits = store.log(sha, path=request.args.get("path"))
    return paginate(commits, lambda commit: commit_bean(found, commit))


@routes.post(f"{BASE}/commits")
def create(project: str) -> tuple[Response, int]:
    """Commit several changes of files at once."""
    found, store = find_code(project, DEVELOPER)
    given = arguments()
    for name in ("branch", "commit_message", "actions"):
        if not given.get(name) and not (name == "actions" and given.get("allow_empty")):
            raise bad_parameter(f"{name} is missing")
    commit = commit_actions(found, store, given, list(given.get("actions") or []))
    return jsonify(commit_detail_bean(found, store, commit)), 201


@routes.get(f"{BASE}/commits/<seg:revision>")
def read(project: str, revision: str) -> Response:
    """Return one commit."""
    found, store = find_code(project)
    commit = store.commit(find_sha(store, revision))
    return jsonify(commit_detail_bean(found, store, commit))


@routes.get(f"{BASE}/commits/<seg:revision>/diff")
def read_diff(project: str, revision: str) -> Response:
    """Return what a commit changed."""
    _, store = find_code(project)
    commit = store.commit(find_sha(store, revision))
    parent = commit.parents[0] if commit.parents else EMPTY_TREE
    return paginate(diff_beans(store, parent, commit.sha), lambda diff: diff)


EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@routes.get(f"{BASE}/commits/<seg:revision>/statuses")
def read_statuses(project: str, revision: str) -> Response:
    """Return the pipelines of a commit as statuses."""
    found, store = find_code(project)
    sha = find_sha(store, revision)
    pipelines = [p for p in records().all("gitlab.pipeline", found["id"]) if p["sha"] == sha]
    return paginate(pipelines, lambda pipeline: pipeline_bean(found, pipeline))


@routes.get(f"{BASE}/compare")
def compare(project: str) -> Response:
    """Return the commits and changes between two revisions."""
    found, store = find_code(project)
    for name in ("from", "to"):
        if name not in request.args:
            raise bad_parameter(f"{name} is missing")
    old, new = (find_sha(store, request.args[name], "Ref") for name in ("from", "to"))
    straight = request.args.get("straight") == "true"
    base = old if straight else store.merge_base(old, new) or old
    commits = list(reversed(store.log(f"{base}..{new}")))
    body: Body = {
        "commit": commit_bean(found, commits[-1]) if commits else None,
        "commits": [commit_bean(found, commit) for commit in commits],
        "diffs": diff_beans(store, base, new),
        "compare_timeout": False,
        "compare_same_ref": old == new,
        "web_url": f"{project_url(found)}/-/compare/{old}...{new}",
    }
    return jsonify(body)


@routes.get(f"{BASE}/tree")
def tree(project: str) -> Response:
    """Return the entries of a folder."""
    found, store = find_code(project)
    sha = find_sha(store, request.args.get("ref") or found["default_branch"], "Tree")
    path = request.args.get("path", "").strip("/")
    recursive = request.args.get("recursive", "").lower() == "true"
    entries = store.tree(sha, path, recursive=recursive)
    if path and not entries:
        raise not_found("invalid revision or path Tree")
    return paginate(
        entries,
        lambda entry: {
            "id": entry.sha,
            "name": entry.path.rpartition("/")[2],
            "type": entry.type,
            "path": entry.path,
            "mode": entry.mode,
        },
    )
