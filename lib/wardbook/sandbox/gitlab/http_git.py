"""`git clone`, `fetch` and `push` over HTTP: git's own `http-backend`, run as CGI."""

from __future__ import annotations

import subprocess

from flask import Blueprint, Response, g, request

from wardbook.sandbox.gitlab.access import level
from wardbook.sandbox.gitlab.git import ENVIRONMENT
from wardbook.sandbox.house import house, records
from wardbook.sandbox.seed import MAINTAINER, REPORTER

routes = Blueprint("http_git", __name__)
SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")


@routes.route("/<project:path>.git/<slashed:service>", methods=["GET", "POST"])
def serve_git(path: str, service: str) -> Response:
    """Answer one request of git's smart protocol.

    Reading needs reporter rights. Pushing needs maintainer rights: developers write through the
    commits API, which knows the protected branch.
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
    if "git-receive-pack" in (service, request.args.get("service")) and own < MAINTAINER:
        return Response("You are not allowed to push code to this project.\n", 403)
    records().touched |= service == "git-receive-pack"
    return run_backend(project["id"], service)


def run_backend(project_id: int, service: str) -> Response:
    """Run the CGI program on the request and return what it answers."""
    environment = {
        **ENVIRONMENT,
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
