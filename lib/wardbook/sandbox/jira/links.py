"""Routes of links: to other sites (remote links) and between tickets."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.house import json_body, records
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.beans import api
from wardbook.sandbox.jira.comments import add_comment
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import link_bean, link_type_bean
from wardbook.sandbox.jira.tickets import find_issue, touch
from wardbook.sandbox.store import Body, Records

routes = Blueprint("links", __name__, url_prefix="/rest/api/2")
GLOBAL_ID_LIMIT = 255


def key_of(issue_id: int) -> str:
    """Return the key that a ticket has now."""
    issue = records().get("jira.issue", issue_id)
    return str(issue["key"]) if issue else ""


def remote_bean(link: Body) -> Body:
    """Return a remote link."""
    bean = {
        "id": link["id"],
        "self": api(f"issue/{key_of(link['issue'])}/remotelink/{link['id']}"),
        "application": link["application"],
        "object": link["object"],
    }
    if link["global_id"]:
        bean["globalId"] = link["global_id"]
    if link["relationship"]:
        bean["relationship"] = link["relationship"]
    return bean


def read_remote(issue: Body, given: Body) -> Body:
    """Check a remote link's form and return what is stored of it."""
    target = given.get("object")
    if not isinstance(target, dict):
        raise Refused(400, fields={"object": "'object' is required."})
    wrong = {name: f"'{name}' is required." for name in ("url", "title") if not target.get(name)}
    if wrong:
        raise Refused(400, fields=wrong)
    global_id = given.get("globalId")
    if global_id and len(global_id) > GLOBAL_ID_LIMIT:
        raise Refused(
            400,
            fields={"globalId": "'globalId' must be less than or equal to 255 characters long."},
        )
    return {
        "issue": issue["id"],
        "global_id": global_id,
        "application": given.get("application") or {},
        "relationship": given.get("relationship"),
        "object": {"icon": {}, "status": {"icon": {}}, **target},
    }


@routes.get("/issue/<key>/remotelink")
def list_remote(key: str) -> Response:
    """Return the remote links, or the one with `?globalId=`."""
    issue = find_issue(key)
    links = records().all("jira.remotelink", issue["id"])
    wanted = request.args.get("globalId")
    if wanted is None:
        return jsonify([remote_bean(link) for link in links])
    for link in links:
        if link["global_id"] == wanted:
            return jsonify(remote_bean(link))
    raise Refused(404, f"No remote issue link with the global id '{wanted}' was found.")


@routes.post("/issue/<key>/remotelink")
def upsert_remote(key: str) -> tuple[Response, int]:
    """Create a remote link, or replace the one with the same `globalId`."""
    issue = find_issue(key)
    stored = read_remote(issue, json_body())
    same = [
        link
        for link in records().all("jira.remotelink", issue["id"])
        if stored["global_id"] and link["global_id"] == stored["global_id"]
    ]
    if same:
        link = {"id": same[0]["id"], **stored}
        records().save("jira.remotelink", link)
    else:
        link = records().insert("jira.remotelink", stored, owner=issue["id"])
    touch(issue)
    bean = remote_bean(link)
    return jsonify({"id": bean["id"], "self": bean["self"]}), 200 if same else 201


def find_remote(key: str, link_id: str) -> tuple[Body, Body]:
    """Return a ticket and one of its remote links."""
    issue = find_issue(key)
    link = records().get("jira.remotelink", int(link_id)) if link_id.isdigit() else None
    if link is None or link["issue"] != issue["id"]:
        raise Refused(404, f"Remote link with id '{link_id}' does not exist.")
    return issue, link


@routes.get("/issue/<key>/remotelink/<link_id>")
def read_one_remote(key: str, link_id: str) -> Response:
    """Return one remote link."""
    return jsonify(remote_bean(find_remote(key, link_id)[1]))


