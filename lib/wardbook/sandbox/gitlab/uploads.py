"""Routes of files uploaded for use in texts."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from flask import Blueprint, Response, jsonify, request, send_file

from wardbook.sandbox.gitlab.access import asker, find_project
from wardbook.sandbox.gitlab.beans import user_bean
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, not_found
from wardbook.sandbox.house import house, instant, records
from wardbook.sandbox.seed import MAINTAINER, UPLOAD_LIMIT
from wardbook.sandbox.store import Body
from wardbook.sandbox.writing import write_whole

routes = Blueprint("uploads", __name__)
KIND = "gitlab.upload"
BASE = "/api/v4/projects/<seg:project>/uploads"
SHOWN = re.compile(r"\.(png|jpe?g|gif|bmp|tiff|ico|webp|mp4|m4v|mov|webm|ogv)$", re.IGNORECASE)
UNSAFE = re.compile(r"[^\w.\-+]")


def content_path(secret: str) -> Path:
    """Return where an upload's content is kept."""
    return house().directory / "uploads" / secret


@routes.post(BASE)
def upload(project: str) -> tuple[Response, int]:
    """Keep a file and return the Markdown that shows it."""
    found = find_project(project)
    file = request.files.get("file")
    if file is None:
        raise bad_parameter("file is missing")
    content = file.read()
    if len(content) > found.get("upload_limit", UPLOAD_LIMIT):
        raise Refused(413, "413 Request Entity Too Large")
    name = UNSAFE.sub("_", (file.filename or "file").replace("\\", "/").rpartition("/")[2])
    secret = secrets.token_hex(16)
    body = records().insert(
        KIND,
        {
            "name": name,
            "secret": secret,
            "size": len(content),
            "author": asker()["id"],
            "created_at": instant(),
        },
        owner=found["id"],
        key=secret,
    )
    write_whole(content_path(secret), content)
    url = f"/uploads/{secret}/{name}"
    alt = SHOWN.sub("", name)
    return (
        jsonify(
            id=body["id"],
            alt=alt,
            url=url,
            full_path=f"/-/project/{found['id']}{url}",
            markdown=f"{'!' if alt != name else ''}[{alt}]({url})",
        ),
        201,
    )


def upload_bean(body: Body) -> Body:
    """Return an upload as maintainers see it; its secret is not told."""
    author = user_bean(body["author"]) or {}
    return {
        "id": body["id"],
        "size": body["size"],
        "filename": body["name"],
        "created_at": body["created_at"],
        "uploaded_by": {name: author[name] for name in ("id", "name", "username")},
    }


@routes.get(BASE)
def list_uploads(project: str) -> Response:
    """Return the uploads, the newest first, to maintainers."""
    found = find_project(project, MAINTAINER)
    return paginate(records().all(KIND, found["id"])[::-1], upload_bean)


def find_upload(project: Body, secret: str, name: str) -> Body:
    """Return the upload with this secret and file name.

    Raises:
        Refused: 404.
    """
    body = records().find(KIND, secret, project["id"])
    if body is None or body["name"] != name:
        raise not_found()
    return body


def find_by_id(project: Body, upload_id: int) -> Body:
    """Return the upload with this id.

    Raises:
        Refused: 404.
    """
    for body in records().all(KIND, project["id"]):
        if body["id"] == upload_id:
            return body
    raise not_found()


@routes.get(f"{BASE}/<int:upload_id>")
def download_by_id(project: str, upload_id: int) -> Response:
    """Return an uploaded file to maintainers."""
    return send(find_by_id(find_project(project, MAINTAINER), upload_id))


@routes.get(f"{BASE}/<secret>/<seg:name>")
def download_by_secret(project: str, secret: str, name: str) -> Response:
    """Return an uploaded file to members who know its secret."""
    return send(find_upload(find_project(project), secret, name))


@routes.delete(f"{BASE}/<int:upload_id>")
def delete_by_id(project: str, upload_id: int) -> tuple[str, int]:
    """Delete an upload by id."""
    return delete(find_by_id(find_project(project, MAINTAINER), upload_id))


@routes.delete(f"{BASE}/<secret>/<seg:name>")
def delete_by_secret(project: str, secret: str, name: str) -> tuple[str, int]:
    """Delete an upload by its secret and file name; texts that show it are not changed."""
    return delete(find_upload(find_project(project, MAINTAINER), secret, name))


def delete(body: Body) -> tuple[str, int]:
    """Delete an upload with its content."""
    records().delete(KIND, body["id"])
    content_path(body["secret"]).unlink(missing_ok=True)
    return "", 204


@routes.get("/-/project/<int:project>/uploads/<secret>/<seg:name>")
def download(project: int, secret: str, name: str) -> Response:
    """Return an uploaded file to members of the project."""
    return send(find_upload(find_project(str(project)), secret, name))


def send(body: Body) -> Response:
    """Return the content of an upload, never to be shown by the browser as a page of ours."""
    path = content_path(body["secret"])
    answer = send_file(
        path, "application/octet-stream", as_attachment=True, download_name=body["name"]
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
