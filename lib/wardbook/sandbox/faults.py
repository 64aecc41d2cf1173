"""Faults that tests switch on by rule: which request, which time, what happens to it.

Rules live in memory: a restarted sandbox is healthy. A rule sees the decoded path without its
query. `nth` counts the requests that match the rule, from 1.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Effect = Literal[
    "500",
    "502",
    "503",
    "429",
    "cut_before",
    "cut_after",
    "hold_before",
    "hold_after",
    "latency",
    "rate_limit",
]
Outcome = Literal["go", "drop"]
Server = Literal["jira", "gitlab", "grafana"]


@dataclass(frozen=True)
class Fault:
    """One rule.

    Args:
        server: `jira`, `gitlab` or `grafana`.
        effect: `500`, `502`, `503`, `429` answer so and do nothing; `cut_before` closes the
            connection and does nothing; `cut_after` does it and closes without an answer;
            `hold_before` and `hold_after` block until `release`; `latency` waits `latency_ms`;
            `rate_limit` answers 429 beyond `limit` requests in `per_seconds`.
        method: regular expression that the whole method matches.
        path: regular expression, searched in the path.
        nth: only the nth matching request; None: every one.
        probability: of each matching request, drawn from `seed`.
        retry_after: seconds in the header `Retry-After` of a 429 or 503.
    """

    server: Server
    effect: Effect
    method: str = ".*"
    path: str = ""
    nth: int | None = None
    probability: float = 1.0
    seed: int = 0
    latency_ms: int = 0
    retry_after: int = 1
    limit: int = 0
    per_seconds: float = 60.0

    def __post_init__(self) -> None:
        # A rule that can never strike would make a test pass for nothing.
        if self.effect not in get_args(Effect) or self.server not in get_args(Server):
            raise ValueError(f"no such fault: {self.effect!r} of {self.server!r}")
        for pattern in (self.method, self.path):
            re.compile(pattern)


@dataclass
class Rule:
    """A fault with what it has seen so far."""

    fault: Fault
    chance: random.Random
    seen: int = 0
    fired: int = 0
    recent: deque[float] = field(default_factory=deque)

    def strikes(self, server: str, method: str, path: str, moment: float) -> bool:
        """Decide whether the fault happens to this request, and count the request."""
        fault = self.fault
        if server != fault.server or not re.fullmatch(fault.method, method):
            return False
        if not re.search(fault.path, path):
            return False
        self.seen += 1
        if fault.effect == "rate_limit":
            return self._is_over_limit(moment)
        hit = fault.nth in (None, self.seen) and self.chance.random() < fault.probability
        self.fired += hit
        return hit

    def _is_over_limit(self, moment: float) -> bool:
        while self.recent and self.recent[0] <= moment - self.fault.per_seconds:
            self.recent.popleft()
        if len(self.recent) >= self.fault.limit:
            self.fired += 1
            return True
        self.recent.append(moment)
        return False


@dataclass
class Held:
    """A request that waits for `release`."""

    id: int
    method: str
    path: str
    effect: str
    released: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome = "go"


class Faults:
    """The rules in force and the requests that they hold."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._rules: list[Rule] = []
        self._held: dict[int, Held] = {}
        self._next = 0

    def add(self, fault: Fault) -> None:
        """Put a rule in force."""
        with self._lock:
            # Chance is wanted reproducible here, not secret.
            self._rules.append(Rule(fault, random.Random(fault.seed)))  # noqa: S311

    def clear(self) -> None:
        """Drop all rules and let every held request go on."""
        with self._lock:
            self._rules.clear()
        self.release()

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules with how many requests they matched and struck."""
        with self._lock:
            return [{**asdict(r.fault), "seen": r.seen, "fired": r.fired} for r in self._rules]

    def strike(self, server: str, method: str, path: str) -> Fault | None:
        """Return the first fault that happens to this request; every rule counts it."""
        with self._lock:
            hits = [
                r.fault for r in self._rules if r.strikes(server, method, path, time.monotonic())
            ]
        return hits[0] if hits else None

    def hold(self, method: str, path: str, effect: str) -> Outcome:
        """Block the calling thread until the request is released."""
        with self._lock:
            self._next += 1
            held = Held(self._next, method, path, effect)
            self._held[held.id] = held
            self._lock.notify_all()
        held.released.wait()
        return held.outcome

    def held(self) -> list[dict[str, Any]]:
        """Return the requests that wait."""
        with self._lock:
            return [
                {"id": h.id, "method": h.method, "path": h.path, "effect": h.effect}
                for h in self._held.values()
            ]

    def wait_held(self, count: int = 1, timeout: float = 30.0) -> bool:
        """Wait until `count` requests are held; False when `timeout` seconds pass before."""
        with self._lock:
            return self._lock.wait_for(lambda: len(self._held) >= count, timeout)

    def release(self, held_id: int | None = None, outcome: Outcome = "go") -> int:
        """Let one held request, or all, go on, or drop it (no effect, no answer).

        Returns how many were released.
        """
        with self._lock:
            chosen = [h for h in self._held.values() if held_id in (None, h.id)]
            for held in chosen:
                held.outcome = outcome
                del self._held[held.id]
                held.released.set()
            return len(chosen)
