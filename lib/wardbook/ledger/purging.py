"""The ledger's part on retention: texts are blanked, and read again if needed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, and_, delete, select, text, update

from wardbook.audit.entry import Fact
from wardbook.audit.log import note
from wardbook.domain.mirror import Side, Thread
from wardbook.domain.record import Record
from wardbook.domain.ticket import Ticket
from wardbook.ledger import schema
from wardbook.ledger.rows import add_thread, dump, stamp
from wardbook.ledger.transactions import Transactions

_TICKET_TEXTS = ("summary", "description", "parameters", "reference", "ethics")
_TICKET_PEOPLE = ("reporter", "approver", "dpo", "assignee")
BLANK: Mapping[str, Any] = {"purged": True}


class Purging(Transactions):
    """Blanking, and its undoing."""

    def purge_texts(self, record: Record, actor: str, now: datetime) -> None:
        """Blank what people wrote on a request's ticket and issue, as copied here.

        Kept are keys, states, stamps, accounts, the legal basis with its expiry, the keys and
        kinds of effects, and which copies exist (twins). One entry of the audit log keeps the
        digest of all that went, and how many texts that was.
        """
        with self._writing() as connection:
            _forget_securely(connection)
            before = _texts_of(connection, record.key)
            ticket = _blank_ticket(record.ticket)
            request = record.request and dataclasses.replace(
                record.request, title="", question="", parameters={}, requester_name=""
            )
            work = dataclasses.replace(record.work, problems=(), dropped=())
            changes = {"ticket": ticket, "request": request, "work": work, "purged": stamp(now)}
            requests, threads = schema.requests, schema.threads
            connection.execute(
                update(requests)
                .where(requests.c.key == record.key)
                .values({name: dump(name, value) for name, value in changes.items()})
            )
            connection.execute(delete(threads).where(threads.c.request_key == record.key))
            _blank_rows(connection, record.key)
            data = json.dumps(before, ensure_ascii=False, sort_keys=True).encode()
            told = {
                "category": "texts",
                "texts": len(before),
                "bytes": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            note(connection, Fact(stamp(now), actor, "purge.done", record.key, told))
        empty_journal(self._engine)

    def take_texts_again(self, key: str, ticket: Ticket, thread: Thread) -> None:
        """Write down what was purged, as just read from Jira; the issue was read before."""
        table = schema.requests
        with self._writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.key == key)
                .values(
                    ticket=dump("ticket", ticket),
                    asked=ticket.fingerprint,
                    ticket_updated=ticket.updated,
                    purged="",
                )
            )
            add_thread(connection, key, Side.JIRA, thread)


def empty_journal(engine: Engine) -> None:
    """Let SQLite's journal go, where what was blanked would still stand."""
    if engine.dialect.name == "sqlite":
        # By the driver itself: our engine would begin a transaction, and a journal in use stays.
        with closing(engine.raw_connection()) as connection:
            connection.cursor().execute("pragma wal_checkpoint(truncate)")


def _forget_securely(connection: Connection) -> None:
    """Have SQLite overwrite what it frees; PostgreSQL does so when it vacuums."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("pragma secure_delete = on"))


def _blank_ticket(ticket: Ticket) -> Ticket:
    blank: dict[str, Any] = dict.fromkeys(_TICKET_TEXTS, "") | {"labels": ()}
    for name in _TICKET_PEOPLE:
        person = getattr(ticket, name)
        blank[name] = person and dataclasses.replace(person, name=person.username)
    return dataclasses.replace(ticket, **blank)


def _blank_rows(connection: Connection, key: str) -> None:
    """Blank what effects carried and what people gave as reasons."""
    effects, events = schema.effects, schema.events
    settled = and_(effects.c.request_key == key, effects.c.done_at.is_not(None))
    connection.execute(update(effects).where(settled).values(payload=dict(BLANK), error=None))
    rows = connection.execute(
        select(events.c.number, events.c.detail).where(events.c.request_key == key)
    ).all()
    for row in rows:
        if "reason" in row.detail:
            kept = {name: value for name, value in row.detail.items() if name != "reason"}
            connection.execute(
                update(events).where(events.c.number == row.number).values(detail=kept)
            )


def _texts_of(connection: Connection, key: str) -> Sequence[Any]:
    """Return everything that is blanked, in one order."""
    requests, threads, effects = schema.requests, schema.threads, schema.effects
    row = connection.execute(
        select(requests.c.ticket, requests.c.request, requests.c.work).where(requests.c.key == key)
    ).one()
    said = connection.execute(
        select(threads.c.side, threads.c.thread)
        .where(threads.c.request_key == key)
        .order_by(threads.c.side)
    ).all()
    made = connection.execute(
        select(effects.c.key, effects.c.payload)
        .where(effects.c.request_key == key, effects.c.done_at.is_not(None))
        .order_by(effects.c.number)
    ).all()
    return [list(row), *map(list, said), *map(list, made)]
