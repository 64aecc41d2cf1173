"""Rows of the ledger's tables to values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, insert, or_, select

from wardbook.domain.record import Intent, Links, Record, Review, Work
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.domain.ticket import Ticket
from wardbook.ledger import schema

_TICKET = TypeAdapter(Ticket)
_REQUEST = TypeAdapter(Request | None)
LINKS = TypeAdapter(Links)
_WORK = TypeAdapter(Work)
_REVIEW = TypeAdapter(Review)
_JSON_COLUMNS: Mapping[str, TypeAdapter[Any]] = {
    "ticket": _TICKET,
    "request": _REQUEST,
    "links": LINKS,
    "work": _WORK,
    "review": _REVIEW,
}


def add_intent(connection: Connection, key: str, intent: Intent, now: datetime) -> None:
    """Write down an intent of the request `key`, numbered when there was one like it before."""
    table = schema.effects
    numbered = table.c.key.startswith(f"{intent.key}~", autoescape=True)
    alike = or_(table.c.key == intent.key, numbered)
    before = connection.execute(select(func.count()).where(alike)).scalar_one()
    connection.execute(
        insert(table).values(
            key=f"{intent.key}~{before + 1}" if before else intent.key,
            request_key=key,
            kind=intent.kind,
            payload=dict(intent.payload),
            attempts=0,
            intended_at=stamp(now),
        )
    )


def add_event(
    connection: Connection,
    key: str,
    actor: str,
    event: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> None:
    """Write down one line of a request's history."""
    connection.execute(
        insert(schema.events).values(
            at=stamp(now), request_key=key, actor=actor, event=event, detail=dict(detail)
        )
    )


def record_of(row: Row[Any]) -> Record:
    """Return the record that a row of `requests` holds."""
    parts = {
        name: adapter.validate_python(getattr(row, name)) for name, adapter in _JSON_COLUMNS.items()
    }
    return Record(
        key=row.key,
        state=State(row.state),
        revision=row.revision,
        known_before=bool(row.known_before),
        asked=row.asked,
        gated=row.gated,
        changed_at=row.changed_at,
        warned=row.warned,
        **parts,
    )


def dump(name: str, value: object) -> Any:
    """Return the value of a Record's field as its column keeps it."""
    adapter = _JSON_COLUMNS.get(name)
    return adapter.dump_python(value, mode="json") if adapter else value


def stamp(moment: datetime) -> str:
    """Return a moment as the ledger keeps it."""
    return moment.isoformat(timespec="milliseconds")


def key_order(key: str) -> tuple[str, int]:
    """Order keys by project, then by number."""
    project, _, number = key.rpartition("-")
    return project, int(number) if number.isdigit() else 0
