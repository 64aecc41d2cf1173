"""Jira's application: who asks, what is refused, and the folders of routes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from flask import Flask, Response, g, jsonify, request

from wardbook.sandbox.admin import admin
from wardbook.sandbox.faults import Fault
from wardbook.sandbox.house import exchange, house, records
from wardbook.sandbox.jira.beans import is_active
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.pages import prepare_pages
from wardbook.sandbox.routing import pages_folder, prepare_routing
from wardbook.sandbox.store import Body
from wardbook.sandbox.transport import Answer, WSGIApp

OPEN_PREFIXES = ("/_sandbox/", "/static/")
OPEN_PATHS = frozenset({"/rest/api/2/serverInfo"})


@cache
def create_app() -> Flask:
    """Build the WSGI application of every Jira of this process."""
    from wardbook.sandbox.jira import (
        attachments,
        comments,
        issues,
        links,
        metadata,
        pages,
        search,
        webhooks,
    )

    app = Flask(__name__, static_folder=str(pages_folder() / "static"))
    app.wsgi_app = read_latest_as_two(app.wsgi_app)  # type: ignore[assignment, method-assign]
    prepare_routing(app)
    prepare_pages(app)
    app.before_request(sign_in)
    app.register_error_handler(Refused, answer_refusal)
    app.register_error_handler(404, answer_nothing_here)
    app.register_error_handler(405, answer_wrong_method)
    for module in (metadata, search, issues, comments, attachments, links, webhooks):
        app.register_blueprint(module.routes)
    app.register_blueprint(pages.routes)
    app.register_blueprint(admin)
    return app


def read_latest_as_two(inner: WSGIApp) -> WSGIApp:
    """Answer `/rest/api/latest/…`, by which the client assigns tickets, as version 2."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        environ["PATH_INFO"] = path.replace("/rest/api/latest/", "/rest/api/2/", 1)
        return inner(environ, start_response)

    return answer


def sign_in() -> None:
    """Find the account of the request: token, basic authentication, or the pages' cookie."""
    if request.path.startswith(OPEN_PREFIXES):
        return
    g.account = find_account(request.headers.get("Authorization", ""))
    if g.account is None and not request.path.startswith("/rest/"):
        g.account = find_persona()
    if g.account:
        exchange().account = g.account["username"]
    elif request.path.startswith("/rest/") and request.path not in OPEN_PATHS:
        raise Refused(
            401, "You are not authenticated. Authentication required to perform this operation."
        )


def find_account(header: str) -> Body | None:
    """Return the account of an `Authorization` header; None without one.

    Raises:
        Refused: 401, the header's secret is wrong.
    """
    if not header:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() == "bearer":
        account = records().find("account.token", secret)
        account = account and records().get("account", account["account"])
    else:
        account = find_by_password(secret)
    if account is None or not is_active(account):
        raise Refused(401, "Client must be authenticated to access this resource.")
    return account


def find_by_password(secret: str) -> Body | None:
    """Return the account of a basic authentication; Cloud's user name is the e-mail address."""
    try:
        name, _, password = base64.b64decode(secret).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    accounts = records().all("account")
    wanted = "email" if house().flavour == "cloud" else "username"
    return next(
        (a for a in accounts if a[wanted] == name and a["token"] and a["token"] == password), None
    )


def find_persona() -> Body | None:
    """Return who looks at the pages: the cookie's account, else the first one."""
    accounts = [a for a in records().all("account") if a["token"]]
    chosen = request.cookies.get("persona")
    return next((a for a in accounts if a["username"] == chosen), accounts[0] if accounts else None)


def answer_refusal(refused: Refused) -> tuple[Response, int]:
    """Answer a refusal as Jira does."""
    return jsonify(errorMessages=refused.messages, errors=refused.fields), refused.status


def answer_nothing_here(_error: Exception) -> tuple[Response, int]:
    """Answer an address that is not there."""
    return jsonify(errorMessages=["null for uri: " + request.url], errors={}), 404


def answer_wrong_method(_error: Exception) -> tuple[Response, int]:
    """Answer a method that the address does not take."""
    return jsonify(errorMessages=["Method Not Allowed"], errors={}), 405


REASONS = {
    "500": "500 Internal Server Error",
    "502": "502 Bad Gateway",
    "503": "503 Service Unavailable",
}


def fault_answer(fault: Fault) -> Answer:
    """Return what a failing or overloaded Jira answers."""
    if fault.effect in ("429", "rate_limit"):
        return Answer(
            "429 Too Many Requests",
            [
                ("Content-Type", "application/json"),
                ("Retry-After", str(fault.retry_after)),
                ("X-RateLimit-Remaining", "0"),
            ],
            b'{"errorMessages":["Rate limit exceeded."],"errors":{}}',
        )
    headers = [("Content-Type", "text/html;charset=UTF-8")]
    if fault.effect == "503":
        headers.append(("Retry-After", str(fault.retry_after)))
    reason = REASONS[fault.effect]
    return Answer(reason, headers, f"<html><body><h1>{reason}</h1></body></html>".encode())
