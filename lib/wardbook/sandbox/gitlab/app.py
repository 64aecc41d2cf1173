"""GitLab's application: who asks, what is refused, and the folders of routes."""

from __future__ import annotations

import base64
import binascii
from functools import cache

from flask import Flask, Response, g, jsonify, request

from wardbook.sandbox.admin import admin
from wardbook.sandbox.faults import Fault
from wardbook.sandbox.gitlab.refusals import Refused, forbidden, unauthorized
from wardbook.sandbox.house import exchange, records
from wardbook.sandbox.pages import prepare_pages
from wardbook.sandbox.routing import pages_folder, prepare_routing
from wardbook.sandbox.store import Body
from wardbook.sandbox.transport import Answer


@cache
def create_app() -> Flask:
    """Build the WSGI application of every GitLab of this process."""
    from wardbook.sandbox.gitlab import (
        approvals,
        branches,
        commits,
        files,
        hooks,
        http_git,
        issue_links,
        issues,
        jobs,
        labels,
        members,
        merge_requests,
        notes,
        packages,
        pages,
        pipelines,
        projects,
        uploads,
        users,
        variables,
    )

    app = Flask(__name__, static_folder=str(pages_folder() / "static"))
    prepare_routing(app)
    prepare_pages(app)
    app.before_request(sign_in)
    app.register_error_handler(Refused, answer_refusal)
    app.register_error_handler(404, answer_nothing_here)
    app.register_error_handler(405, answer_wrong_method)
    app.register_blueprint(admin)
    for module in (
        approvals,
        branches,
        commits,
        files,
        hooks,
        issue_links,
        issues,
        jobs,
        labels,
        members,
        merge_requests,
        notes,
        packages,
        pipelines,
        projects,
        uploads,
        users,
        variables,
        http_git,
        pages,
    ):
        app.register_blueprint(module.routes)
    return app


def sign_in() -> None:
    """Find the account of the request; without one, `g.account` is None."""
    g.account = None
    if request.path.startswith(("/_sandbox/", "/static/")):
        return
    secret = find_secret()
    if secret is not None:
        token = records().find("account.token", secret)
        g.account = token and records().get("account", token["account"])
        if g.account is None and request.path.startswith("/api/"):
            raise unauthorized()
        if g.account and not g.account.get("active", True):
            raise forbidden("Your account has been blocked.")
    elif not request.path.startswith("/api/"):
        g.account = find_persona()
    if g.account:
        exchange().account = g.account["username"]
    elif request.path.startswith("/api/") and not request.path.endswith("/trigger/pipeline"):
        raise unauthorized()


def find_secret() -> str | None:
    """Return the token that a request carries: header, bearer, basic password, or argument."""
    if "PRIVATE-TOKEN" in request.headers:
        return request.headers["PRIVATE-TOKEN"]
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.args.get("private_token")


def find_persona() -> Body | None:
    """Return who looks at the pages: the cookie's account, else the first one."""
    if request.path.endswith((".git/info/refs", "git-upload-pack", "git-receive-pack")):
        return None
    accounts = [a for a in records().all("account") if a["token"]]
    chosen = request.cookies.get("persona")
    return next((a for a in accounts if a["username"] == chosen), accounts[0] if accounts else None)


def answer_refusal(refused: Refused) -> tuple[Response, int]:
    """Answer a refusal as GitLab does."""
    return jsonify(refused.body), refused.status


def answer_nothing_here(_error: Exception) -> tuple[Response, int]:
    """Answer an address that is not there."""
    return jsonify(error="404 Not Found"), 404


def answer_wrong_method(_error: Exception) -> tuple[Response, int]:
    """Answer a method that the address does not take."""
    return jsonify(error="405 Not Allowed"), 405


REASONS = {
    "500": "500 Internal Server Error",
    "502": "502 Bad Gateway",
    "503": "503 Service Unavailable",
}


def fault_answer(fault: Fault) -> Answer:
    """Return what a failing or overloaded GitLab answers."""
    if fault.effect in ("429", "rate_limit"):
        headers = [
            ("Content-Type", "text/plain"),
            ("Retry-After", str(fault.retry_after)),
            ("RateLimit-Limit", str(fault.limit)),
            ("RateLimit-Remaining", "0"),
        ]
        return Answer("429 Too Many Requests", headers, b"Retry later\n")
    if fault.effect == "500":
        body = b'{"message":"500 Internal Server Error"}'
        return Answer(REASONS["500"], [("Content-Type", "application/json")], body)
    headers = [("Content-Type", "text/html")]
    if fault.effect == "503":
        headers.append(("Retry-After", str(fault.retry_after)))
    reason = REASONS[fault.effect]
    return Answer(reason, headers, f"<html><body><h1>{reason}</h1></body></html>".encode())
