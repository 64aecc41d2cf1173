"""Webhooks as Jira and GitLab send them, signed here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from requests_sync.webhooks.judge import Request
from wardbook.settings import WebhookSettings

JIRA_SECRET = "clé-du-webhook-de-jira"
GITLAB_TOKEN = "jeton-du-webhook-gitlab"
SIGNING_KEY = bytes(range(32))
SIGNING_SECRET = "whsec_" + base64.b64encode(SIGNING_KEY).decode()
MAX_BYTES = 65_536


def webhook_settings(**changes: Any) -> WebhookSettings:
    given = {
        "jira_secret": JIRA_SECRET,
        "gitlab_secret": GITLAB_TOKEN,
        "gitlab_signing_secret": SIGNING_SECRET,
        "max_bytes": MAX_BYTES,
    }
    return WebhookSettings.model_validate(given | changes)


@dataclass(frozen=True)
class Call:
    """One webhook before it is sent; `raw` replaces everything that would be written for it."""

    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    method: str = "POST"
    raw: bytes | None = None
    stalls: bool = False
    half_closes: bool = False

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key == name)

    def with_header(self, name: str, value: str | None) -> Call:
        """The same call with a header replaced, or without it."""
        rest = tuple((key, old) for key, old in self.headers if key != name)
        return replace(self, headers=rest if value is None else (*rest, (name, value)))

    def with_twice(self, name: str, value: str) -> Call:
        return replace(self, headers=(*self.headers, (name, value)))

    @property
    def request(self) -> Request:
        return Request(self.method, self.target, self.headers, self.body)

    @property
    def wire(self) -> bytes:
        if self.raw is not None:
            return self.raw
        headers = [("Host", "localhost"), *self.headers]
        names = {key for key, _ in headers}
        if not {"Content-Length", "Transfer-Encoding"} & names:
            headers.append(("Content-Length", str(len(self.body))))
        head = "".join(f"{key}: {value}\r\n" for key, value in headers)
        return f"{self.method} {self.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + self.body


def jira_call(body: bytes, secret: str = JIRA_SECRET, method: str = "sha256") -> Call:
    digest = hmac.new(secret.encode(), body, method).hexdigest()
    return Call(
        "/jira?user_id=cmoreau&user_key=JIRAUSER1",
        (
            ("Content-Type", "application/json; charset=UTF-8"),
            ("X-Atlassian-Webhook-Identifier", "4e5a1b"),
            ("X-Hub-Signature", f"{method}={digest}"),
        ),
        body,
    )


def jira_event(sent: datetime, **more: Any) -> bytes:
    return json.dumps(
        {
            "timestamp": int(sent.timestamp() * 1000),
            "webhookEvent": "jira:issue_updated",
            "issue": {"key": "DATA-1", "fields": {"summary": "Séjours à l'hôpital"}},
        }
        | more,
        ensure_ascii=False,
    ).encode()


def gitlab_call(
    body: bytes, sent: datetime, name: str = "4f1c", key: bytes = SIGNING_KEY,
    token: str = GITLAB_TOKEN,
) -> Call:  # fmt: skip
    moment = str(int(sent.timestamp()))
    digest = hmac.new(key, f"{name}.{moment}.".encode() + body, hashlib.sha256).digest()
    return Call(
        "/gitlab",
        (
            ("Content-Type", "application/json"),
            ("Idempotency-Key", name),
            ("X-Gitlab-Event", "Issue Hook"),
            ("X-Gitlab-Event-UUID", "c0ffee"),
            ("X-Gitlab-Token", token),
            ("webhook-id", name),
            ("webhook-timestamp", moment),
            ("webhook-signature", f"v1,{base64.b64encode(digest).decode()}"),
        ),
        body,
    )


def gitlab_event(**more: Any) -> bytes:
    return json.dumps({"object_kind": "issue", "object_attributes": {"iid": 1}} | more).encode()


def good_call(rng: random.Random, now: datetime) -> Call:
    """A webhook that must wake: of either product, new, sent a little while ago."""
    sent = now - timedelta(seconds=rng.uniform(0, 200))
    if rng.random() < 0.5:
        return jira_call(jira_event(sent, n=rng.getrandbits(64)))
    return gitlab_call(
        gitlab_event(n=rng.getrandbits(64)), sent, str(uuid.UUID(int=rng.getrandbits(128)))
    )
