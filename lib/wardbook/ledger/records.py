"""The ledger's part on requests: where each stands, which are due, and their moves."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update

from wardbook.domain.record import Intent, Record, Work
from wardbook.domain.states import SETTLED, Actor, State, move_between
from wardbook.errors import Fault
from wardbook.ledger import schema
from wardbook.ledger.columns import key_order
from wardbook.ledger.rows import add_event, add_intents, dump, in_utc, record_of, stamp
from wardbook.ledger.transactions import Transactions


class StaleRecord(Fault):
    """The request moved on since it was read: look again before acting."""


class Records(Transactions):
    """Requests, and where they stand."""

    def record(self, key: str) -> Record | None:
        """Return what is known of a request."""
        with self._reader.connect() as connection:
            row = connection.execute(
                select(schema.requests).where(schema.requests.c.key == key)
            ).one_or_none()
        return record_of(row) if row else None

    def records(self, states: Collection[State] = tuple(State)) -> list[Record]:
        """Return the requests that stand in one of `states`, in the order of their numbers."""
        table = schema.requests
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.state.in_(states))).all()
        return sorted((record_of(row) for row in rows), key=lambda record: key_order(record.key))

    def key_of_ticket(self, ticket_id: str) -> str | None:
        """Return the request of a ticket, by Jira's own id of it."""
        table = schema.requests
        with self._reader.connect() as connection:
            return connection.execute(
                select(table.c.key).where(table.c.ticket_id == ticket_id)
            ).scalar_one_or_none()

    def ticket_of_issue(self, reference: str) -> str | None:
        """Return Jira's id of the ticket whose issue has this full reference."""
        table = schema.requests
        with self._reader.connect() as connection:
            return connection.execute(
                select(table.c.ticket_id).where(table.c.issue == reference)
            ).scalar_one_or_none()

    def due_keys(self, now: datetime) -> list[str]:
        """Return the keys of requests that may have a next step: everything but those at rest.

        One at rest wakes when its ticket was edited, or at the moment that its last move named.
        """
        table, effects = schema.requests, schema.effects
        unconfirmed = exists().where(
            and_(effects.c.request_key == table.c.key, effects.c.done_at.is_(None))
        )
        resting = [State.ANSWERED, State.REFUSED, State.CLOSED, State.PAUSED]
        at_rest = table.c.state.in_(resting)
        version = table.c.ticket_updated + "|" + table.c.issue_updated + "|" + table.c.said
        touched = table.c.compared != version
        woken = table.c.due_at <= in_utc(now)
        due = or_(~at_rest, table.c.asked != table.c.gated, unconfirmed, touched, woken)
        with self._reader.connect() as connection:
            keys = connection.execute(select(table.c.key).where(due)).scalars().all()
        return sorted(keys, key=key_order)

    def counts(self) -> dict[State, int]:
        """Return how many requests stand in each state that holds any."""
        table = schema.requests
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.state, func.count()).group_by(table.c.state)
            ).all()
        return {State(state): count for state, count in rows}

    def intend(
        self, record: Record, intents: Sequence[Intent], now: datetime, **changes: object
    ) -> Record:
        """Write down what is to happen outside without a move, with changes of the record.

        Raises:
            StaleRecord: another worker moved the request meanwhile.
        """
        table = schema.requests
        values = {name: dump(name, value) for name, value in changes.items()}
        with self._writing() as connection:
            kept = connection.execute(
                update(table).where(*_unmoved(record)).values(revision=record.revision, **values)
            ).rowcount
            if not kept:
                raise StaleRecord(f"{record.key} moved on meanwhile; it is looked at again.")
            add_intents(connection, record.key, intents, now)
        return dataclasses.replace(record, **changes)  # type: ignore[arg-type]

    def move(
        self,
        record: Record,
        target: State,
        *,
        now: datetime,
        intents: Sequence[Intent] = (),
        actor: str | None = None,
        detail: Mapping[str, Any] | None = None,
        due_at: datetime | None = None,
        forced: bool = False,
        **changes: object,
    ) -> Record:
        """Move a request to `target`, with its changes and intents, in one transaction.

        Args:
            record: the request as it was read.
            target: the new state.
            now: the moment of the move.
            intents: what is to happen outside because of it.
            actor: who made the move; the table's actor unless a person is known.
            detail: what the event says besides; no patient value.
            due_at: when the clock alone makes a next step due, unless the request moves before.
            forced: whether a person forces it; `times_forced` counts these.
            changes: new values of fields of Record.

        Raises:
            ForbiddenMove: the table of states has no such move.
            StaleRecord: another worker moved the request meanwhile.
        """
        move = move_between(record.state, target, forced=forced)
        table = schema.requests
        values = {name: dump(name, value) for name, value in changes.items()}
        values["due_at"] = due_at and in_utc(due_at)
        with self._writing() as connection:
            moved = connection.execute(
                update(table)
                .where(*_unmoved(record))
                .values(state=target, changed_at=stamp(now), **values)
            ).rowcount
            if not moved:
                raise StaleRecord(f"{record.key} moved on meanwhile; it is looked at again.")
            add_intents(connection, record.key, intents, now)
            by, told = actor or move.actor, _tell_release(target, changes.get("work"))
            add_event(connection, record.key, by, move.event, detail or {}, now, told)
        return dataclasses.replace(
            record,
            state=target,
            changed_at=stamp(now),
            **changes,  # type: ignore[arg-type]
        )

    def tell(
        self,
        record: Record,
        event: str,
        *,
        now: datetime,
        detail: Mapping[str, Any],
        due_at: datetime | None,
        **changes: object,
    ) -> Record:
        """Write down an event that leaves the request where it stands, with changes of the record.

        Args:
            record: the request as it was read.
            event: its name.
            now: the moment of the event.
            detail: what it says besides; no patient value.
            due_at: as in `move`.
            changes: new values of fields of Record.

        Raises:
            StaleRecord: another worker moved the request meanwhile.
        """
        table = schema.requests
        values = {name: dump(name, value) for name, value in changes.items()}
        values["due_at"] = due_at and in_utc(due_at)
        with self._writing() as connection:
            told = connection.execute(
                update(table).where(*_unmoved(record)).values(changed_at=stamp(now), **values)
            ).rowcount
            if not told:
                raise StaleRecord(f"{record.key} moved on meanwhile; it is looked at again.")
            add_event(connection, record.key, Actor.PLATFORM, event, detail, now)
        return dataclasses.replace(record, changed_at=stamp(now), **changes)  # type: ignore[arg-type]


def _tell_release(target: State, work: object) -> dict[str, Any]:
    """Return what the audit log says of a release: who let which run out, on what ground."""
    if target is not State.RELEASED or not isinstance(work, Work):
        return {}
    approvals = [one.username for one in work.released_by]
    return {"run": work.run, "commit": work.commit, "ground": work.ground, "approvals": approvals}


def _unmoved(record: Record) -> tuple[ColumnElement[bool], ...]:
    table = schema.requests
    return (
        table.c.key == record.key,
        table.c.state == record.state,
        table.c.revision == record.revision,
    )


def settled(record: Record) -> bool:
    """Tell whether a request waits for nobody of ours: its last answer is out."""
    return record.state in SETTLED and record.asked == record.gated