@routes.put("/issue/<key>/remotelink/<link_id>")
def replace_remote(key: str, link_id: str) -> tuple[str, int]:
    """Replace one remote link."""
    issue, link = find_remote(key, link_id)
    records().save("jira.remotelink", {"id": link["id"], **read_remote(issue, json_body())})
    touch(issue)
    return "", 204


@routes.delete("/issue/<key>/remotelink/<link_id>")
def delete_remote(key: str, link_id: str) -> tuple[str, int]:
    """Delete one remote link."""
    issue, link = find_remote(key, link_id)
    records().delete("jira.remotelink", link["id"])
    touch(issue)
    return "", 204


@routes.post("/issueLink")
def link_issues() -> tuple[str, int]:
    """Link two tickets: "inward blocks outward"."""
    given = json_body()
    inward, outward = find_end(given.get("inwardIssue")), find_end(given.get("outwardIssue"))
    add_link(given.get("type"), inward, outward)
    if given.get("comment"):
        add_comment(inward, given["comment"])
    return "", 201


def find_end(reference: Any) -> Body:
    """Return the ticket that `{"key": …}` or `{"id": …}` means.

    Raises:
        Refused: 404.
    """
    reference = reference if isinstance(reference, dict) else {}
    return find_issue(str(reference.get("key") or reference.get("id")))


def add_link(wanted: Any, inward: Body, outward: Body) -> None:
    """Link two tickets: `inward` shows `outward` as its outward one.

    Raises:
        Refused: 404, there is no such type of links.
    """
    wanted = wanted if isinstance(wanted, dict) else {}
    for type_id, (name, _, _) in workflow.LINK_TYPES.items():
        if wanted.get("id") == type_id or wanted.get("name") == name:
            break
    else:
        raise Refused(404, f"No issue link type with name '{wanted.get('name')}' found.")
    store_link(records(), type_id, inward["id"], outward["id"])
    touch(inward)
    touch(outward)


def store_link(
    all_records: Records, type_: str | Body, inward: int, outward: int, id_: int | None = None
) -> None:
    """Store a link so that it is found by either end."""
    body: Body = {"type": type_, "inward": inward, "outward": outward}
    if id_ is not None:
        body["id"] = id_
    all_records.insert("jira.link", body, owner=inward, key=str(outward))


def add_links(issue: Body, operations: list[Body]) -> None:
    """Add the links of an edit's `update.issuelinks`.

    Raises:
        Refused: 400 or 404, naming what is wrong.
    """
    for operation in operations:
        link = operation.get("add")
        if not isinstance(link, dict):
            raise Refused(400, fields={"issuelinks": "Only 'add' is supported here."})
        if "outwardIssue" in link:
            add_link(link.get("type"), issue, find_end(link["outwardIssue"]))
        else:
            add_link(link.get("type"), find_end(link.get("inwardIssue")), issue)


def find_link(link_id: str) -> Body:
    """Return a link between tickets."""
    link = records().get("jira.link", int(link_id)) if link_id.isdigit() else None
    if link is None:
        raise Refused(404, f"No issue link with id '{link_id}' exists.")
    return link


@routes.get("/issueLink/<link_id>")
def read_link(link_id: str) -> Response:
    """Return a link with both tickets."""
    link = find_link(link_id)
    bean: Body = {}
    for side in ("inward", "outward"):
        issue = records().get("jira.issue", link[side])
        if issue:
            bean |= link_bean(link, f"{side}Issue", issue)
    return jsonify(bean)


@routes.delete("/issueLink/<link_id>")
def delete_link(link_id: str) -> tuple[str, int]:
    """Delete a link."""
    link = find_link(link_id)
    records().delete("jira.link", link["id"])
    for side in ("inward", "outward"):
        issue = records().get("jira.issue", link[side])
        if issue:
            touch(issue)
    return "", 204


@routes.get("/issueLinkType")
def list_link_types() -> Response:
    """Return the link types."""
    return jsonify(issueLinkTypes=[link_type_bean(type_id) for type_id in workflow.LINK_TYPES])
