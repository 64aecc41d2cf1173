"""Routes of generic packages: upload, download, list."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from flask import Blueprint, Response, jsonify, request, send_file

from wardbook.sandbox.gitlab.access import find_project
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import bad_parameter, not_found
from wardbook.sandbox.house import house, instant, records
from wardbook.sandbox.seed import DEVELOPER, MAINTAINER, REPORTER
from wardbook.sandbox.store import Body
from wardbook.sandbox.writing import write_whole

routes = Blueprint("packages", __name__, url_prefix="/api/v4")
PACKAGES = "/projects/<seg:project>/packages"
GENERIC = f"{PACKAGES}/generic/<seg:name>/<seg:version>/<slashed:file>"
NAME = re.compile(r"[A-Za-z0-9._\-+~]+")
FILE = re.compile(r"[A-Za-z0-9._\-+~@]+(/[A-Za-z0-9._\-+~@]+)*")
KIND, FILES = "gitlab.package", "gitlab.package_file"


def content_path(file: int) -> Path:
    """Return where a package file's content is kept."""
    return house().directory / "packages" / str(file)


def package_bean(project: Body, package: Body) -> Body:
    """Return a package."""
    return {
        "id": package["id"],
        "name": package["name"],
        "version": package["version"],
        "package_type": "generic",
        "status": "default",
        "_links": {
            "web_path": f"/{project['path_with_namespace']}/-/packages/{package['id']}",
            "delete_api_path": f"{house().gitlab_url}/api/v4/projects/{project['id']}/packages/"
            f"{package['id']}",
        },
        "created_at": package["created_at"],
        "last_downloaded_at": None,
        "tags": [],
        "versions": [],
    }


def file_bean(file: Body) -> Body:
    """Return a file of a package."""
    return {
        "id": file["id"],
        "package_id": file["package"],
        "created_at": file["created_at"],
        "file_name": file["file_name"],
        "size": file["size"],
        "file_md5": None,
        "file_sha1": None,
        "file_sha256": file["sha256"],
    }


def find_package(project: Body, name: str, version: str) -> Body | None:
    """Return a package by name and version."""
    for package in records().all(KIND, project["id"]):
        if (package["name"], package["version"]) == (name, version):
            return package
    return None


@routes.put(GENERIC)
def upload(project: str, name: str, version: str, file: str) -> tuple[Response, int]:
    """Add a file to a package; the same name again is a newer file, which downloads prefer."""
    found = find_project(project, DEVELOPER)
    for text, pattern, what in ((name, NAME, "package_name"), (file, FILE, "file_name")):
        if not pattern.fullmatch(text) or ".." in text:
            raise bad_parameter(f"{what} is invalid")
    package = find_package(found, name, version) or records().insert(
        KIND, {"name": name, "version": version, "created_at": instant()}, owner=found["id"]
    )
    content = request.get_data()
    body = records().insert(
        FILES,
        {
            "package": package["id"],
            "file_name": file,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "created_at": instant(),
        },
        owner=package["id"],
    )
    write_whole(content_path(body["id"]), content)
    if request.args.get("select") == "package_file":
        return jsonify(file_bean(body)), 201
    return jsonify(message="201 Created"), 201


@routes.get(GENERIC)
def download(project: str, name: str, version: str, file: str) -> Response:
    """Return the newest file of this name."""
    found = find_project(project, REPORTER)
    package = find_package(found, name, version)
    files = records().all(FILES, package["id"]) if package else []
    for body in reversed(files):
        if body["file_name"] == file:
            return send_file(content_path(body["id"]), "application/octet-stream")
    raise not_found()


@routes.get(PACKAGES)
def list_packages(project: str) -> Response:
    """Return the packages whose name contains `package_name`."""
    found = find_project(project, REPORTER)
    text = request.args.get("package_name", "")
    version = request.args.get("package_version")
    chosen = [
        p
        for p in records().all(KIND, found["id"])
        if text in p["name"] and version in (None, p["version"])
    ]
    return paginate(chosen, lambda package: package_bean(found, package))


def find_by_id(project: Body, package: int) -> Body:
    """Return a package by id.

    Raises:
        Refused: 404.
    """
    for body in records().all(KIND, project["id"]):
        if body["id"] == package:
            return body
    raise not_found("Package")


@routes.get(f"{PACKAGES}/<int:package>")
def read(project: str, package: int) -> Response:
    """Return one package."""
    found = find_project(project, REPORTER)
    return jsonify(package_bean(found, find_by_id(found, package)))


@routes.get(f"{PACKAGES}/<int:package>/package_files")
def list_files(project: str, package: int) -> Response:
    """Return the files of a package."""
    found = find_project(project, REPORTER)
    return paginate(records().all(FILES, find_by_id(found, package)["id"]), file_bean)


@routes.delete(f"{PACKAGES}/<int:package>")
def delete(project: str, package: int) -> tuple[str, int]:
    """Delete a package with its files."""
    found = find_project(project, MAINTAINER)
    body = find_by_id(found, package)
    for file in records().all(FILES, body["id"]):
        records().delete(FILES, file["id"])
    records().delete(KIND, body["id"])
    return "", 204
