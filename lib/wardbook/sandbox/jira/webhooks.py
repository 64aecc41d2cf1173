"""Webhooks: registration, and delivery in the background after the change is durable.

Only loopback addresses are called. `X-Hub-Signature` is HMAC-SHA256 of the body when the webhook
has a secret; `X-Atlassian-Webhook-Identifier` names the delivery.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from functools import partial
from typing import Any

from flask import Blueprint, Response, g, jsonify

from wardbook.sandbox.delivery import deliver
from wardbook.sandbox.house import after_commit, house, json_body, records
from wardbook.sandbox.jira.beans import user_bean
from wardbook.sandbox.jira.refusals import Refused
from wardbook.sandbox.jira.ticket_beans import issue_bean
from wardbook.sandbox.store import Body

routes = Blueprint("webhooks", __name__, url_prefix="/rest/webhooks/1.0")


def announce(event: str, issue: Body | None, **details: Any) -> None:
    """Send an event to every webhook that wants it, once this request's changes are durable."""
    hooks = [h for h in records().all("jira.webhook") if event in h["events"] and h["enabled"]]
    if not hooks:
        return
    payload: Body = {"timestamp": int(time.time() * 1000), "webhookEvent": event}
    if issue is not None:
        payload |= {
            "issue_event_type_name": details.pop("issue_event_type_name", None),
            "user": user_bean(g.account["id"]),
            "issue": issue_bean(issue),
        }
    body = json.dumps({**payload, **details}).encode()
    for hook in hooks:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Atlassian HttpClient",
            "X-Atlassian-Webhook-Identifier": str(uuid.uuid4()),
        }
        if hook["secret"]:
            digest = hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={digest}"
        after_commit(partial(deliver, hook["url"], headers, body))


def hook_bean(hook: Body) -> Body:
    """Return a webhook; its secret stays here."""
    return {
        "name": hook["name"],
        "url": hook["url"],
        "events": hook["events"],
        "filters": hook["filters"],
        "excludeBody": False,
        "enabled": hook["enabled"],
        "self": f"{house().jira_url}/rest/webhooks/1.0/webhook/{hook['id']}",
    }


@routes.get("/webhook")
def list_hooks() -> Response:
    """Return the webhooks."""
    return jsonify([hook_bean(hook) for hook in records().all("jira.webhook")])


@routes.post("/webhook")
def create() -> tuple[Response, int]:
    """Register a webhook."""
    given = json_body()
    if not given.get("name") or not given.get("url"):
        raise Refused(400, "A webhook needs a name and a url.")
    hook = records().insert(
        "jira.webhook",
        {
            "name": given["name"],
            "url": given["url"],
            "events": list(given.get("events") or []),
            "filters": given.get("filters") or {},
            "enabled": given.get("enabled", True),
            "secret": given.get("secret"),
        },
    )
    return jsonify(hook_bean(hook)), 201


@routes.delete("/webhook/<int:hook_id>")
def delete(hook_id: int) -> tuple[str, int]:
    """Forget a webhook."""
    records().delete("jira.webhook", hook_id)
    return "", 204
