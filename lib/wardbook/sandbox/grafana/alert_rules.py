"""Alert rules by the provisioning API: made, replaced and deleted one by one."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, jsonify

from wardbook.sandbox.grafana.folders import find_folder
from wardbook.sandbox.grafana.refusals import Refused
from wardbook.sandbox.house import instant, json_body, records
from wardbook.sandbox.store import Body

routes = Blueprint("alert_rules", __name__, url_prefix="/api/v1/provisioning/alert-rules")
KIND = "grafana.rule"
NEEDED = ("title", "folderUID", "ruleGroup", "condition", "data", "noDataState", "execErrState")


@routes.get("")
def list_rules() -> Response:
    """List every rule."""
    return jsonify(records().all(KIND))


@routes.get("/<uid>")
def read_rule(uid: str) -> Response:
    """Tell of a rule."""
    return jsonify(find_rule(uid))


@routes.post("")
def make_rule() -> tuple[Response, int]:
    """Make a rule; its uid may be chosen."""
    body = checked(json_body())
    uid = body.get("uid") or secrets.token_urlsafe(9)
    if records().find(KIND, uid):
        raise Refused(409, "alert rule with this uid already exists")
    made = records().insert(KIND, kept({**body, "uid": uid}), key=uid)
    return jsonify(made), 201


@routes.put("/<uid>")
def replace_rule(uid: str) -> Response:
    """Replace a rule by another."""
    old = find_rule(uid)
    record = {"id": old["id"], **kept({**checked(json_body(), but=uid), "uid": uid})}
    record["id"] = old["id"]
    records().save(KIND, record)
    return jsonify(record)


@routes.delete("/<uid>")
def delete_rule(uid: str) -> tuple[str, int]:
    """Delete a rule; one that is not there is no error."""
    if found := records().find(KIND, uid):
        records().delete(KIND, found["id"])
    return "", 204


def find_rule(uid: str) -> Body:
    """Return a rule.

    Raises:
        Refused: 404, there is none.
    """
    found = records().find(KIND, uid)
    if found is None:
        raise Refused(404, "alert rule not found")
    return found


def checked(body: Body, but: str = "") -> Body:
    """Return a rule that can be kept.

    Raises:
        Refused: 400, something is missing, or another rule of the folder has its title.
    """
    for key in NEEDED:
        if not body.get(key):
            raise Refused(400, f"invalid alert rule: {key} is missing")
    find_folder(body["folderUID"])
    if body["condition"] not in [query.get("refId") for query in body["data"]]:
        raise Refused(400, f"invalid alert rule: condition {body['condition']} does not exist")
    for other in records().all(KIND):
        same = all(other[key] == body[key] for key in ("title", "folderUID", "ruleGroup"))
        if same and other["uid"] not in (but, body.get("uid")):
            raise Refused(400, "a rule with this title exists already in the group")
    return body


def kept(body: Body) -> Body:
    """Return a rule as Grafana keeps it: with what it fills in, without an id."""
    filled: Body = {
        "orgID": 1,
        "for": "0s",
        "isPaused": False,
        "provenance": "api",
        **{key: value for key, value in body.items() if key != "id"},
        "updated": instant(),
    }
    filled["data"] = [fill_in(query) for query in body["data"]]
    return filled


def fill_in(query: Any) -> Body:
    """Return a query of a rule with Grafana's defaults."""
    model = {"intervalMs": 1000, "maxDataPoints": 43200, **query["model"]}
    return {"queryType": "", "relativeTimeRange": {"from": 0, "to": 0}, **query, "model": model}
