"""Routes of single files of a repository."""

from __future__ import annotations

import base64
import hashlib

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab.access import find_code
from wardbook.sandbox.gitlab.arguments import arguments
from wardbook.sandbox.gitlab.commits import find_sha
from wardbook.sandbox.gitlab.committing import commit_actions
from wardbook.sandbox.gitlab.git import Entry, Repository
from wardbook.sandbox.gitlab.refusals import bad_parameter, not_found
from wardbook.sandbox.seed import DEVELOPER
from wardbook.sandbox.store import Body

routes = Blueprint("files", __name__, url_prefix="/api/v4")
BASE = "/projects/<seg:project>/repository/files/<seg:path>"
VERBS = {"POST": "create", "PUT": "update", "DELETE": "delete"}


def find_file(project: Body, store: Repository, path: str) -> tuple[str, str, Entry]:
    """Return the ref, its commit id, and the file's entry.

    Raises:
        Refused: 404, no such ref or file.
    """
    ref = request.args.get("ref") or "HEAD"
    name = project["default_branch"] if ref == "HEAD" else ref
    sha = find_sha(store, name)
    entry = store.entry(sha, path)
    if entry is None:
        raise not_found("File")
    return ref, sha, entry


@routes.get(BASE)
def read(project: str, path: str) -> Response:
    """Return a file with its content in base64."""
    found, store = find_code(project)
    ref, sha, entry = find_file(found, store, path)
    content = store.blob(entry.sha)
    return jsonify(
        file_name=path.rpartition("/")[2],
        file_path=path,
        size=len(content),
        encoding="base64",
        content_sha256=hashlib.sha256(content).hexdigest(),
        ref=ref,
        blob_id=entry.sha,
        commit_id=sha,
        last_commit_id=store.log(sha, path=path, limit=1)[0].sha,
        execute_filemode=entry.mode == "100755",
        content=base64.b64encode(content).decode(),
    )


@routes.get(f"{BASE}/raw")
def read_raw(project: str, path: str) -> Response:
    """Return a file's bytes, never to be shown as a page."""
    found, store = find_code(project)
    _, _, entry = find_file(found, store, path)
    answer = Response(store.blob(entry.sha), mimetype="text/plain")
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Disposition"] = "inline"
    return answer


@routes.route(BASE, methods=["POST", "PUT", "DELETE"])
def write(project: str, path: str) -> tuple[Response | str, int]:
    """Create, update or delete one file in one commit."""
    found, store = find_code(project, DEVELOPER)
    given = arguments()
    verb = VERBS[request.method]
    for name in ("branch", "commit_message", *(() if verb == "delete" else ("content",))):
        if given.get(name) is None:
            raise bad_parameter(f"{name} is missing")
    commit_actions(found, store, given, [{**given, "action": verb, "file_path": path}])
    if verb == "delete":
        return "", 204
    status = 201 if verb == "create" else 200
    return jsonify(file_path=path, branch=given["branch"]), status
