"""Tells what happens to the demonstration's requests, as it happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.house import House

STATIONS: Mapping[str, str] = {
    "ticket.received": "read",
    "gate.accepted": "gate",
    "gate.refused": "gate",
    "request.prepared": "prepare",
    "run.started": "run",
    "run.failed": "run",
    "run.checked": "check",
    "release.standing": "release",
    "release.held": "release",
    "release.approved": "release",
    "deliverable.delivered": "deliver",
    "request.answered": "answer",
}
"""The station of the way that each event belongs to."""


@dataclass(frozen=True)
class News:
    """One event of a request: `trail` are the stations it has come through, this one last."""

    at: str
    key: str
    trail: tuple[str, ...]
    event: str


class Narrator:
    """Follows the ledger in a thread of its own and tells each new event once."""

    def __init__(self, house: House, keys: list[str], tell: Callable[[News], None]) -> None:
        self._house, self._keys, self._tell = house, keys, tell
        self._told = dict.fromkeys(keys, 0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Narrator:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._tell_news()

    def _follow(self) -> None:
        while not self._stop.wait(0.2):
            self._tell_news()

    def _tell_news(self) -> None:
        news = []
        for key in self._keys:
            events = self._house.ledger.events(key)
            stations = [STATIONS[event.event] for event in events if event.event in STATIONS]
            for number in range(self._told[key], len(events)):
                trail = tuple(dict.fromkeys(stations[: number + 1]))
                news.append(News(events[number].at, key, trail, events[number].event))
            self._told[key] = len(events)
        for one in sorted(news, key=lambda one: one.at):
            self._tell(one)
