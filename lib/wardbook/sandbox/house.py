"""What a request handler has at hand: the site, the transaction's records, who asks, the clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import has_request_context, request

from wardbook.sandbox.seed import Flavour
from wardbook.sandbox.store import Body, Records

if TYPE_CHECKING:
    from wardbook.sandbox.server import Sandbox

Task = Callable[[], None]
Clock = Callable[[], datetime]


@dataclass
class House:
    """The two servers' common ground. Addresses are known once the servers are bound."""

    directory: Path
    flavour: Flavour
    index_lag_seconds: float
    jira_url: str = ""
    gitlab_url: str = ""
    # Of this process: addresses signed with it end with it, as a media host's do after a while.
    media_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))


@dataclass(frozen=True)
class Served:
    """Who answers a request: one application, with its compiled routes, serves every sandbox."""

    sandbox: object
    clock: Clock
    house: House | None = None


@dataclass
class Exchange:
    """One request's transaction, and what the handlers tell the transport about it."""

    records: Records
    account: str | None = None
    after: list[Task] = field(default_factory=list)


def house() -> House:
    """Return the site that is asked."""
    return cast(House, served().house)


def sandbox() -> Sandbox:
    """Return the sandbox that is asked."""
    return cast("Sandbox", served().sandbox)


def served() -> Served:
    """Return who answers the running request."""
    return cast(Served, request.environ["wardbook.served"])


def exchange() -> Exchange:
    """Return the running request's exchange."""
    return cast(Exchange, request.environ["wardbook.exchange"])


def records() -> Records:
    """Return the records of the running request's transaction."""
    return exchange().records


def after_commit(task: Task) -> None:
    """Run `task` in the background once this request's changes are durable."""
    exchange().after.append(task)


def now() -> datetime:
    """Return the time on the clock of the server that answers; outside of one, the true time."""
    return served().clock() if has_request_context() else datetime.now(UTC)


def instant() -> str:
    """Return `now` as `2026-01-31T12:00:00.123Z`: sorts as text, both APIs derive it."""
    return stamp(now())


def stamp(moment: datetime) -> str:
    """Return an aware time in the form of `instant`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{moment.microsecond // 1000:03d}Z"
    )


def moment(text: str) -> datetime:
    """Parse what `instant` wrote, or any ISO 8601 time; without a zone it is UTC.

    Raises:
        ValueError: it is not a time.
    """
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def json_body() -> Body:
    """Return the request's JSON object, or an empty one when there is none."""
    payload: Any = request.get_json(force=True, silent=True)
    return payload if isinstance(payload, dict) else {}
