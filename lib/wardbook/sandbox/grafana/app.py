"""Grafana's application: who asks, what is refused, and the routes' folders."""

from __future__ import annotations

import json
from functools import cache

from flask import Flask, Response, jsonify, request

from wardbook.sandbox.faults import Fault
from wardbook.sandbox.grafana.refusals import Refused
from wardbook.sandbox.house import exchange
from wardbook.sandbox.routing import prepare_routing
from wardbook.sandbox.transport import READING, Answer


@cache
def create_app() -> Flask:
    """Build the WSGI application of every Grafana of this process."""
    from wardbook.sandbox.grafana import alert_rules, dashboards, folders

    app = Flask(__name__, static_folder=None)
    prepare_routing(app)
    app.before_request(sign_in)
    app.register_error_handler(Refused, answer_refusal)
    app.register_error_handler(404, lambda _: (jsonify(message="Not found"), 404))
    app.register_error_handler(405, lambda _: (jsonify(message="Method not allowed"), 405))
    for module in (folders, dashboards, alert_rules):
        app.register_blueprint(module.routes)
    return app


def sign_in() -> None:
    """Find the service account of a request; health is told to everybody.

    Raises:
        Refused: 401 without a known token, 403 for writing with one that may only read.
    """
    from wardbook.sandbox.grafana.server import EDITOR, VIEWER

    if request.path == "/api/health":
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or token not in (EDITOR, VIEWER):
        raise Refused(401, "Invalid API key")
    exchange().account = "editor" if token == EDITOR else "viewer"
    if token == VIEWER and request.method not in READING:
        raise Refused(403, "You'll need additional permissions to perform this action.")


def answer_refusal(refused: Refused) -> tuple[Response, int]:
    """Answer a refusal as Grafana does."""
    return jsonify(refused.body), refused.status


def fault_answer(fault: Fault) -> Answer:
    """Return what a failing or overloaded Grafana, or the proxy before it, answers."""
    if fault.effect in ("502", "503"):
        reason = "502 Bad Gateway" if fault.effect == "502" else "503 Service Unavailable"
        page = f"<html><body><h1>{reason}</h1></body></html>".encode()
        return Answer(reason, [("Content-Type", "text/html")], page)
    reason, said = ("500 Internal Server Error", "Internal server error")
    if fault.effect in ("429", "rate_limit"):
        reason, said = ("429 Too Many Requests", "Too many requests")
    body = json.dumps({"message": said}).encode()
    return Answer(reason, [("Content-Type", "application/json")], body)
