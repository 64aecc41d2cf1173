"""Routes of comments, their restrictions and their properties."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from wardbook.sandbox.house import house, instant, json_body, records
from wardbook.sandbox.jira.fields import ADMINISTRATORS, TEXT_LIMIT
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import comment_bean, may_see, visible_comments
from wardbook.sandbox.jira.tickets import find_issue, touch
from wardbook.sandbox.jira.webhooks import announce
from wardbook.sandbox.store import Body

routes = Blueprint("comments", __name__, url_prefix="/rest/api/2")
PAGE_SIZES = {"server": 1_048_576, "cloud": 100}


def add_comment(issue: Body, given: Body) -> Body:
    """Add a comment to a ticket and return its record.

    Raises:
        Refused: 400, no text, too much text, or a restriction to nobody known.
    """
    now = instant()
    comment = records().insert(
        "jira.comment",
        {
            "issue": issue["id"],
            "author": g.account["id"],
            "update_author": g.account["id"],
            "body": read_text(given),
            "created": now,
            "updated": now,
            "visibility": read_visibility(given.get("visibility")),
            "properties": read_properties(given),
        },
        owner=issue["id"],
    )
    touch(issue)
    announce(
        "jira:issue_updated",
        issue,
        issue_event_type_name="issue_commented",
        comment=comment_bean(comment),
    )
    announce("comment_created", None, comment=comment_bean(comment))
    return comment


def read_properties(given: Body) -> Body:
    """Return the properties of a comment by key."""
    return {p["key"]: p["value"] for p in given.get("properties") or []}


def read_text(given: Body) -> str:
    """Return the text of a comment."""
    text = given.get("body")
    if not isinstance(text, str) or not text.strip():
        raise Refused(400, fields={"comment": "Comment body can not be empty!"})
    if len(text) > TEXT_LIMIT:
        raise Refused(
            400,
            fields={
                "comment": "The entered text is too long. "
                "It exceeds the allowed limit of 32,767 characters."
            },
        )
    return text


def read_visibility(given: Any) -> Body | None:
    """Return a restriction to a group or a role (a group of the same name)."""
    if not given:
        return None
    groups = {group for account in records().all("account") for group in account["groups"]}
    if given.get("type") not in ("role", "group") or given.get("value") not in groups:
        raise Refused(
            400,
            fields={"commentLevel": f"{given.get('type')}: {given.get('value')} does not exist."},
        )
    if given["value"] not in g.account["groups"]:
        raise Refused(
            400,
            fields={
                "commentLevel": f"You are currently not a member of the {given['type']}: "
                f"{given['value']}."
            },
        )
    return {"type": given["type"], "value": given["value"]}


def find_comment(key: str, comment_id: str) -> tuple[Body, Body]:
    """Return a ticket and one of its comments.

    Raises:
        Refused: 404, not there or not for the asking account.
    """
    issue = find_issue(key)
    comment = records().get("jira.comment", int(comment_id)) if comment_id.isdigit() else None
    if comment is None or comment["issue"] != issue["id"] or not may_see(comment):
        raise Refused(404, f"Can not find a comment for the id: {comment_id}.")
    return issue, comment


def require_own(comment: Body) -> None:
    """Refuse to change another's comment, unless an administrator asks."""
    if comment["author"] != g.account["id"] and ADMINISTRATORS not in g.account["groups"]:
        raise Refused(400, f"You do not have the permission for this comment. ({comment['id']})")


def expansions() -> list[str]:
    """Return what the request wants besides: `renderedBody`, `properties`."""
    return request.args.get("expand", "").split(",")


@routes.get("/issue/<key>/comment")
def list_comments(key: str) -> Response:
    """Return a page of comments; without `maxResults`, Server gives all of them and Cloud 100."""
    comments = visible_comments(find_issue(key)["id"])
    if request.args.get("orderBy", "").startswith("-"):
        comments.reverse()
    start = request.args.get("startAt", 0, int)
    size = request.args.get("maxResults", PAGE_SIZES[house().flavour], int)
    page = comments[start : start + size]
    return jsonify(
        startAt=start,
        maxResults=size,
        total=len(comments),
        comments=[comment_bean(c, expansions()) for c in page],
    )


@routes.post("/issue/<key>/comment")
def create(key: str) -> tuple[Response, int]:
    """Add a comment."""
    comment = add_comment(find_issue(key), json_body())
    return jsonify(comment_bean(comment)), 201


@routes.get("/issue/<key>/comment/<comment_id>")
def read(key: str, comment_id: str) -> Response:
    """Return one comment."""
    return jsonify(comment_bean(find_comment(key, comment_id)[1], expansions()))


@routes.put("/issue/<key>/comment/<comment_id>")
def edit(key: str, comment_id: str) -> Response:
    """Change the text or the restriction of a comment."""
    issue, comment = find_comment(key, comment_id)
    require_own(comment)
    given = json_body()
    comment |= {"body": read_text(given), "updated": instant(), "update_author": g.account["id"]}
    if "visibility" in given:
        comment["visibility"] = read_visibility(given["visibility"])
    comment["properties"] |= read_properties(given)
    records().save("jira.comment", comment)
    touch(issue)
    announce("comment_updated", None, comment=comment_bean(comment))
    return jsonify(comment_bean(comment))


@routes.delete("/issue/<key>/comment/<comment_id>")
def delete(key: str, comment_id: str) -> tuple[str, int]:
    """Delete a comment."""
    issue, comment = find_comment(key, comment_id)
    require_own(comment)
    records().delete("jira.comment", comment["id"])
    touch(issue)
    announce("comment_deleted", None, comment=comment_bean(comment))
    return "", 204


def find_by_id(comment_id: str) -> Body:
    """Return a comment by its id alone."""
    comment = records().get("jira.comment", int(comment_id)) if comment_id.isdigit() else None
    if comment is None or not may_see(comment):
        raise Refused(404, f"Can not find a comment for the id: {comment_id}.")
    return comment


@routes.get("/comment/<comment_id>/properties")
def list_properties(comment_id: str) -> Response:
    """Return the keys of a comment's properties."""
    return jsonify(keys=[{"key": key} for key in find_by_id(comment_id)["properties"]])


@routes.get("/comment/<comment_id>/properties/<key>")
def read_property(comment_id: str, key: str) -> Response:
    """Return one property."""
    properties = find_by_id(comment_id)["properties"]
    if key not in properties:
        raise Refused(404, f"The property with key '{key}' does not exist.")
    return jsonify(key=key, value=properties[key])


@routes.put("/comment/<comment_id>/properties/<key>")
def set_property(comment_id: str, key: str) -> tuple[str, int]:
    """Set one property to the JSON value of the body."""
    comment = find_by_id(comment_id)
    is_new = key not in comment["properties"]
    comment["properties"][key] = request.get_json(force=True)
    records().save("jira.comment", comment)
    return "", 201 if is_new else 200
