"""Which webhooks were taken already. Bounded: what no longer would be good is forgotten."""

from __future__ import annotations

import heapq
from datetime import datetime

from requests_sync.webhooks.judge import Authentic, Verdict

CAPACITY = 10_000


class Memory:
    """Identities of good webhooks, each as long as a repeated one would still be fresh.

    Only authentic webhooks get in, so a stranger cannot fill it. When it is full new ones are
    refused rather than old ones forgotten: a missed wake costs a little time, and polling goes on.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: set[bytes] = set()
        self._ends: list[tuple[datetime, bytes]] = []

    def __len__(self) -> int:
        return len(self._known)

    def admit(self, webhook: Authentic, now: datetime) -> Verdict:
        """Remember a webhook; `WOKEN` the first time, else why it has no effect."""
        while self._ends and self._ends[0][0] < now:
            self._known.discard(heapq.heappop(self._ends)[1])
        if webhook.identity in self._known:
            return Verdict.REPEATED
        if len(self._known) >= self._capacity:
            return Verdict.CROWDED
        self._known.add(webhook.identity)
        heapq.heappush(self._ends, (webhook.until, webhook.identity))
        return Verdict.WOKEN
