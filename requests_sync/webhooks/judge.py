"""Whether a received request is an authentic, fresh webhook. Pure: no network, no clock, no memory.

Jira signs the body: `X-Hub-Signature: sha256=<hex HMAC>` (WebSub's form), with its time in the
body. GitLab signs as Standard Webhooks does: `webhook-signature: v1,<base64 HMAC-SHA256 of
"id.timestamp.body">`, several of them separated by spaces, under a secret `whsec_<base64>`; older
versions only send a token, `X-Gitlab-Token`. Every secret that the unit set must hold.

Unsigned headers that name a delivery (`X-Atlassian-Webhook-Identifier`, `X-Gitlab-Event-UUID`,
`Idempotency-Key`) play no part: whoever repeats a webhook can change them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import SecretStr

from wardbook.settings import WebhookSettings, decode_signing_secret

TOLERANCE = timedelta(minutes=5)
"""How far a webhook's time may be from ours: for slow delivery and for clocks that differ."""

JIRA_EVENTS = frozenset(
    f"{prefix}{kind}"
    for prefix, kinds in {
        "jira:issue_": ("created", "updated", "deleted"),
        "comment_": ("created", "updated", "deleted"),
        "issuelink_": ("created", "deleted"),
        "attachment_": ("created", "deleted"),
    }.items()
    for kind in kinds
)
"""The events after which a pass may find something to do."""
GITLAB_EVENTS = frozenset({"issue", "work_item", "note", "merge_request"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONCE = frozenset(
    {
        "content-type", "content-length", "x-hub-signature", "x-gitlab-token", "webhook-id",
        "webhook-timestamp", "webhook-signature",
    }
)  # fmt: skip


class Verdict(StrEnum):
    """What became of a request. Only `WOKEN` has an effect."""

    WOKEN = "woken"
    NOWHERE = "nowhere"
    """The path is none of ours, or no secret is set for it."""
    METHOD = "method"
    TYPE = "type"
    TOO_LARGE = "too large"
    MALFORMED = "malformed"
    """A header stands twice, or the body is no event."""
    UNASKED = "unasked"
    """Authentic, of a kind that changes nothing for us. Not an error: GitLab switches off a hook
    that answers errors, and a hook made by its API sends pushes unless told otherwise."""
    FORGED = "forged"
    STALE = "stale"
    REPEATED = "repeated"
    CROWDED = "crowded"
    """More at once than we take; the sender may try again."""

    @property
    def status(self) -> int:
        """The HTTP status that says so, and no more: forged, stale and repeated look alike."""
        return _STATUS[self]


_STATUS: Mapping[Verdict, int] = {
    Verdict.WOKEN: 204,
    Verdict.UNASKED: 204,
    Verdict.NOWHERE: 404,
    Verdict.METHOD: 405,
    Verdict.TYPE: 415,
    Verdict.TOO_LARGE: 413,
    Verdict.MALFORMED: 400,
    Verdict.FORGED: 401,
    Verdict.STALE: 401,
    Verdict.REPEATED: 401,
    Verdict.CROWDED: 429,
}


@dataclass(frozen=True, repr=False)
class Request:
    """One HTTP request, read whole; header values are text of one byte per character."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header, whose name is given in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, repr=False)
class Keys:
    """The secrets; a product without any cannot wake us."""

    jira: bytes | None = None
    gitlab_token: bytes | None = None
    gitlab_signing: bytes | None = None

    @classmethod
    def of(cls, settings: WebhookSettings) -> Keys:
        """Take the keys out of the settings."""
        signing = settings.gitlab_signing_secret
        return cls(
            _bytes(settings.jira_secret),
            _bytes(settings.gitlab_secret),
            decode_signing_secret(signing.get_secret_value()) if signing else None,
        )


@dataclass(frozen=True)
class Authentic:
    """A good webhook: what it is recognised by when repeated, and until when it would be good."""

    identity: bytes
    until: datetime


Judgement = Authentic | Verdict


def judge(request: Request, keys: Keys, now: datetime) -> Judgement:
    """Decide about one request; nothing of its body is used further."""
    judge_sender = _SENDERS.get(request.target.partition("?")[0])
    if judge_sender is None:
        return Verdict.NOWHERE
    if request.method != "POST":
        return Verdict.METHOD
    if not is_json(request):
        return Verdict.TYPE
    if repeats_a_header(request):
        return Verdict.MALFORMED
    return judge_sender(request, keys, now)


def judge_jira(request: Request, keys: Keys, now: datetime) -> Judgement:
    """Decide about a request at Jira's address."""
    if keys.jira is None:
        return Verdict.NOWHERE
    if not is_signed_by_jira(request, keys.jira):
        return Verdict.FORGED
    event = read_event(request.body, "webhookEvent")
    if event is None:
        return Verdict.MALFORMED
    sent = read_instant(event.get("timestamp"), milliseconds=1)
    if sent is None:
        return Verdict.MALFORMED
    if not is_fresh(sent, now):
        return Verdict.STALE
    if event["webhookEvent"] not in JIRA_EVENTS:
        return Verdict.UNASKED
    return Authentic(_digest(b"jira", request.body), sent + TOLERANCE)


def judge_gitlab(request: Request, keys: Keys, now: datetime) -> Judgement:
    """Decide about a request at GitLab's address.

    Without a signature nothing says when it was sent: it counts as sent now.
    """
    if keys.gitlab_token is None and keys.gitlab_signing is None:
        return Verdict.NOWHERE
    if keys.gitlab_token is not None and not has_token(request, keys.gitlab_token):
        return Verdict.FORGED
    sent, identity = now, _digest(b"gitlab", request.body)
    if keys.gitlab_signing is not None:
        if not is_signed_by_gitlab(request, keys.gitlab_signing):
            return Verdict.FORGED
        told = _read_seconds(request.header("webhook-timestamp"))
        if told is None:
            return Verdict.MALFORMED
        sent, identity = told, _digest(b"gitlab-id", _raw(request.header("webhook-id")))
    if not is_fresh(sent, now):
        return Verdict.STALE
    event = read_event(request.body, "object_kind")
    if event is None:
        return Verdict.MALFORMED
    if event["object_kind"] not in GITLAB_EVENTS:
        return Verdict.UNASKED
    return Authentic(identity, sent + TOLERANCE)


_SENDERS: Mapping[str, Callable[[Request, Keys, datetime], Judgement]] = {
    "/jira": judge_jira,
    "/gitlab": judge_gitlab,
}


def is_json(request: Request) -> bool:
    """Tell whether the body is declared as JSON, in UTF-8 if it says so."""
    kind, *parameters = (request.header("content-type") or "").lower().split(";")
    allowed = all(part.strip() in {"", "charset=utf-8"} for part in parameters)
    return kind.strip() == "application/json" and allowed


def repeats_a_header(request: Request) -> bool:
    """Tell whether a header that we judge by stands twice: a proxy may have read the other one."""
    names = [key.lower() for key, _ in request.headers if key.lower() in _ONCE]
    return len(names) != len(set(names))


def is_signed_by_jira(request: Request, key: bytes) -> bool:
    """Tell whether `X-Hub-Signature` is the body's HMAC-SHA256; no other method counts."""
    expected = b"sha256=" + hmac.new(key, request.body, hashlib.sha256).hexdigest().encode()
    return hmac.compare_digest(_raw(request.header("x-hub-signature")), expected)


def has_token(request: Request, token: bytes) -> bool:
    """Tell whether `X-Gitlab-Token` is ours."""
    return hmac.compare_digest(_raw(request.header("x-gitlab-token")), token)


def is_signed_by_gitlab(request: Request, key: bytes) -> bool:
    """Tell whether one of the signatures of version 1 is right for id, time and body."""
    moment, identity = request.header("webhook-timestamp"), request.header("webhook-id")
    if not moment or not identity:
        return False
    signed = b".".join((_raw(identity), _raw(moment), request.body))
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
    given = _raw(request.header("webhook-signature")).split(b" ")
    return any(hmac.compare_digest(one, expected) for one in given)


def read_event(body: bytes, name: str) -> Mapping[str, Any] | None:
    """Return the body as a JSON object whose `name` is the name of an event, or None."""
    try:
        # Decoded here: the JSON reader would guess UTF-16 and UTF-32 as well.
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get(name), str) else None


def read_instant(value: object, *, milliseconds: int) -> datetime | None:
    """Return the moment that a whole number of units since 1970 means, or None.

    Args:
        value: what was received.
        milliseconds: length of the unit.
    """
    if type(value) is not int or not 0 < value * milliseconds < 10**14:
        return None
    return _EPOCH + timedelta(milliseconds=value * milliseconds)


def is_fresh(sent: datetime, now: datetime) -> bool:
    """Tell whether a webhook was sent within the tolerance, before or after our own time."""
    return abs(now - sent) <= TOLERANCE


def _read_seconds(text: str | None) -> datetime | None:
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return read_instant(int(text), milliseconds=1000)


def _raw(value: str | None) -> bytes:
    """Return a header's value as it came over the wire."""
    return (value or "").encode("latin-1", "replace")


def _digest(kind: bytes, content: bytes) -> bytes:
    return hashlib.sha256(kind + b"\0" + content).digest()


def _bytes(secret: SecretStr | None) -> bytes | None:
    return secret.get_secret_value().encode() if secret else None
