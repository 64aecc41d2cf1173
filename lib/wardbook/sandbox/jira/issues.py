"""Routes of tickets: create, read, edit, delete, and their transitions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from wardbook.sandbox.house import house, json_body, records
from wardbook.sandbox.jira import fields as reading
from wardbook.sandbox.jira import workflow
from wardbook.sandbox.jira.beans import api, resolution_bean, status_bean
from wardbook.sandbox.jira.comments import add_comment
from wardbook.sandbox.jira.links import add_links
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import field_value, issue_bean
from wardbook.sandbox.jira.tickets import (
    change_issue,
    create_issue,
    delete_issue,
    do_transition,
    find_issue,
)
from wardbook.sandbox.store import Body

routes = Blueprint("issues", __name__, url_prefix="/rest/api/2")
NOTHING = ("", 204)


def asked_list(name: str) -> list[str]:
    """Return a query argument that may be repeated or hold commas."""
    return [part for value in request.args.getlist(name) for part in value.split(",") if part]


@routes.post("/issue")
def create() -> tuple[Response, int]:
    """File a ticket."""
    body = json_body()
    update, comments, links = split_update(body)
    issue = create_issue(merge_update({}, body.get("fields") or {}, update))
    add_comments(issue, comments)
    add_links(issue, links)
    return (
        jsonify({"id": str(issue["id"]), "key": issue["key"], "self": api(f"issue/{issue['id']}")}),
        201,
    )


@routes.get("/issue/<key>")
def read(key: str) -> Response:
    """Return a ticket."""
    wanted = asked_list("fields") or ["*all"]
    return jsonify(issue_bean(find_issue(key), wanted, asked_list("expand")))


@routes.put("/issue/<key>")
def edit(key: str) -> tuple[str, int]:
    """Change fields; `update` adds to and removes from lists, adds comments and links."""
    issue = find_issue(key)
    body = json_body()
    if not body:
        raise Refused(400, "one of 'fields' or 'update' required")
    update, comments, links = split_update(body)
    given = merge_update(issue, body.get("fields") or {}, update)
    stored = reading.read_fields(issue["project"], given)
    add_comments(issue, comments)
    add_links(issue, links)
    change_issue(issue, stored)
    return NOTHING


@routes.delete("/issue/<key>")
def delete(key: str) -> tuple[str, int]:
    """Delete a ticket; only administrators may."""
    issue = find_issue(key)
    if reading.ADMINISTRATORS not in g.account["groups"]:
        raise Refused(403, "You do not have permission to delete issues in this project.")
    delete_issue(issue)
    return NOTHING


@routes.get("/issue/<key>/transitions")
def list_transitions(key: str) -> Response:
    """Return the transitions that the ticket's status allows."""
    issue = find_issue(key)
    wanted = request.args.get("transitionId")
    status = issue["fields"]["status"]
    available = workflow.list_available(status) if isinstance(status, str) else []
    with_fields = "transitions.fields" in asked_list("expand")
    return jsonify(
        expand="transitions",
        transitions=[
            transition_bean(t, with_fields=with_fields) for t in available if wanted in (None, t.id)
        ],
    )


@routes.post("/issue/<key>/transitions")
def transition(key: str) -> tuple[str, int]:
    """Do a transition, with the fields of its screen and comments."""
    issue = find_issue(key)
    body = json_body()
    chosen = body.get("transition")
    if not isinstance(chosen, dict) or not chosen.get("id"):
        raise Refused(400, "Missing 'transition' identifier")
    update, comments, links = split_update(body)
    given = merge_update(issue, body.get("fields") or {}, update)
    do_transition(issue, str(chosen["id"]), given)
    add_comments(issue, comments)
    add_links(issue, links)
    return NOTHING


@routes.put("/issue/<key>/assignee")
def assign(key: str) -> tuple[str, int]:
    """Assign a ticket by `name` (Cloud: `accountId`); null unassigns."""
    issue = find_issue(key)
    given = json_body()
    if ("accountId" if house().flavour == "cloud" else "name") not in given:
        raise Refused(400, fields={"assignee": "A user is required."})
    change_issue(issue, reading.read_fields(issue["project"], {"assignee": given}))
    return NOTHING


def split_update(body: Body) -> tuple[Body, list[Body], list[Body]]:
    """Return the `update` of a call without its comments and links, and those apart."""
    update = dict(body.get("update") or {})
    return update, update.pop("comment", []), update.pop("issuelinks", [])


def add_comments(issue: Body, operations: list[Body]) -> None:
    """Add the comments of an edit's or transition's `update.comment`."""
    for operation in operations:
        if "add" not in operation:
            raise Refused(400, fields={"comment": "Only 'add' is supported here."})
        add_comment(issue, operation["add"])


def merge_update(issue: Body, given: Body, update: Body) -> Body:
    """Return the fields that `fields` and `update` ask for together, in API form."""
    merged: dict[str, Any] = dict(given)
    for name, operations in update.items():
        if name in merged:
            raise Refused(
                400,
                fields={name: f"Field '{name}' cannot appear in both 'fields' and 'update'"},
            )
        present = field_value(issue, name) if issue else None
        if name == "components":
            present = [{"name": c["name"]} for c in present or []]
        merged[name] = reading.apply_operations(present, operations)
    return merged


def transition_bean(transition: workflow.Transition, *, with_fields: bool) -> Body:
    """Return a transition, with the fields of its screen when asked."""
    bean: Body = {
        "id": transition.id,
        "name": transition.name,
        "to": status_bean(transition.target),
    }
    if with_fields:
        bean["fields"] = {name: screen_field(name) for name in transition.screen}
    return bean


def screen_field(name: str) -> Body:
    """Return what a screen says of its only possible field, the resolution."""
    return {
        "required": True,
        "schema": {"type": "resolution", "system": name},
        "name": "Résolution",
        "fieldId": name,
        "hasDefaultValue": False,
        "operations": ["set"],
        "allowedValues": [resolution_bean(id_) for id_ in workflow.RESOLUTIONS],
    }


@routes.get("/issue/<key>/editmeta")
def edit_meta(key: str) -> Response:
    """Return the names of the fields that an edit may set."""
    issue = find_issue(key)
    names = reading.field_readers(issue["project"])
    known = {f["field"]: f["name"] for f in records().all("jira.field", issue["project"])}
    return jsonify(fields={n: {"required": n == "summary", "name": known.get(n, n)} for n in names})
