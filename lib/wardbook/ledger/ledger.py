"""Reading and writing the ledger. Each method is one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, and_, exists, func, insert, or_, select, update

from wardbook.domain.record import Intent, Links, Outcome, Record, Review, Work
from wardbook.domain.states import SETTLED, State, move_between
from wardbook.domain.ticket import Ticket
from wardbook.errors import Fault
from wardbook.ledger import schema
from wardbook.ledger.claims import claim
from wardbook.ledger.database import connect
from wardbook.ledger.rows import LINKS, add_event, add_intent, dump, key_order, record_of, stamp


class StaleRecord(Fault):
    """The request moved on since it was read: look again before acting."""


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


def open_ledger(url: str) -> Ledger:
    """Open the ledger at `url`, bringing its tables up to date.

    Raises:
        ForeignFault: the database cannot be reached, opened or migrated.
    """
    return Ledger(connect(url))


class Ledger:
    """The durable record of requests, intents and effects. Safe for several processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(reading=True)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Claim `name` for the length of a block; yields False when another worker holds it."""
        return claim(self._engine, name)

    # --- requests -------------------------------------------------------------------------

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

    def last_updates(self) -> dict[str, str]:
        """Return, for each ticket, Jira's stamp of its last change that was read."""
        with self._reader.connect() as connection:
            rows = connection.execute(select(schema.requests.c.key, schema.requests.c.ticket))
            return {row.key: row.ticket["updated"] for row in rows}

    def due_keys(self, now: datetime) -> list[str]:
        """Return the keys of requests that may have a next step: everything but those at rest.

        One at rest wakes when its ticket was edited, or at the moment that its last move named.
        """
        table, effects = schema.requests, schema.effects
        unconfirmed = exists().where(
            and_(effects.c.request_key == table.c.key, effects.c.done_at.is_(None))
        )
        at_rest = table.c.state.in_([State.ANSWERED, State.REFUSED, State.PAUSED])
        woken = table.c.due_at <= _in_utc(now)
        due = or_(~at_rest, table.c.asked != table.c.gated, unconfirmed, woken)
        with self._reader.connect() as connection:
            keys = connection.execute(select(table.c.key).where(due)).scalars().all()
        return sorted(keys, key=key_order)

    def take_ticket(self, ticket: Ticket, *, known_before: bool, now: datetime) -> bool:
        """Write down a ticket as just read; returns True when its request is new here."""
        table = schema.requests
        values = {"ticket": dump("ticket", ticket), "asked": ticket.fingerprint}
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(table).where(table.c.key == ticket.key).values(values)
            ).rowcount
            if changed:
                return False
            connection.execute(
                insert(table).values(
                    key=ticket.key,
                    state=State.RECEIVED,
                    revision=0,
                    known_before=int(known_before),
                    gated="",
                    request=None,
                    links=dump("links", Links()),
                    work=dump("work", Work()),
                    review=dump("review", Review()),
                    changed_at=stamp(now),
                    **values,
                )
            )
            add_event(connection, ticket.key, "requester", "ticket.received", {}, now)
            return True

    def take_review(self, key: str, review: Review) -> None:
        """Write down a merge request as just read."""
        table = schema.requests
        with self._engine.begin() as connection:
            connection.execute(
                update(table).where(table.c.key == key).values(review=dump("review", review))
            )

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
            changes: new values of fields of Record.

        Raises:
            ForbiddenMove: the table of states has no such move.
            StaleRecord: another worker moved the request meanwhile.
        """
        move = move_between(record.state, target)
        table = schema.requests
        values = {name: dump(name, value) for name, value in changes.items()}
        values["due_at"] = due_at and _in_utc(due_at)
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(table)
                .where(
                    table.c.key == record.key,
                    table.c.state == record.state,
                    table.c.revision == record.revision,
                )
                .values(state=target, changed_at=stamp(now), **values)
            ).rowcount
            if not moved:
                raise StaleRecord(f"{record.key} moved on meanwhile; it is looked at again.")
            for intent in intents:
                add_intent(connection, record.key, intent, now)
            add_event(connection, record.key, actor or move.actor, move.event, detail or {}, now)
        return dataclasses.replace(
            record,
            state=target,
            changed_at=stamp(now),
            **changes,  # type: ignore[arg-type]
        )

    # --- effects --------------------------------------------------------------------------

    def open_intents(self, key: str) -> list[Intent]:
        """Return the intents of a request that are not confirmed, oldest first."""
        table = schema.effects
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.request_key == key, table.c.done_at.is_(None))
                .order_by(table.c.number)
            ).all()
        return [
            Intent(row.key, row.kind, row.payload, row.attempts, row.error, row.next_try)
            for row in rows
        ]

    def begin_effect(self, intent: Intent) -> None:
        """Write down that the effect is about to be tried: from now on it may exist outside."""
        table = schema.effects
        with self._engine.begin() as connection:
            connection.execute(
                update(table).where(table.c.key == intent.key).values(attempts=intent.attempts + 1)
            )

    def confirm_effect(self, key: str, intent: Intent, outcome: Outcome, now: datetime) -> None:
        """Write down that the effect exists, and what it led to."""
        effects, requests = schema.effects, schema.requests
        with self._engine.begin() as connection:
            connection.execute(
                update(effects)
                .where(effects.c.key == intent.key)
                .values(outcome=dict(outcome.detail), done_at=stamp(now), error=None)
            )
            if outcome.links:
                row = connection.execute(
                    select(requests.c.links).where(requests.c.key == key)
                ).one()
                links = dataclasses.replace(LINKS.validate_python(row.links), **outcome.links)
                connection.execute(
                    update(requests).where(requests.c.key == key).values(links=dump("links", links))
                )

    def postpone_effect(self, intent: Intent, error: str, next_try: datetime) -> None:
        """Write down that the effect failed, and when it is tried again."""
        table = schema.effects
        with self._engine.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.key == intent.key)
                .values(error=error, next_try=stamp(next_try))
            )

    def stuck_intents(self) -> Iterator[tuple[str, Intent]]:
        """Yield the intents whose last attempt failed, with their request's key."""
        table = schema.effects
        failed = and_(table.c.done_at.is_(None), table.c.error.is_not(None))
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(failed).order_by(table.c.number)).all()
        for row in rows:
            yield (
                row.request_key,
                Intent(row.key, row.kind, row.payload, row.attempts, row.error, row.next_try),
            )

    def last_effect_at(self, key: str) -> str | None:
        """Return when the last effect of a request was confirmed."""
        table = schema.effects
        with self._reader.connect() as connection:
            return connection.execute(
                select(func.max(table.c.done_at)).where(table.c.request_key == key)
            ).scalar()

    # --- history, dead letters, marks -----------------------------------------------------

    def events(self, key: str) -> list[Event]:
        """Return a request's history, oldest first."""
        table = schema.events
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table).where(table.c.request_key == key).order_by(table.c.number)
            ).all()
        return [Event(row.at, row.request_key, row.actor, row.event, row.detail) for row in rows]

    def bury_ticket(self, key: str, reason: str, now: datetime) -> None:
        """Write down that a ticket could not be read."""
        table = schema.dead_letters
        with self._engine.begin() as connection:
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

    def revive_ticket(self, key: str) -> None:
        """Write down that a ticket can be read again."""
        table = schema.dead_letters
        with self._engine.begin() as connection:
            connection.execute(table.delete().where(table.c.ticket_key == key))

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
        with self._engine.begin() as connection:
            if not connection.execute(
                update(table).where(table.c.name == name).values(value=value)
            ).rowcount:
                connection.execute(insert(table).values(name=name, value=value))

    def counts(self) -> dict[State, int]:
        """Return how many requests stand in each state that holds any."""
        table = schema.requests
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.state, func.count()).group_by(table.c.state)
            ).all()
        return {State(state): count for state, count in rows}


def _in_utc(moment: datetime) -> str:
    """Return a moment so that the alphabet orders what is kept."""
    return stamp(moment.astimezone(UTC))


def settled(record: Record) -> bool:
    """Tell whether a request waits for nobody of ours: its last answer is out."""
    return record.state in SETTLED and record.asked == record.gated
