"""Routes of attachments: upload, metadata, download, delete."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
from pathlib import Path

from flask import Blueprint, Response, jsonify, redirect, request, send_file
from flask import g as asking
from werkzeug.wrappers import Response as AnyResponse

from wardbook.sandbox.house import house, instant, records
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import attachment_bean
from wardbook.sandbox.jira.tickets import find_issue, touch
from wardbook.sandbox.store import Body
from wardbook.sandbox.writing import write_whole

routes = Blueprint("attachments", __name__)
UPLOAD_LIMIT = 10 * 1024 * 1024


def content_path(directory: Path, attachment_id: int) -> Path:
    """Return where the content of an attachment is kept."""
    return directory / "attachments" / str(attachment_id)


@routes.post("/rest/api/2/issue/<key>/attachments")
def upload(key: str) -> Response | tuple[str, int, dict[str, str]]:
    """Attach the files of a multipart form."""
    if request.headers.get("X-Atlassian-Token") not in ("no-check", "nocheck"):
        return "XSRF check failed", 403, {"Content-Type": "text/html;charset=UTF-8"}
    issue = find_issue(key)
    files = request.files.getlist("file")
    if not files:
        raise Refused(400, "No file was uploaded: the form has no part named 'file'.")
    added = [attach(issue, file.filename or "", file.read(), file.mimetype) for file in files]
    touch(issue)
    return jsonify([attachment_bean(a) for a in added])


def attach(issue: Body, filename: str, content: bytes, mime_type: str) -> Body:
    """Keep one file of a ticket."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    if not name:
        raise Refused(400, "The attachment has no file name.")
    if len(content) > UPLOAD_LIMIT:
        raise Refused(413, f"The file '{name}' exceeds the limit of {UPLOAD_LIMIT} bytes.")
    attachment = records().insert(
        "jira.attachment",
        {
            "issue": issue["id"],
            "filename": name,
            "author": asking.account["id"],
            "created": instant(),
            "size": len(content),
            "mime_type": mime_type or mimetypes.guess_type(name)[0] or "application/octet-stream",
        },
        owner=issue["id"],
    )
    write_whole(content_path(house().directory, attachment["id"]), content)
    return attachment


def find_attachment(attachment_id: str) -> Body:
    """Return an attachment's record.

    Raises:
        Refused: 404.
    """
    known = attachment_id.isdigit() and records().get("jira.attachment", int(attachment_id))
    if not known:
        raise Refused(404, f"The attachment with id '{attachment_id}' does not exist")
    return known


@routes.get("/rest/api/2/attachment/<attachment_id>")
def read(attachment_id: str) -> Response:
    """Return metadata."""
    return jsonify(attachment_bean(find_attachment(attachment_id)))


@routes.delete("/rest/api/2/attachment/<attachment_id>")
def delete(attachment_id: str) -> tuple[str, int]:
    """Delete an attachment; its file goes too."""
    attachment = find_attachment(attachment_id)
    records().delete("jira.attachment", attachment["id"])
    issue = records().get("jira.issue", attachment["issue"])
    if issue:
        touch(issue)
    content_path(house().directory, attachment["id"]).unlink(missing_ok=True)
    return "", 204


@routes.get("/secure/attachment/<attachment_id>/<slashed:name>")
def download(attachment_id: str, name: str) -> AnyResponse:  # noqa: ARG001 - the id decides
    """Return the content; Cloud sends the client to its own media host."""
    if asking.account is None:
        raise Refused(401, "Log in to download attachments.")
    attachment = find_attachment(attachment_id)
    return send_to_media(attachment) if house().flavour == "cloud" else send(attachment)


@routes.get("/rest/api/2/attachment/content/<attachment_id>")
def download_by_id(attachment_id: str) -> AnyResponse:
    """Return the content as Cloud does: by its media host, unless `redirect=false`."""
    attachment = find_attachment(attachment_id)
    if request.args.get("redirect") == "false":
        return send(attachment)
    return send_to_media(attachment)


def send_to_media(attachment: Body) -> AnyResponse:
    """Redirect to the media host: this machine by another name, where no credentials are asked."""
    port = house().jira_url.rpartition(":")[2]
    seal = seal_media(attachment["id"])
    media = f"http://localhost:{port}/media/file/{attachment['id']}/binary"
    return redirect(f"{media}?token={seal}", 303)


def seal_media(attachment_id: int) -> str:
    """Return the token that opens one file on the media host while this process lives."""
    return hmac.new(house().media_secret, str(attachment_id).encode(), hashlib.sha256).hexdigest()


@routes.get("/media/file/<int:attachment_id>/binary")
def download_from_media(attachment_id: int) -> Response:
    """Return the content to whoever holds the token."""
    if not hmac.compare_digest(request.args.get("token", ""), seal_media(attachment_id)):
        raise Refused(403, "The token is not of this file.")
    return send(find_attachment(str(attachment_id)))


def send(attachment: Body) -> Response:
    """Return the content, never to be shown by the browser as a page of ours."""
    path = content_path(house().directory, attachment["id"])
    if not path.exists():
        raise Refused(404, f"The content of attachment '{attachment['id']}' is not here.")
    answer = send_file(
        path,
        mimetype=attachment["mime_type"],
        as_attachment=True,
        download_name=attachment["filename"],
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
