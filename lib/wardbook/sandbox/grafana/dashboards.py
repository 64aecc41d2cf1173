"""Dashboards: saved whole, each with a version; who saves an older one is told."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.grafana.folders import find_folder, folder_bean, slug_of
from wardbook.sandbox.grafana.refusals import Refused
from wardbook.sandbox.house import exchange, instant, json_body, records
from wardbook.sandbox.store import Body

routes = Blueprint("dashboards", __name__, url_prefix="/api/dashboards")
KIND = "grafana.dashboard"


@routes.get("/uid/<uid>")
def read_dashboard(uid: str) -> Response:
    """Tell of a dashboard, and of what is known about it."""
    record = find_dashboard(uid)
    return jsonify(dashboard=record["dashboard"], meta=meta_of(record))


@routes.post("/db")
def save_dashboard() -> Response:
    """Save a dashboard, new or over the version that it was made from."""
    body = json_body()
    dashboard: Any = body.get("dashboard")
    if not isinstance(dashboard, dict) or not str(dashboard.get("title", "")).strip():
        raise Refused(400, "Dashboard title cannot be empty", "empty-name")
    folder = str(body.get("folderUid", ""))
    if folder:
        find_folder(folder)
    uid = str(dashboard.get("uid") or secrets.token_urlsafe(9))
    if len(uid) > 40:
        raise Refused(400, "uid too long, max 40 characters")
    record = write(uid, dashboard, folder, known=bool(body.get("overwrite")))
    saved = {key: record[key] for key in ("id", "uid", "version")}
    slug = slug_of(record["title"])
    return jsonify(
        **saved, folderUid=folder, slug=slug, status="success", url=f"/d/{record['uid']}/{slug}"
    )


@routes.delete("/uid/<uid>")
def delete_dashboard(uid: str) -> Response:
    """Delete a dashboard."""
    record = find_dashboard(uid)
    records().delete(KIND, record["id"])
    told = f"Dashboard {record['title']} deleted"
    return jsonify(id=record["id"], message=told, title=record["title"])


def write(uid: str, dashboard: Body, folder: str, *, known: bool) -> Body:
    """Keep a dashboard; `known`: whatever version is there is overwritten.

    Raises:
        Refused: 412, somebody saved another version in between.
    """
    now, who = instant(), str(exchange().account)
    old = records().find(KIND, uid)
    if old and not known and dashboard.get("version") != old["version"]:
        raise Refused(412, "The dashboard has been changed by someone else", "version-mismatch")
    if old is None:
        old = records().insert(KIND, {"uid": uid, "created": now, "createdBy": who}, key=uid)
    version = int(old.get("version", 0)) + 1
    record = {
        **old,
        "title": dashboard["title"],
        "folderUid": folder,
        "updated": now,
        "updatedBy": who,
        "version": version,
        "dashboard": {**dashboard, "id": old["id"], "uid": uid, "version": version},
    }
    records().save(KIND, record)
    return record


def find_dashboard(uid: str) -> Body:
    """Return a dashboard's record.

    Raises:
        Refused: 404, there is none.
    """
    found = records().find(KIND, uid)
    if found is None:
        raise Refused(404, "Dashboard not found")
    return found


def meta_of(record: Body) -> Body:
    """Return what Grafana knows about a dashboard."""
    slug = slug_of(record["title"])
    may = {"canAdmin": True, "canDelete": True, "canEdit": True, "canSave": True, "canStar": False}
    kept = ("created", "createdBy", "updated", "updatedBy", "version")
    folder = records().find("grafana.folder", record["folderUid"])
    bean = folder_bean(folder) if folder else {"id": 0, "title": "General", "url": ""}
    return {
        **may,
        **{key: record[key] for key in kept},
        "expires": "0001-01-01T00:00:00Z",
        "folderId": bean["id"],
        "folderTitle": bean["title"],
        "folderUid": record["folderUid"],
        "folderUrl": bean["url"],
        "hasAcl": False,
        "isFolder": False,
        "provisioned": False,
        "slug": slug,
        "type": "db",
        "url": f"/d/{record['uid']}/{slug}",
    }
