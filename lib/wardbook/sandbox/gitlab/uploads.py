"""Routes of files uploaded for use in texts."""

from __future__ import annotations

import secrets
from pathlib import Path

from flask import Blueprint, Response, jsonify, request, send_file

from wardbook.sandbox.gitlab.access import find_project
from wardbook.sandbox.gitlab.refusals import bad_parameter, not_found
from wardbook.sandbox.house import house, records
from wardbook.sandbox.writing import write_whole

routes = Blueprint("uploads", __name__)
KIND = "gitlab.upload"


def content_path(secret: str) -> Path:
    """Return where an upload's content is kept."""
    return house().directory / "uploads" / secret


@routes.post("/api/v4/projects/<seg:project>/uploads")
def upload(project: str) -> tuple[Response, int]:
    """Keep a file and return the Markdown that shows it."""
    found = find_project(project)
    file = request.files.get("file")
    if file is None:
        raise bad_parameter("file is missing")
    name = (file.filename or "file").replace("\\", "/").rpartition("/")[2].replace(" ", "_")
    secret = secrets.token_hex(16)
    body = records().insert(KIND, {"name": name}, owner=found["id"], key=secret)
    write_whole(content_path(secret), file.read())
    url = f"/uploads/{secret}/{name}"
    return (
        jsonify(
            id=body["id"],
            alt=name,
            url=url,
            full_path=f"/-/project/{found['id']}{url}",
            markdown=f"[{name}]({url})",
        ),
        201,
    )


@routes.get("/-/project/<int:project>/uploads/<secret>/<seg:name>")
def download(project: int, secret: str, name: str) -> Response:
    """Return an uploaded file to members of the project."""
    found = find_project(str(project))
    body = records().find(KIND, secret, found["id"])
    if body is None or body["name"] != name:
        raise not_found()
    answer = send_file(
        content_path(secret), "application/octet-stream", as_attachment=True, download_name=name
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
