"""Which webhooks are good: each guard refuses its damage, and only it does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from webhook_calls import (
    GITLAB_TOKEN,
    JIRA_SECRET,
    SIGNING_SECRET,
    Call,
    gitlab_call,
    gitlab_event,
    jira_call,
    jira_event,
    webhook_settings,
)

from requests_sync.webhooks import judge as judging
from requests_sync.webhooks.judge import (
    GITLAB_EVENTS,
    JIRA_EVENTS,
    TOLERANCE,
    Authentic,
    Keys,
    Verdict,
    judge,
)
from requests_sync.webhooks.memory import Memory

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEYS = Keys.of(webhook_settings())
JIRA = jira_call(jira_event(NOW))
GITLAB = gitlab_call(gitlab_event(), NOW)
SECOND = timedelta(seconds=1)


def verdict(call: Call, keys: Keys = KEYS, now: datetime = NOW) -> Verdict:
    judged = judge(call.request, keys, now)
    return Verdict.WOKEN if isinstance(judged, Authentic) else judged


STALE = NOW - TOLERANCE - SECOND
EARLY = NOW + TOLERANCE + SECOND
DAMAGED: list[tuple[str, Call, Verdict, str, object]] = [
    # name, damaged call, verdict, the guard, what it answers when it is switched off
    ("jira secret", jira_call(JIRA.body, "autre secret de jira"), Verdict.FORGED,
     "is_signed_by_jira", True),
    ("jira sha1", jira_call(JIRA.body, method="sha1"), Verdict.FORGED, "is_signed_by_jira", True),
    ("jira unsigned", JIRA.with_header("X-Hub-Signature", None), Verdict.FORGED,
     "is_signed_by_jira", True),
    ("jira body", replace(JIRA, body=JIRA.body.replace(b"DATA-1", b"DATA-2")), Verdict.FORGED,
     "is_signed_by_jira", True),
    ("jira stale", jira_call(jira_event(STALE)), Verdict.STALE, "is_fresh", True),
    ("jira early", jira_call(jira_event(EARLY)), Verdict.STALE, "is_fresh", True),
    ("jira no event", jira_call(jira_event(NOW, webhookEvent=None)), Verdict.MALFORMED,
     "read_event", json.loads(JIRA.body)),
    ("jira no time", jira_call(jira_event(NOW, timestamp=None)), Verdict.MALFORMED,
     "read_instant", NOW),
    ("gitlab key", gitlab_call(GITLAB.body, NOW, key=b"k" * 32), Verdict.FORGED,
     "is_signed_by_gitlab", True),
    ("gitlab v2", GITLAB.with_header("webhook-signature", GITLAB.header("webhook-signature")
     .replace("v1", "v2")), Verdict.FORGED, "is_signed_by_gitlab", True),
    ("gitlab body", replace(GITLAB, body=GITLAB.body.replace(b"1", b"2")), Verdict.FORGED,
     "is_signed_by_gitlab", True),
    ("gitlab dated anew", gitlab_call(GITLAB.body, STALE).with_header(
        "webhook-timestamp", str(int(NOW.timestamp()))), Verdict.FORGED,
     "is_signed_by_gitlab", True),
    ("gitlab token", gitlab_call(GITLAB.body, NOW, token="autre"), Verdict.FORGED,
     "has_token", True),
    ("gitlab stale", gitlab_call(GITLAB.body, STALE), Verdict.STALE, "is_fresh", True),
    ("gitlab early", gitlab_call(GITLAB.body, EARLY), Verdict.STALE, "is_fresh", True),
    ("gitlab no event", gitlab_call(gitlab_event(object_kind=None), NOW), Verdict.MALFORMED,
     "read_event", json.loads(GITLAB.body)),
    ("media type", JIRA.with_header("Content-Type", "text/plain"), Verdict.TYPE, "is_json", True),
    ("header twice", JIRA.with_twice("x-hub-signature", "sha256=0"), Verdict.MALFORMED,
     "repeats_a_header", False),
]  # fmt: skip


@pytest.mark.parametrize("call", [JIRA, GITLAB], ids=["jira", "gitlab"])
def test_a_good_webhook_wakes(call: Call) -> None:
    assert verdict(call) is Verdict.WOKEN


@pytest.mark.parametrize(
    ("call", "expected", "guard", "off"), [row[1:] for row in DAMAGED], ids=[r[0] for r in DAMAGED]
)
def test_each_guard_refuses_its_damage_and_nothing_else_does(
    monkeypatch: pytest.MonkeyPatch, call: Call, expected: Verdict, guard: str, off: object
) -> None:
    assert verdict(call) is expected
    monkeypatch.setattr(judging, guard, lambda *_, **__: off)
    assert verdict(call) is Verdict.WOKEN


def test_only_post_at_the_two_paths() -> None:
    for method in ("GET", "PUT", "HEAD", "post", ""):
        assert verdict(replace(JIRA, method=method)) is Verdict.METHOD
    for target in ("/", "/jira/", "/JIRA", "//jira", "/gitlab/../jira", "/%6aira", "jira", ""):
        assert verdict(replace(JIRA, target=target)) is Verdict.NOWHERE
    assert verdict(replace(JIRA, target="/jira")) is Verdict.WOKEN


def test_a_product_without_a_secret_cannot_wake() -> None:
    unsigned = JIRA.with_header("X-Hub-Signature", None)
    for call in (JIRA, unsigned, jira_call(JIRA.body, "")):
        assert verdict(call, Keys(gitlab_token=b"t")) is Verdict.NOWHERE
    bare = replace(GITLAB, headers=(("Content-Type", "application/json"),))
    for call in (GITLAB, bare):
        assert verdict(call, Keys(jira=b"s")) is Verdict.NOWHERE


def test_either_secret_of_gitlab_is_enough_where_only_it_is_set() -> None:
    token_only = Keys(gitlab_token=GITLAB_TOKEN.encode())
    unsigned = GITLAB.with_header("webhook-signature", None)
    assert verdict(unsigned, token_only) is Verdict.WOKEN
    assert verdict(gitlab_call(GITLAB.body, NOW, token="autre"), token_only) is Verdict.FORGED
    signing_only = Keys(gitlab_signing=KEYS.gitlab_signing)
    assert verdict(GITLAB.with_header("X-Gitlab-Token", None), signing_only) is Verdict.WOKEN
    assert verdict(unsigned, signing_only) is Verdict.FORGED


def test_one_right_signature_among_several_is_enough() -> None:
    right = GITLAB.header("webhook-signature")
    for value in (f"v1,AAAA {right}", f"{right} v2,x", f"v1a,k {right} v1,"):
        assert verdict(GITLAB.with_header("webhook-signature", value)) is Verdict.WOKEN
    assert verdict(GITLAB.with_header("webhook-signature", "v1,AAAA v1,")) is Verdict.FORGED


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_tolerance_is_five_minutes_to_the_second(sign: int) -> None:
    for sent, expected in ((TOLERANCE, Verdict.WOKEN), (TOLERANCE + SECOND, Verdict.STALE)):
        assert verdict(gitlab_call(GITLAB.body, NOW + sign * sent)) is expected
        assert verdict(jira_call(jira_event(NOW + sign * sent))) is expected
    assert timedelta(minutes=5) == TOLERANCE


@pytest.mark.parametrize(
    "told", [True, 0, -1, 1.5, "1", [], {}, 10**400, 10**17, float("inf"), None]
)
def test_a_time_that_is_none_is_refused(told: object) -> None:
    assert verdict(jira_call(jira_event(NOW, timestamp=told))) is Verdict.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"{", b"\xff", b"[" * 200_000, b'{"a":' * 200_000,
        JIRA.body.decode().encode("utf-16"), JIRA.body.decode().encode("latin-1"),
        JIRA.body + b"x", b'{"webhookEvent": ["jira:issue_updated"]}',
        b'{"timestamp": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    assert verdict(jira_call(body)) is Verdict.MALFORMED
    assert verdict(gitlab_call(body, NOW)) is Verdict.MALFORMED


def test_an_authentic_event_of_another_kind_has_no_effect_and_is_no_error() -> None:
    assert verdict(jira_call(jira_event(NOW, webhookEvent="user_created"))) is Verdict.UNASKED
    assert verdict(gitlab_call(gitlab_event(object_kind="push"), NOW)) is Verdict.UNASKED


def test_a_repeated_webhook_has_no_effect_however_its_delivery_is_named() -> None:
    memory = Memory()
    for call in (JIRA, GITLAB):
        first = judge(call.request, KEYS, NOW)
        assert isinstance(first, Authentic)
        assert memory.admit(first, NOW) is Verdict.WOKEN
    for call in (
        JIRA.with_header("X-Atlassian-Webhook-Identifier", "autre"),
        GITLAB.with_header("Idempotency-Key", "autre"),
        gitlab_call(GITLAB.body, NOW + SECOND),  # sent again by GitLab: the id stays
    ):
        again = judge(call.request, KEYS, NOW)
        assert isinstance(again, Authentic)
        assert memory.admit(again, NOW) is Verdict.REPEATED
    other = judge(gitlab_call(GITLAB.body, NOW, "another").request, KEYS, NOW)
    assert isinstance(other, Authentic)
    assert memory.admit(other, NOW) is Verdict.WOKEN


@pytest.mark.parametrize("sent", [NOW - TOLERANCE, NOW, NOW + TOLERANCE])
def test_a_webhook_is_remembered_exactly_as_long_as_it_is_fresh(sent: datetime) -> None:
    memory = Memory()
    call = jira_call(jira_event(sent))
    judged = judge(call.request, KEYS, NOW)
    assert isinstance(judged, Authentic)
    assert memory.admit(judged, NOW) is Verdict.WOKEN
    assert memory.admit(judged, sent + TOLERANCE) is Verdict.REPEATED
    after = sent + TOLERANCE + timedelta(milliseconds=1)
    assert verdict(call, now=after) is Verdict.STALE
    memory.admit(Authentic(b"other", after), after)
    assert len(memory) == 1


def test_a_full_memory_refuses_new_ones_and_forgets_none() -> None:
    memory = Memory(capacity=3)
    marks = [Authentic(bytes([n]), NOW + TOLERANCE) for n in range(4)]
    assert [memory.admit(m, NOW) for m in marks[:3]] == [Verdict.WOKEN] * 3
    assert memory.admit(marks[3], NOW) is Verdict.CROWDED
    assert memory.admit(marks[0], NOW) is Verdict.REPEATED
    assert len(memory) == 3
    later = NOW + TOLERANCE + SECOND
    assert memory.admit(replace(marks[3], until=later), later) is Verdict.WOKEN
    assert len(memory) == 1


def test_every_verdict_has_a_status_that_tells_no_detail() -> None:
    assert {v.status for v in Verdict} == {204, 400, 401, 404, 405, 413, 415, 429}
    assert {v for v in Verdict if v.status < 400} == {Verdict.WOKEN, Verdict.UNASKED}
    assert len({v.status for v in (Verdict.FORGED, Verdict.STALE, Verdict.REPEATED)}) == 1


def test_the_keys_are_those_of_the_settings() -> None:
    assert Keys(JIRA_SECRET.encode(), GITLAB_TOKEN.encode(), bytes(range(32))) == KEYS
    assert SIGNING_SECRET not in repr(webhook_settings())


@pytest.mark.shared_data
def test_recorded_jira_webhooks_wake(shared: Path) -> None:
    folder = shared / "contracts/jira/mattermost+mattermost-plugin-jira/server/testdata"
    files = sorted(folder.glob("webhook*.json"))
    assert len(files) >= 20
    for file in files:
        body = file.read_bytes()
        event = json.loads(body)
        sent = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        assert event["webhookEvent"] in JIRA_EVENTS
        assert verdict(jira_call(body), now=sent + SECOND) is Verdict.WOKEN, file.name
        assert verdict(jira_call(body)) is Verdict.STALE, file.name
        assert verdict(jira_call(body, "un autre secret"), now=sent) is Verdict.FORGED, file.name
    print(f"{len(files)} recorded webhooks of Jira wake")


@pytest.mark.shared_data
def test_recorded_gitlab_webhooks_wake_where_they_are_of_use(shared: Path) -> None:
    contracts = shared / "contracts/gitlab"
    files = [
        *contracts.glob("go-playground+webhooks/testdata/gitlab/*.json"),
        *contracts.glob("xanzy+go-gitlab/testdata/webhooks/*.json"),
    ]
    counts = {Verdict.WOKEN: 0, Verdict.UNASKED: 0, Verdict.MALFORMED: 0}
    for file in files:
        body = file.read_bytes()
        kind = json.loads(body).get("object_kind")
        expected = Verdict.WOKEN if kind in GITLAB_EVENTS else Verdict.UNASKED
        if kind is None:  # GitLab's old system hooks, which are no project's
            expected = Verdict.MALFORMED
        assert verdict(gitlab_call(body, NOW)) is expected, file.name
        assert verdict(gitlab_call(body, NOW, key=b"k" * 32)) is Verdict.FORGED, file.name
        counts[expected] += 1
    assert counts[Verdict.WOKEN] >= 15
    print(f"recorded webhooks of GitLab: {counts}")
