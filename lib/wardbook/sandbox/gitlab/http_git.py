"""`git clone`, `fetch` and `push` over HTTP: git's own `http-backend`, run as CGI."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, Response, g, request

from wardbook.files import write_atomically
from wardbook.sandbox.gitlab.access import level, repository
from wardbook.sandbox.gitlab.beans import touched
from wardbook.sandbox.gitlab.git import ENVIRONMENT
from wardbook.sandbox.gitlab.hooks import announce_merge_request
from wardbook.sandbox.gitlab.noting import add_system_note
from wardbook.sandbox.house import house, records
from wardbook.sandbox.seed import DEVELOPER, MAINTAINER, REPORTER
from wardbook.sandbox.store import Body

routes = Blueprint("http_git", __name__)
SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")
PRE_RECEIVE = """#!/bin/sh
# Refuses a protected branch as GitLab does, then asks the project's own hook.
received=$(cat)
case "$received" in
*" $PROTECTED" | *" $PROTECTED
"*)
    echo "GitLab: You are not allowed to push code to protected branches on this project." >&2
    exit 1
    ;;
esac
[ ! -x hooks/pre-receive ] || printf '%s\\n' "$received" | hooks/pre-receive
"""


@routes.route("/<project:path>.git/<slashed:service>", methods=["GET", "POST"])
def serve_git(path: str, service: str) -> Response:
    """Answer one request of git's smart protocol.

    Reading needs reporter rights, pushing developer rights, and maintainer rights for the default
    branch, which is protected. A push shows on the merge requests of its branches.
    """
    if service not in SERVICES:
        return Response("Not found\n", 404)
    if g.account is None:
        return Response(
            "HTTP Basic: Access denied\n", 401, {"WWW-Authenticate": 'Basic realm="GitLab"'}
        )
    project = records().find("gitlab.project", path.lower())
    own = level(project) if project else 0
    if project is None or own < REPORTER:
        return Response("The project you were looking for could not be found.\n", 404)
    if "git-receive-pack" in (service, request.args.get("service")) and own < DEVELOPER:
        return Response("You are not allowed to push code to this project.\n", 403)
    if service != "git-receive-pack":
        return run_backend(project["id"], service)
    records().touched = True
    store = repository(project)
    before = store.branches()
    protected = "" if own >= MAINTAINER else f"refs/heads/{project['default_branch']}"
    answer = run_backend(project["id"], service, protect(protected))
    for branch, head in store.branches().items():
        if branch in before and before[branch] != head:
            show_push(project, branch, store.count(f"{before[branch]}..{head}"))
    return answer


def protect(ref: str) -> dict[str, str]:
    """Return the environment in which git refuses a push to a ref."""
    folder = house().directory / "hooks"
    hook: Path = folder / "pre-receive"
    if not hook.exists():
        folder.mkdir(exist_ok=True)
        write_atomically(hook, PRE_RECEIVE, mode=0o755)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(folder),
        "PROTECTED": ref or "-",
    }


def show_push(project: Body, branch: str, commits: int) -> None:
    """Note on the open merge requests of a branch what was pushed, as GitLab does."""
    for one in records().all("gitlab.mr", project["id"]):
        if (one["source_branch"], one["state"]) == (branch, "opened"):
            plural = "" if commits == 1 else "s"
            add_system_note("gitlab.mr", one, f"added {commits} commit{plural}")
            records().save("gitlab.mr", touched(one))
            announce_merge_request(project, one, "update")


def run_backend(project_id: int, service: str, extra: Mapping[str, str] | None = None) -> Response:
    """Run the CGI program on the request and return what it answers."""
    environment = {
        **ENVIRONMENT,
        **(extra or {}),
        "GIT_PROJECT_ROOT": str(house().directory / "repositories"),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{project_id}.git/{service}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query_string.decode(),
        "CONTENT_TYPE": request.content_type or "",
        "CONTENT_LENGTH": str(request.content_length or 0),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": g.account["username"],
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"],
        input=request.get_data(),
        capture_output=True,
        env=environment,
        check=False,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Response(body, status if not done.returncode else 500, headers)
