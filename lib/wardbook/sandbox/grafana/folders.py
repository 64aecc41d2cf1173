"""Health, folders, search and data sources."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, cast

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.grafana.refusals import Refused
from wardbook.sandbox.house import exchange, instant, json_body, records, served
from wardbook.sandbox.store import Body

if TYPE_CHECKING:
    from wardbook.sandbox.grafana.server import GrafanaSandbox

routes = Blueprint("folders", __name__, url_prefix="/api")


@routes.get("/health")
def tell_health() -> Response:
    """Tell the version; no account is needed."""
    sandbox = cast("GrafanaSandbox", served().sandbox)
    return jsonify(commit="0" * 10, database="ok", version=sandbox.version)


@routes.get("/folders")
def list_folders() -> Response:
    """List the folders."""
    every = records().all("grafana.folder")
    return jsonify([{key: one[key] for key in ("id", "uid", "title")} for one in every])


@routes.get("/folders/<uid>")
def read_folder(uid: str) -> Response:
    """Tell of a folder."""
    return jsonify(folder_bean(find_folder(uid)))


@routes.post("/folders")
def make_folder() -> Response:
    """Make a folder; its uid may be chosen."""
    body = json_body()
    title, uid = str(body.get("title", "")).strip(), str(body.get("uid", ""))
    if not title:
        raise Refused(400, "folder title cannot be empty")
    if records().find("grafana.folder", uid):
        raise Refused(409, "a folder with the same uid already exists")
    now = instant()
    stamped = {"title": title, "uid": uid, "created": now, "updated": now, "version": 1}
    stamped["createdBy"] = stamped["updatedBy"] = str(exchange().account)
    made = records().insert("grafana.folder", stamped, key=uid)
    return jsonify(folder_bean(made))


@routes.get("/datasources")
def list_datasources() -> Response:
    """List the data sources."""
    return jsonify([datasource_bean(one) for one in records().all("grafana.datasource")])


@routes.get("/datasources/uid/<uid>")
def read_datasource(uid: str) -> Response:
    """Tell of a data source."""
    found = records().find("grafana.datasource", uid)
    if found is None:
        raise Refused(404, "Data source not found")
    return jsonify({**datasource_bean(found), "version": 1, "secureJsonFields": {"password": True}})


@routes.get("/search")
def search() -> Response:
    """Search dashboards and folders, by tag and kind."""
    tag, kind = request.args.get("tag"), request.args.get("type", "")
    hits = []
    if kind in ("", "dash-folder") and not tag:
        hits += [hit_of(one, "dash-folder") for one in records().all("grafana.folder")]
    if kind in ("", "dash-db"):
        for one in records().all("grafana.dashboard"):
            tags = one["dashboard"].get("tags", [])
            if tag is None or tag in tags:
                hits.append({**hit_of(one, "dash-db"), "tags": tags, **_folder_of(one)})
    return jsonify(hits)


def _folder_of(dashboard: Body) -> Body:
    folder = records().find("grafana.folder", dashboard["folderUid"])
    if folder is None:
        return {}
    bean = folder_bean(folder)
    return {
        "folderId": bean["id"],
        "folderTitle": bean["title"],
        "folderUid": bean["uid"],
        "folderUrl": bean["url"],
    }


def find_folder(uid: str) -> Body:
    """Return a folder's record.

    Raises:
        Refused: 404, there is none.
    """
    found = records().find("grafana.folder", uid)
    if found is None:
        raise Refused(404, "folder not found", "not-found")
    return found


def folder_bean(record: Body) -> Body:
    """Return a folder as Grafana tells of it."""
    may = {"canAdmin": True, "canDelete": True, "canEdit": True, "canSave": True}
    url = f"/dashboards/f/{record['uid']}/{slug_of(record['title'])}"
    return {**record, **may, "hasAcl": False, "orgId": 1, "url": url}


def datasource_bean(record: Body) -> Body:
    """Return a data source as Grafana tells of it."""
    return {
        **record,
        "access": "proxy",
        "basicAuth": False,
        "database": "metrics",
        "isDefault": False,
        "jsonData": {"sslmode": "require"},
        "orgId": 1,
        "readOnly": True,
        "type": "grafana-postgresql-datasource",
        "typeLogoUrl": "public/plugins/grafana-postgresql-datasource/img/postgresql_logo.svg",
        "url": "127.0.0.1:5432",
        "user": "reader",
    }


def hit_of(record: Body, kind: str) -> Body:
    """Return a hit of the search."""
    title = record["title"]
    place = "d" if kind == "dash-db" else "dashboards/f"
    return {
        "id": record["id"],
        "isStarred": False,
        "slug": "",
        "sortMeta": 0,
        "tags": [],
        "title": title,
        "type": kind,
        "uid": record["uid"],
        "uri": f"db/{slug_of(title)}",
        "url": f"/{place}/{record['uid']}/{slug_of(title)}",
    }


def slug_of(title: str) -> str:
    """Return a title as it stands in addresses."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
