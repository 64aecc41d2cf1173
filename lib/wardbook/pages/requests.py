"""The state of the requests, as the site tells it to everybody in the hospital."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wardbook.domain.states import State


@dataclass(frozen=True)
class RequestLine:
    """One request without a word of its requester: no title, no name, no parameter.

    `topic` is the template's title, "" before the gate accepted one; `since` the ISO day of the
    last move; `address` its newest report on the site, "" without one.
    """

    key: str
    topic: str
    state: State
    since: str
    address: str = ""


@dataclass(frozen=True)
class StateGroup:
    """The requests that stand at one place, the one that moved last first."""

    state: State
    lines: tuple[RequestLine, ...]


def group_by_state(lines: Iterable[RequestLine]) -> tuple[StateGroup, ...]:
    """Return the requests by state, in the order of a request's way."""
    known = sorted(lines, key=lambda line: (line.since, line.key), reverse=True)
    groups = (
        StateGroup(state, tuple(line for line in known if line.state is state)) for state in State
    )
    return tuple(group for group in groups if group.lines)
