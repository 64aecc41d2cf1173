"""Projects and groups: creation at seeding, and their routes."""

from __future__ import annotations

import time
from pathlib import Path

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab.access import find_project, level, may_push
from wardbook.sandbox.gitlab.beans import (
    namespace_bean,
    project_bean,
    project_url,
    simple_project_bean,
)
from wardbook.sandbox.gitlab.git import Change, Person, Repository
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import not_found
from wardbook.sandbox.house import house, instant, json_body, records
from wardbook.sandbox.seed import MAINTAINER, GitLabProject
from wardbook.sandbox.store import Body, Records

routes = Blueprint("projects", __name__, url_prefix="/api/v4")
EDITABLE = frozenset({"description", "merge_requests_author_approval", "approvals_required"})


def create_project(records: Records, directory: Path, wanted: GitLabProject) -> None:
    """Create a project with its group, members and a repository with a first commit.

    Raises:
        ValueError: a member is no account, or the path has no group.
    """
    if records.find("gitlab.project", wanted.path.lower()):
        return
    group_path, _, name = wanted.path.rpartition("/")
    if not group_path:
        raise ValueError(f"project path {wanted.path!r}: expected group/name")
    group = create_group(records, group_path)
    now = instant()
    project = records.insert(
        "gitlab.project",
        {
            "name": name,
            "path": name,
            "path_with_namespace": wanted.path,
            "group": group["id"],
            "description": None,
            "default_branch": "main",
            "created_at": now,
            "last_activity_at": now,
            "merge_requests_author_approval": wanted.merge_requests_author_approval,
            "approvals_required": wanted.approvals_required,
            "tier": wanted.tier,
            "upload_limit": wanted.upload_limit,
        },
        key=wanted.path.lower(),
    )
    for username, access_level in wanted.members.items():
        account = records.find("account", username)
        if account is None:
            raise ValueError(f"project {wanted.path}: member {username!r} is no account")
        add_member(records, "gitlab.member", project["id"], account["id"], access_level)
    plant_repository(directory, project)


def create_group(records: Records, path: str) -> Body:
    """Return the group at a path, created with its parents when missing."""
    known = records.find("gitlab.group", path.lower())
    if known:
        return known
    parent_path, _, name = path.rpartition("/")
    parent = create_group(records, parent_path)["id"] if parent_path else None
    return records.insert(
        "gitlab.group",
        {"name": name, "full_path": path, "parent": parent, "created_at": instant()},
        key=path.lower(),
    )


def add_member(records: Records, kind: str, owner: int, user: int, access_level: int) -> Body:
    """Store a membership."""
    return records.insert(
        kind,
        {
            "user": user,
            "access_level": access_level,
            "expires_at": None,
            "created_at": instant(),
        },
        owner=owner,
    )


def plant_repository(directory: Path, project: Body) -> None:
    """Make the repository with a README, unless a killed seeding has left it there already."""
    repository = Repository(directory / "repositories" / f"{project['id']}.git")
    if not (repository.path / "HEAD").exists():
        repository.create()
    if repository.branch("main") is None:
        readme = Change("README.md", f"# {project['name']}\n".encode())
        author = Person("Administrator", "admin@example.org")
        repository.write("main", None, [readme], "Initial commit", author, int(time.time()))


@routes.get("/projects")
def list_projects() -> Response:
    """Return the projects that the asking account is a member of."""
    found = [p for p in records().all("gitlab.project") if level(p)]
    text = request.args.get("search", "").lower()
    found = [p for p in found if text in p["path_with_namespace"].lower()]
    return paginate(found, shown)


def shown(project: Body) -> Body:
    """Return a project whole, or simple when asked."""
    return simple_project_bean(project) if is_simple() else project_bean(project)


def is_simple() -> bool:
    """Tell whether the short form of projects is wanted."""
    return request.args.get("simple", "").lower() == "true"


@routes.get("/projects/<seg:project>")
def read(project: str) -> Response:
    """Return a project."""
    return jsonify(shown(find_project(project)))


@routes.put("/projects/<seg:project>")
def edit(project: str) -> Response:
    """Change the few settings that matter here."""
    found = find_project(project, MAINTAINER)
    found |= {n: v for n, v in json_body().items() if n in EDITABLE}
    records().save("gitlab.project", found)
    return jsonify(project_bean(found))


@routes.get("/projects/<seg:project>/pages")
def read_pages(project: str) -> Response:
    """Return where the project's Pages site would be."""
    found = find_project(project, MAINTAINER)
    return jsonify(
        url=f"{project_url(found)}/-/pages",
        is_unique_domain_enabled=False,
        force_https=False,
        deployments=[],
        primary_domain=None,
    )


@routes.get("/projects/<seg:project>/protected_branches")
def list_protected(project: str) -> Response:
    """Return the protected branches: the default one."""
    found = find_project(project)
    rule = [{"access_level": MAINTAINER, "access_level_description": "Maintainers"}]
    return jsonify(
        [
            {
                "id": found["id"],
                "name": found["default_branch"],
                "push_access_levels": rule,
                "merge_access_levels": rule,
                "allow_force_push": False,
                "can_push": may_push(found, found["default_branch"]),
            }
        ]
    )


@routes.get("/version")
def version() -> Response:
    """Return the version whose behaviour this follows."""
    return jsonify(version="17.9.1-ee", revision="sandbox")


@routes.get("/groups/<seg:group>")
def read_group(group: str) -> Response:
    """Return a group."""
    found = find_group(group)
    return jsonify(
        {
            **namespace_bean(found),
            "web_url": f"{house().gitlab_url}/groups/{found['full_path']}",
            "visibility": "private",
            "description": "",
            "full_name": found["full_path"].replace("/", " / "),
            "created_at": found["created_at"],
        }
    )


def find_group(reference: str) -> Body:
    """Return a group by id or path, for an account that is in it or in one of its projects.

    Raises:
        Refused: 404.
    """
    if reference.isdigit():
        group = records().get("gitlab.group", int(reference))
    else:
        group = records().find("gitlab.group", reference.lower())
    if group is None or not group_level(group):
        raise not_found("Group")
    return group


def group_level(group: Body) -> int:
    """Return the asking account's highest level among the projects of a group."""
    projects = [p for p in records().all("gitlab.project") if p["group"] == group["id"]]
    return max((level(project) for project in projects), default=0)
