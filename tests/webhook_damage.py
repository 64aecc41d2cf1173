"""A thousand ways in which a webhook goes wrong."""

from __future__ import annotations

import base64
import hmac
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from webhook_calls import (
    GITLAB_TOKEN,
    JIRA_SECRET,
    MAX_BYTES,
    SIGNING_KEY,
    Call,
    gitlab_call,
    gitlab_event,
    good_call,
    jira_call,
    jira_event,
)


@dataclass(frozen=True)
class Spoiler:
    """A good webhook, never sent, that is about to be spoiled."""

    call: Call
    rng: random.Random
    now: datetime

    @property
    def is_jira(self) -> bool:
        return self.call.target.startswith("/jira")

    @property
    def signature(self) -> str:
        return "X-Hub-Signature" if self.is_jira else "webhook-signature"

    @property
    def signed(self) -> str:
        return self.call.header(self.signature)

    def new_name(self) -> str:
        return f"{self.rng.getrandbits(64):x}"

    def another(self) -> Call:
        """Another good webhook of the same product."""
        while (other := good_call(self.rng, self.now)).target != self.call.target:
            pass
        return other

    def with_body(self, body: bytes) -> Call:
        """Another body, signed with the right secret."""
        return jira_call(body) if self.is_jira else gitlab_call(body, self.now, self.new_name())


Damage = Callable[[Spoiler], Call]


def another_secret(s: Spoiler) -> Call:
    if s.is_jira:
        secret = s.rng.choice(["", "autre secret de jira", JIRA_SECRET.upper()])
        return jira_call(s.call.body, secret)
    return gitlab_call(s.call.body, s.now, s.new_name(), s.rng.randbytes(32))


def another_token(s: Spoiler) -> Call:
    token = s.rng.choice(["", "x", GITLAB_TOKEN[:-1], GITLAB_TOKEN + "x", "é" * 8])
    return gitlab_call(gitlab_event(), s.now, s.new_name(), token=token)


def stale_or_early(s: Spoiler) -> Call:
    sent = s.now + s.rng.choice([-1, 1]) * timedelta(seconds=s.rng.uniform(330, 10**7))
    if s.is_jira:
        return jira_call(jira_event(sent, n=s.new_name()))
    return gitlab_call(s.call.body, sent, s.new_name())


def dated_anew(s: Spoiler) -> Call:
    old = gitlab_call(gitlab_event(), s.now - timedelta(days=2), s.new_name())
    return old.with_header("webhook-timestamp", str(int(s.now.timestamp())))


def weaker_method(s: Spoiler) -> Call:
    body = jira_event(s.now, n=s.new_name())
    return jira_call(body, method=s.rng.choice(["sha1", "md5", "sha512"]))


def mangled_signature(s: Spoiler) -> Call:
    digest = s.signed.partition("=" if s.is_jira else ",")[2]
    others = [digest, f"sha1={digest}", f"v2,{digest}", f"v1a,{digest}", f"v1 {digest}", "v1,", "",
              "sha256=", s.signed[:-1], s.signed + "0", "v1,é", "v1,AAAA " * 50]  # fmt: skip
    return s.call.with_header(s.signature, s.rng.choice(others))


def flipped_bit(s: Spoiler) -> Call:
    body = bytearray(s.call.body)
    body[s.rng.randrange(len(body))] ^= 1 << s.rng.randrange(8)
    return replace(s.call, body=bytes(body))


def cut_body(s: Spoiler) -> Call:
    return replace(s.call, body=s.call.body[: s.rng.randrange(len(s.call.body))])


def added_bytes(s: Spoiler) -> Call:
    return replace(s.call, body=s.call.body + s.rng.randbytes(s.rng.randint(1, 9)))


def no_time(s: Spoiler) -> Call:
    """Signed with the right secret, at a time that is none."""
    if s.is_jira:
        odd = s.rng.choice([None, True, -1, 0, 1.5, "1", [], 10**400, float("nan")])
        return jira_call(jira_event(s.now, timestamp=odd, n=s.new_name()))
    moment, name = s.rng.choice(["", "-1", "1e9", "0", "9" * 400, "²"]), s.new_name()
    signed = f"{name}.{moment}.".encode("latin-1") + s.call.body
    digest = base64.b64encode(hmac.digest(SIGNING_KEY, signed, "sha256")).decode()
    changed = s.call.with_header("webhook-id", name).with_header("webhook-timestamp", moment)
    return changed.with_header("webhook-signature", f"v1,{digest}")


def no_event(s: Spoiler) -> Call:
    """Signed with the right secret, and nothing that we asked for."""
    event = jira_event(s.now)
    other = {"timestamp": int(s.now.timestamp() * 1000), "n": s.new_name()}
    bodies = [
        b"", b"[]", b"null", b'"jira:issue_updated"', b"{", b"\xff\xfe{}", b"[" * 30_000,
        b'{"webhookEvent":' * 4_000, event[:-1], event + b"x",
        event.decode().encode("utf-16"), event.decode().encode("latin-1"),
        json.dumps({**other, "webhookEvent": "user_created", "object_kind": "push"}).encode(),
        json.dumps({**other, "webhookEvent": ["comment_created"], "object_kind": {}}).encode(),
        b'{"timestamp": ' + b"9" * 9_000 + b', "webhookEvent": "jira:issue_updated"}',
    ]  # fmt: skip
    return s.with_body(s.rng.choice(bodies))


