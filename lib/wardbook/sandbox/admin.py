"""`/_sandbox/…` on both servers: faults, journal and search lag for a test in another process."""

from __future__ import annotations

import re
from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.faults import Fault
from wardbook.sandbox.house import json_body, sandbox

admin = Blueprint("admin", __name__, url_prefix="/_sandbox")


@admin.get("/faults")
def list_faults() -> Response:
    """Return the rules in force and what they hold."""
    return jsonify(rules=sandbox().faults.rules(), held=sandbox().faults.held())


@admin.post("/faults")
def add_fault() -> tuple[Response, int]:
    """Put one rule in force; the body holds the fields of `Fault`."""
    try:
        sandbox().faults.add(Fault(**json_body()))
    except (TypeError, ValueError, re.error) as error:
        return jsonify(error=str(error)), 400
    return jsonify(rules=sandbox().faults.rules()), 201


@admin.delete("/faults")
def clear_faults() -> Response:
    """Drop all rules, let all held requests go on."""
    sandbox().faults.clear()
    return jsonify(rules=[])


@admin.post("/release")
def release() -> Response:
    """Release held requests: `{"id": 1, "outcome": "go" | "drop"}`, both optional."""
    body = json_body()
    return jsonify(released=sandbox().faults.release(body.get("id"), body.get("outcome", "go")))


@admin.get("/journal")
def read_journal() -> Response:
    """Return every request in order; `?wrote=true` only those that changed something."""
    journal = sandbox().journal
    entries = journal.writes() if request.args.get("wrote") == "true" else journal.entries()
    return jsonify([asdict(entry) for entry in entries])


@admin.delete("/journal")
def clear_journal() -> Response:
    """Forget the journal."""
    sandbox().journal.clear()
    return jsonify([])


@admin.put("/index-lag")
def set_index_lag() -> Response:
    """Set how many seconds Jira's search lags: `{"seconds": 0}`."""
    sandbox().index_lag_seconds = float(json_body().get("seconds", 0))
    return jsonify(seconds=sandbox().index_lag_seconds)
