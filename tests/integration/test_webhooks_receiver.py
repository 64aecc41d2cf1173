"""The receiver on loopback: a storm of bad webhooks has no effect, and a good one still wakes."""

from __future__ import annotations

import gc
import logging
import random
import socket
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from webhook_calls import MAX_BYTES, Call, good_call, jira_call, jira_event, webhook_settings
from webhook_damage import DAMAGES, UNVERIFIED, Spoiler, repeat

from requests_sync.webhooks import judge as judging
from requests_sync.webhooks.judge import Verdict
from requests_sync.webhooks.memory import Memory
from requests_sync.webhooks.receiver import CONNECTIONS, Receiver
from wardbook.errors import SettingsFault

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SEED = 20261121
STORM = 1_000
PRIMES = 20
REPEATED = "repeated"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def listening(patience: float = 10.0) -> Iterator[tuple[Receiver, threading.Event, int]]:
    wake, port = threading.Event(), free_port()
    with Receiver(webhook_settings(port=port), wake, lambda: NOW, patience) as receiver:
        yield receiver, wake, port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def read_status(link: socket.socket) -> int | None:
    """Read until the server hangs up; return the status that it answered, if any."""
    answer = b""
    try:
        while piece := link.recv(65_536):
            answer += piece
    except ConnectionError:
        pass
    words = answer.split(maxsplit=2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else None


def send(port: int, call: Call) -> int | None:
    """Send one webhook and return the status of the answer."""
    with connect(port) as link:
        try:
            link.sendall(call.wire)
            if call.half_closes:
                link.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # turned away before it was sent whole
        return read_status(link)


def test_good_webhooks_wake() -> None:
    rng = random.Random(SEED)
    with listening() as (receiver, wake, port):
        for count in range(1, 11):
            wake.clear()
            assert send(port, good_call(rng, NOW)) == 204
            assert wake.is_set()
            assert receiver.verdicts == {Verdict.WOKEN: count}


def test_a_chunked_good_webhook_wakes() -> None:
    call = jira_call(jira_event(NOW))
    chunks = b"5\r\n" + call.body[:5] + b"\r\n%x\r\n" % (len(call.body) - 5) + call.body[5:]
    whole = call.with_header("Transfer-Encoding", "chunked")
    with listening() as (_, wake, port):
        head = whole.wire.partition(b"\r\n\r\n")[0]
        with connect(port) as link:
            link.sendall(head + b"\r\n\r\n" + chunks + b"\r\n0\r\n\r\n")
            assert read_status(link) == 204
        assert wake.is_set()


class Storm:
    """A seeded thousand of bad webhooks, sent one after the other; stalled ones stay open."""

    def __init__(self, receiver: Receiver, wake: threading.Event, port: int) -> None:
        self.receiver, self.wake, self.port = receiver, wake, port
        self.rng = random.Random(SEED)
        self.kinds: Counter[str] = Counter()
        self.statuses: Counter[int | None] = Counter()
        self.woke: Counter[str] = Counter()
        self.taken = [good_call(self.rng, NOW) for _ in range(PRIMES)]

    def prime(self) -> None:
        """Deliver the good webhooks that are repeated later."""
        for call in self.taken:
            assert send(self.port, call) == 204
        assert self.wake.is_set()
        self.wake.clear()

    def rage(self) -> None:
        names = [*DAMAGES, *[REPEATED] * 3]
        open_links: list[socket.socket] = []
        for number in range(STORM):
            kind = names[number % len(names)]
            self.kinds[kind] += 1
            call = self.spoil(kind)
            if call.stalls:
                open_links.append(connect(self.port))
                open_links[-1].sendall(call.wire)
                continue
            self.statuses[send(self.port, call)] += 1
            if self.wake.is_set():
                self.woke[kind] += 1
                self.wake.clear()
        for link in open_links:
            with link:
                self.statuses[read_status(link)] += 1

    def spoil(self, kind: str) -> Call:
        if kind == REPEATED:
            return repeat(self.rng.choice(self.taken), self.rng)
        return DAMAGES[kind](Spoiler(good_call(self.rng, NOW), self.rng, NOW))


def test_a_thousand_bad_webhooks_have_no_effect() -> None:
    with listening(patience=0.5) as (receiver, wake, port):
        storm = Storm(receiver, wake, port)
        storm.prime()
        threads = threading.active_count()
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        storm.rage()
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()

        assert sum(storm.kinds.values()) == STORM
        assert min(storm.kinds[kind] for kind in (*DAMAGES, REPEATED)) >= STORM // 40
        assert storm.woke == {}
        assert not wake.is_set()
        assert receiver.verdicts[Verdict.WOKEN] == PRIMES
        assert len(receiver.memory) == PRIMES
        assert threading.active_count() == threads
        assert kept < 2_000_000
        assert peak < 64 * MAX_BYTES
        answered = send(port, good_call(storm.rng, NOW))
        assert answered == 204
        assert wake.is_set()
    verdicts = {str(verdict): count for verdict, count in receiver.verdicts.items()}
    print(f"{STORM} bad webhooks of {len(storm.kinds)} kinds: {sum(storm.woke.values())} wakes")
    print(f"judged (with {PRIMES} good ones before and 1 after): {verdicts}")
    print(f"answered: {dict(storm.statuses)}; memory kept {kept:,} bytes, at most {peak:,}")


def test_control_with_verification_switched_off_the_same_storm_wakes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for guard in ("is_signed_by_jira", "is_signed_by_gitlab", "has_token", "is_fresh"):
        monkeypatch.setattr(judging, guard, lambda *_: True)
    monkeypatch.setattr(Memory, "admit", lambda *_: Verdict.WOKEN)
    with listening(patience=0.5) as (receiver, wake, port):
        storm = Storm(receiver, wake, port)
        storm.prime()
        storm.rage()
    for kind in (*UNVERIFIED, REPEATED):
        assert storm.woke[kind] > storm.kinds[kind] / 2, kind
    print(f"verification off, the same {STORM}: {sum(storm.woke.values())} wakes")


def test_nothing_of_a_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "DATA-4711-valeur"
    call = jira_call(jira_event(NOW, n=secret))
    with listening() as (_, _wake, port):
        for bad in (
            call.with_header("X-Hub-Signature", secret),
            call.with_header("Content-Length", secret),
            call.with_header(secret, "x"),
            call.with_header("X-Other", secret + "\0"),
            call,
        ):
            send(port, bad)
    assert "webhook: woken" in caplog.text
    assert secret not in caplog.text


def test_bodies_up_to_the_limit_are_taken_and_longer_ones_are_not() -> None:
    room = MAX_BYTES - len(jira_event(NOW, pad=""))
    with listening() as (_, wake, port):
        fits = jira_call(jira_event(NOW, pad="x" * room))
        assert len(fits.body) == MAX_BYTES
        assert send(port, fits) == 204
        wake.clear()
        # Only the head is sent: the answer must come before the body.
        longer = jira_call(jira_event(NOW, pad="x" * (room + 1)))
        with connect(port) as link:
            link.sendall(longer.wire.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
            assert read_status(link) == 413
        assert not wake.is_set()


def test_refusals_have_no_body_and_the_methods_that_are_allowed() -> None:
    with listening() as (_, _wake, port), connect(port) as link:
        link.sendall(b"GET /jira HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while piece := link.recv(4096):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: POST" in head
    assert body == b""
    assert b"server" not in head.lower()


def test_connections_are_bounded_and_idle_ones_are_hung_up() -> None:
    rng = random.Random(SEED)
    with listening(patience=1.0) as (receiver, wake, port):
        idle = [connect(port) for _ in range(CONNECTIONS)]
        crowd = [send(port, good_call(rng, NOW)) for _ in range(3)]
        assert not wake.is_set()
        assert receiver.verdicts == {Verdict.CROWDED: 3}
        # Its own words may be lost when it hangs up on one who still speaks.
        assert set(crowd) <= {429, None}
        for link in idle:
            with link:
                assert read_status(link) is None
        assert send(port, good_call(rng, NOW)) == 204
        assert wake.is_set()


def test_a_taken_port_is_told_with_its_mend() -> None:
    with listening() as (_, wake, port):
        taken: Any = Receiver(webhook_settings(port=port), wake, lambda: NOW)
        with pytest.raises(SettingsFault, match=r"\[webhooks\]"), taken:
            pass