def header_twice(s: Spoiler) -> Call:
    if s.rng.random() < 0.5:
        return s.call.with_twice("Content-Type", "application/json")
    return s.call.with_twice(s.signature, s.rng.choice(["x", s.signed]))


def another_id(s: Spoiler) -> Call:
    call = gitlab_call(gitlab_event(), s.now, s.new_name())
    return call.with_header("webhook-id", s.rng.choice([None, "", "autre"]))


def wrong_media_type(s: Spoiler) -> Call:
    kinds = [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
             "application/json; charset=utf-16", "application/jsonp"]  # fmt: skip
    return s.call.with_header("Content-Type", s.rng.choice(kinds))


def wrong_method(s: Spoiler) -> Call:
    methods = ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "post", "POSTER"]
    return replace(s.call, method=s.rng.choice(methods))


def wrong_path(s: Spoiler) -> Call:
    paths = ["/", "/JIRA", "/jira/", "//jira", "/gitlab/../jira", "/%6aira", "/jira%00", "jira",
             "*", "/metrics", "/jira;x", "http://h/jira"]  # fmt: skip
    paths.append("/gitlab" if s.is_jira else "/jira")
    return replace(s.call, target=s.rng.choice(paths))


def too_large(s: Spoiler) -> Call:
    if s.rng.random() < 0.5:
        return s.call.with_header("Content-Length", str(MAX_BYTES + 1))
    pad = "x" * (MAX_BYTES + s.rng.randrange(9))
    return s.with_body(jira_event(s.now, object_kind="issue", pad=pad))


def lie_about_length(s: Spoiler) -> Call:
    length = len(s.call.body)
    lies = [str(length - 1), "0", "", "-1", "1e3", f"+{length}", f"{length}, {length + 1}", "²",
            "9" * 500, f"{length} {length}"]  # fmt: skip
    return s.call.with_header("Content-Length", s.rng.choice(lies))


def garbled_chunks(s: Spoiler) -> Call:
    body = s.call.body
    size = f"{len(body):x}".encode()
    garbled = [
        b"zz\r\n" + body, b"-5\r\n" + body + b"\r\n0\r\n\r\n", b"0\r\n\r\n", b"f" * 100,
        size + b"\r\n" + body + b"XX0\r\n\r\n", b"ffffffffffffffff\r\n" + body,
        b"100000\r\n" + body,
    ]  # fmt: skip
    call = s.call.with_header("Transfer-Encoding", "chunked")
    return replace(call, body=s.rng.choice(garbled))


def injected_header(s: Spoiler) -> Call:
    name, good = s.signature, s.signed
    tricks = [f"x\r\n{name}: {good}\r\n{name}: x", f"x\r\n {good}", f"{good}\r\n{name}: x",
              f"x\n{name}: {good}", f"{good}\0", f"x\r{name}: {good}", f"{good}, x",
              f"x\r\n\r\n{good}"]  # fmt: skip
    call = replace(another_secret(s), headers=s.call.headers)
    return call.with_header(name, s.rng.choice(tricks)).with_twice(name, "x")


def not_http(s: Spoiler) -> Call:
    wire = s.call.wire
    raws = [
        b"POST /jira\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n" * 50,
        wire.replace(b"HTTP/1.1", b"HTTP/9"), wire.replace(b" HTTP/1.1", b""),
        s.rng.randbytes(200) + b"\r\n\r\n", wire.replace(b": ", b" ", 3),
        b"POST /jira HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
        b"POST /" + b"j" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ]  # fmt: skip
    return replace(s.call, raw=s.rng.choice(raws), half_closes=True)


def compressed(s: Spoiler) -> Call:
    call = s.call.with_header("Content-Encoding", "gzip")
    return replace(call, body=b"\x1f\x8b" + s.rng.randbytes(60))


def half_closed(s: Spoiler) -> Call:
    return replace(s.call, raw=s.call.wire[: -s.rng.randint(1, 200)], half_closes=True)


def stalled(s: Spoiler) -> Call:
    wire = s.call.wire
    return replace(s.call, raw=wire[: s.rng.randrange(len(wire))], stalls=True)


def no_signature(s: Spoiler) -> Call:
    return s.call.with_header(s.signature, None)


def signature_of_another(s: Spoiler) -> Call:
    return s.call.with_header(s.signature, s.another().header(s.signature))


UNVERIFIED: Mapping[str, Damage] = {
    damage.__name__: damage
    for damage in (
        another_secret, another_token, no_signature, mangled_signature, signature_of_another,
        weaker_method, stale_or_early, dated_anew,
    )
}  # fmt: skip
"""What nothing but the verification holds back."""

DAMAGES: Mapping[str, Damage] = UNVERIFIED | {
    damage.__name__: damage
    for damage in (
        flipped_bit, cut_body, added_bytes, no_time, no_event, header_twice, another_id,
        wrong_media_type, wrong_method, wrong_path, too_large, lie_about_length, garbled_chunks,
        injected_header, not_http, compressed, half_closed, stalled,
    )
}  # fmt: skip


def repeat(call: Call, rng: random.Random) -> Call:
    """A webhook that was taken already, with other names for the delivery where none is signed."""
    name = f"{rng.getrandbits(64):x}"
    if call.target.startswith("/jira"):
        return call.with_header("X-Atlassian-Webhook-Identifier", name)
    return call.with_header("Idempotency-Key", name).with_header("X-Gitlab-Event-UUID", name)
