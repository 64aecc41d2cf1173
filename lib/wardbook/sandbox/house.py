"""What a request handler has at hand: the site, the transaction's records, who asks, the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flask import current_app, request

from wardbook.sandbox.seed import Flavour
from wardbook.sandbox.store import Body, Records

Task = Callable[[], None]


@dataclass
class House:
    """The two servers' common ground. Addresses are known once the servers are bound."""

    directory: Path
    flavour: Flavour
    index_lag_seconds: float
    jira_url: str = ""
    gitlab_url: str = ""


@dataclass
class Exchange:
    """One request's transaction, and what the handlers tell the transport about it."""

    records: Records
    account: str | None = None
    after: list[Task] = field(default_factory=list)


def house() -> House:
    """Return the site of the running application."""
    return cast(House, current_app.extensions["wardbook.house"])


def exchange() -> Exchange:
    """Return the running request's exchange."""
    return cast(Exchange, request.environ["wardbook.exchange"])


def records() -> Records:
    """Return the records of the running request's transaction."""
    return exchange().records


def after_commit(task: Task) -> None:
    """Run `task` in the background once this request's changes are durable."""
    exchange().after.append(task)


def instant() -> str:
    """Return the time in UTC as `2026-01-31T12:00:00.123Z`: sorts as text, both APIs derive it."""
    return stamp(datetime.now(UTC))


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
