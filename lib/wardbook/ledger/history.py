"""The ledger's part on what happened: events, tickets that cannot be read, marks of readings."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from wardbook.ledger import schema
from wardbook.ledger.rows import add_alone, stamp
from wardbook.ledger.transactions import Transactions


@dataclasses.dataclass(frozen=True)
class Event:
    """One line of a request's history; `at` is ISO 8601 in UTC."""

    at: str
    request_key: str
    actor: str
    event: str
    detail: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class DeadLetter:
    """A ticket that could not be read, and why; it is read again at every change and census."""

    ticket_key: str
    reason: str
    attempts: int
    last_at: str


class History(Transactions):
    """Events, dead letters and marks."""

    def events(self, key: str) -> list[Event]:
        """Return a request's history, oldest first."""
        table = schema.events
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table).where(table.c.request_key == key).order_by(table.c.number)
            ).all()
        return [Event(row.at, row.request_key, row.actor, row.event, row.detail) for row in rows]

    def times_forced(self, key: str) -> int:
        """Return how often a person had a request run again although nothing had changed."""
        return sum(event.event == "run.forced" for event in self.events(key))

    def bury_ticket(self, key: str, reason: str, now: datetime) -> None:
        """Write down that a ticket could not be read."""
        table = schema.dead_letters
        with self._writing() as connection:
            add_alone(connection, table)
            again = connection.execute(
                update(table)
                .where(table.c.ticket_key == key)
                .values(reason=reason, attempts=table.c.attempts + 1, last_at=stamp(now))
            ).rowcount
            if not again:
                connection.execute(
                    insert(table).values(
                        ticket_key=key, reason=reason, attempts=1, last_at=stamp(now)
                    )
                )

    def revive_tickets(self, keys: Collection[str]) -> None:
        """Write down that tickets can be read again."""
        table = schema.dead_letters
        with self._writing() as connection:
            connection.execute(table.delete().where(table.c.ticket_key.in_(keys)))

    def dead_letters(self) -> list[DeadLetter]:
        """Return the tickets that could not be read."""
        with self._reader.connect() as connection:
            rows = connection.execute(select(schema.dead_letters)).all()
        return [DeadLetter(*row) for row in rows]

    def mark(self, name: str) -> str | None:
        """Return the value of a mark, such as the time of the last census."""
        table = schema.marks
        with self._reader.connect() as connection:
            return connection.execute(
                select(table.c.value).where(table.c.name == name)
            ).scalar_one_or_none()

    def set_mark(self, name: str, value: str) -> None:
        """Set a mark."""
        table = schema.marks
        with self._writing() as connection:
            add_alone(connection, table)
            if not connection.execute(
                update(table).where(table.c.name == name).values(value=value)
            ).rowcount:
                connection.execute(insert(table).values(name=name, value=value))
