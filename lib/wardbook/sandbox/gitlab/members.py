"""Routes of members of projects and groups."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.gitlab.access import find_project
from wardbook.sandbox.gitlab.beans import user_bean
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.projects import add_member, find_group, group_level
from wardbook.sandbox.gitlab.refusals import Refused, bad_parameter, forbidden, not_found
from wardbook.sandbox.house import json_body, records
from wardbook.sandbox.seed import MAINTAINER
from wardbook.sandbox.store import Body

routes = Blueprint("members", __name__, url_prefix="/api/v4")
LEVELS = (10, 15, 20, 30, 40, 50)
PROJECT, GROUP = "gitlab.member", "gitlab.group_member"


def member_bean(member: Body) -> Body:
    """Return a member."""
    return {
        **(user_bean(member["user"]) or {}),
        "access_level": member["access_level"],
        "created_at": member["created_at"],
        "expires_at": member["expires_at"],
        "membership_state": "active",
    }


def inherited(project: Body) -> list[Body]:
    """Return a project's members with its group's; the higher level counts."""
    best: dict[int, Body] = {}
    members = records().all(GROUP, project["group"]) + records().all(PROJECT, project["id"])
    for member in members:
        known = best.get(member["user"])
        if known is None or member["access_level"] >= known["access_level"]:
            best[member["user"]] = member
    return list(best.values())


def find_member(members: list[Body], user: int) -> Body:
    """Return a user's membership.

    Raises:
        Refused: 404.
    """
    for member in members:
        if member["user"] == user:
            return member
    raise not_found()


def create_member(kind: str, owner: int) -> tuple[Response, int]:
    """Add a member as the request's body says."""
    given = json_body()
    for name in ("user_id", "access_level"):
        if name not in given:
            raise bad_parameter(f"{name} is missing")
    if int(given["access_level"]) not in LEVELS:
        raise bad_parameter("access_level does not have a valid value")
    if records().get("account", int(given["user_id"])) is None:
        raise not_found("User")
    if any(m["user"] == int(given["user_id"]) for m in records().all(kind, owner)):
        raise Refused(409, "Member already exists")
    member = add_member(records(), kind, owner, int(given["user_id"]), int(given["access_level"]))
    return jsonify(member_bean(member)), 201


@routes.get("/projects/<seg:project>/members")
def list_direct(project: str) -> Response:
    """Return the direct members."""
    return paginate(records().all(PROJECT, find_project(project)["id"]), member_bean)


@routes.get("/projects/<seg:project>/members/all")
def list_all(project: str) -> Response:
    """Return the members, inherited ones too."""
    return paginate(inherited(find_project(project)), member_bean)


@routes.get("/projects/<seg:project>/members/<int:user>")
def read(project: str, user: int) -> Response:
    """Return one direct member."""
    members = records().all(PROJECT, find_project(project)["id"])
    return jsonify(member_bean(find_member(members, user)))


@routes.get("/projects/<seg:project>/members/all/<int:user>")
def read_inherited(project: str, user: int) -> Response:
    """Return one member, inherited or not."""
    return jsonify(member_bean(find_member(inherited(find_project(project)), user)))


@routes.post("/projects/<seg:project>/members")
def create(project: str) -> tuple[Response, int]:
    """Add a member."""
    return create_member(PROJECT, find_project(project, MAINTAINER)["id"])


@routes.put("/projects/<seg:project>/members/<int:user>")
def edit(project: str, user: int) -> Response:
    """Change a member's level."""
    found = find_project(project, MAINTAINER)
    member = find_member(records().all(PROJECT, found["id"]), user)
    member["access_level"] = int(json_body().get("access_level") or member["access_level"])
    records().save(PROJECT, member)
    return jsonify(member_bean(member))


@routes.delete("/projects/<seg:project>/members/<int:user>")
def delete(project: str, user: int) -> tuple[str, int]:
    """Remove a member."""
    found = find_project(project, MAINTAINER)
    records().delete(PROJECT, find_member(records().all(PROJECT, found["id"]), user)["id"])
    return "", 204


@routes.get("/groups/<seg:group>/members")
def list_group(group: str) -> Response:
    """Return a group's direct members."""
    return paginate(records().all(GROUP, find_group(group)["id"]), member_bean)


@routes.get("/groups/<seg:group>/members/all")
def list_group_all(group: str) -> Response:
    """Return a group's members; groups here have no inherited ones."""
    return list_group(group)


@routes.post("/groups/<seg:group>/members")
def create_in_group(group: str) -> tuple[Response, int]:
    """Add a member to a group."""
    found = find_group(group)
    if group_level(found) < MAINTAINER:
        raise forbidden()
    return create_member(GROUP, found["id"])
