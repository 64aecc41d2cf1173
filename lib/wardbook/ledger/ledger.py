"""Reading and writing the ledger. Each method is one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import OperationalError

from wardbook.domain.mirror import IssueView, Side, Thread, Twin, TwinKind
from wardbook.domain.record import Intent, Outcome, Record, Review
from wardbook.domain.states import SETTLED, Actor, State, move_between
from wardbook.errors import Fault, ForeignFault
from wardbook.ledger import schema
from wardbook.ledger.claims import claim, turn_to_write
from wardbook.ledger.database import connect
from wardbook.ledger.rows import (
    THREAD,
    TakenTicket,
    add_alone,
    add_event,
    add_intents,
    add_outcomes,
    add_thread,
    add_tickets,
    add_twin,
    dump,
    is_newer_view,
    issue_reference,
    key_order,
    merge,
    record_of,
    stamp,
    view_columns,
)

GONE = ""
"""What stands in place of a ticket's version once Jira no longer has it."""


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

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open one transaction for writing."""
        try:
            with turn_to_write(self._engine), self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise ForeignFault(
                f"The ledger could not be written ({error.orig}). Nothing is lost: it is tried "
                "again. Check the room on its disk, and that its server runs."
            ) from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one transaction for reading: all that it reads is of one moment."""
        with self._reader.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

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

    def ticket_versions(self, ids: Collection[str]) -> dict[str, str]:
        """Return Jira's stamp of the last change that was read, for those of `ids` known here."""
        table = schema.requests
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.ticket_id, table.c.ticket_updated).where(table.c.ticket_id.in_(ids))
            ).all()
        return {row.ticket_id: row.ticket_updated for row in rows}

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

    def keys_of_issues(self, project: str, iids: Collection[int]) -> dict[int, tuple[str, str]]:
        """Return, by number of the issue, its request's key and the version that was read."""
        table = schema.requests
        by_reference = {issue_reference(project, iid): iid for iid in iids}
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.issue, table.c.key, table.c.issue_updated).where(
                    table.c.issue.in_(by_reference)
                )
            ).all()
        return {by_reference[row.issue]: (row.key, row.issue_updated) for row in rows}

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
        woken = table.c.due_at <= _in_utc(now)
        due = or_(~at_rest, table.c.asked != table.c.gated, unconfirmed, touched, woken)
        with self._reader.connect() as connection:
            keys = connection.execute(select(table.c.key).where(due)).scalars().all()
        return sorted(keys, key=key_order)

    def take_tickets(self, taken: Iterable[TakenTicket], *, census: int, now: datetime) -> int:
        """Write down tickets as just read, in one transaction; returns how many are new here."""
        with self._writing() as connection:
            return add_tickets(connection, taken, census, now)

    def count_in_census(self, ids: Collection[str], census: int) -> None:
        """Write down that the census numbered `census` met these tickets."""
        table = schema.requests
        with self._writing() as connection:
            connection.execute(
                update(table).where(table.c.ticket_id.in_(ids)).values(census=census)
            )

    def missed_by_census(self, census: int) -> list[str]:
        """Return the keys of the requests whose ticket the census did not meet."""
        table = schema.requests
        missed = and_(table.c.census < census, table.c.ticket_updated != GONE)
        with self._reader.connect() as connection:
            return list(connection.execute(select(table.c.key).where(missed)).scalars())

    def see(self, key: str, **changes: Mapping[str, Any]) -> Record | None:
        """Write down single fields of `ticket` or `view` that were read directly."""
        with self._writing() as connection:
            merge(connection, key, **changes)
        return self.record(key)

    def lose_ticket(self, key: str) -> None:
        """Write down that a request's ticket is no longer there: it has no version any more."""
        self.see(key, ticket={"updated": GONE, "done": True})

    def take_view(
        self, key: str, view: IssueView, thread: Thread | None, look_at: datetime | None
    ) -> None:
        """Write down an issue as just read, and what people wrote there where that was read.

        Args:
            key: the request's.
            view: the issue.
            thread: None where it was not read.
            look_at: when it is to be read once more, whatever its version says.
        """
        table = schema.requests
        values = {
            "view": dump("view", view),
            **view_columns(view),
            "look_at": look_at and _in_utc(look_at),
        }
        with self._writing() as connection:
            known = connection.execute(
                select(table.c.issue_updated).where(table.c.key == key)
            ).scalar_one()
            if is_newer_view(known, view.updated):
                return  # another worker has listed it since
            connection.execute(update(table).where(table.c.key == key).values(values))
            if thread is not None:
                add_thread(connection, key, Side.GITLAB, thread)

    def to_look_at(self, now: datetime) -> list[str]:
        """Return the keys of the requests whose issue is to be read once more by now."""
        table = schema.requests
        with self._reader.connect() as connection:
            keys = connection.execute(select(table.c.key).where(table.c.look_at <= _in_utc(now)))
            return sorted(keys.scalars(), key=key_order)

    def thread(self, key: str, side: Side) -> Thread:
        """Return what people attached to one side, as last read."""
        table = schema.threads
        with self._reader.connect() as connection:
            found = connection.execute(
                select(table.c.thread).where(table.c.request_key == key, table.c.side == side)
            ).scalar_one_or_none()
        return THREAD.validate_python(found) if found else Thread()

    def twins(self, key: str) -> dict[tuple[TwinKind, str], Twin]:
        """Return the copies that exist of a request, by kind and id of the original."""
        table = schema.twins
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.request_key == key)).all()
        return {
            (TwinKind(row.kind), row.theirs): Twin(
                TwinKind(row.kind), row.theirs, row.stamp, row.ours, row.skipped
            )
            for row in rows
        }

    def replace_twins(self, key: str, twins: Iterable[Twin]) -> None:
        """Write down which copies really exist of a request."""
        table = schema.twins
        with self._writing() as connection:
            connection.execute(delete(table).where(table.c.request_key == key))
            for twin in twins:
                add_twin(connection, key, twin)

    def skipped_twins(self) -> list[tuple[str, Twin]]:
        """Return what could not be copied, with its request's key."""
        table = schema.twins
        with self._reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.skipped != "")).all()
        return [
            (
                row.request_key,
                Twin(TwinKind(row.kind), row.theirs, row.stamp, row.ours, row.skipped),
            )
            for row in rows
        ]

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

    def take_review(self, key: str, review: Review) -> None:
        """Write down a merge request as just read."""
        table = schema.requests
        with self._writing() as connection:
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
        with self._writing() as connection:
            moved = connection.execute(
                update(table)
                .where(*_unmoved(record))
                .values(state=target, changed_at=stamp(now), **values)
            ).rowcount
            if not moved:
                raise StaleRecord(f"{record.key} moved on meanwhile; it is looked at again.")
            add_intents(connection, record.key, intents, now)
            add_event(connection, record.key, actor or move.actor, move.event, detail or {}, now)
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
        values["due_at"] = due_at and _in_utc(due_at)
        with self._writing() as connection:
            told = connection.execute(
                update(table).where(*_unmoved(record)).values(changed_at=stamp(now), **values)
            ).rowcount
            if not told:
                raise StaleRecord(f"{record.key} moved on meanwhile; it is looked at again.")
            add_event(connection, record.key, Actor.PLATFORM, event, detail, now)
        return dataclasses.replace(record, changed_at=stamp(now), **changes)  # type: ignore[arg-type]

    # --- effects --------------------------------------------------------------------------

    def open_intents(self, key: str) -> list[Intent]:
        """Return the intents of a request that are not confirmed, oldest first."""
        table = schema.effects
        unconfirmed = and_(table.c.request_key == key, table.c.done_at.is_(None))
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table).where(unconfirmed).order_by(table.c.number)
            ).all()
        return [
            Intent(row.key, row.kind, row.payload, row.attempts, row.error, row.next_try)
            for row in rows
        ]

    def skipped_effects(self, key: str) -> list[tuple[str, str]]:
        """Return the effects of a request that were not made, with the reason, oldest first."""
        table = schema.effects
        mine = and_(table.c.request_key == key, table.c.outcome.is_not(None))
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.key, table.c.outcome).where(mine).order_by(table.c.number)
            ).all()
        return [(row.key, row.outcome["skipped"]) for row in rows if "skipped" in row.outcome]

    def begin_effects(self, intents: Collection[Intent]) -> None:
        """Write down that effects are about to be tried: from now on they may exist outside."""
        table = schema.effects
        with self._writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.key.in_([intent.key for intent in intents]))
                .values(attempts=table.c.attempts + 1)
            )

    def confirm_effects(
        self, key: str, done: Iterable[tuple[Intent, Outcome]], now: datetime
    ) -> None:
        """Write down that effects exist, and what they led to, in one transaction."""
        with self._writing() as connection:
            add_outcomes(connection, key, done, now)

    def postpone_effect(self, intent: Intent, error: str, next_try: datetime) -> None:
        """Write down that the effect failed, and when it is tried again."""
        table = schema.effects
        with self._writing() as connection:
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

    def counts(self) -> dict[State, int]:
        """Return how many requests stand in each state that holds any."""
        table = schema.requests
        with self._reader.connect() as connection:
            rows = connection.execute(
                select(table.c.state, func.count()).group_by(table.c.state)
            ).all()
        return {State(state): count for state, count in rows}


def _unmoved(record: Record) -> tuple[ColumnElement[bool], ...]:
    table = schema.requests
    return (
        table.c.key == record.key,
        table.c.state == record.state,
        table.c.revision == record.revision,
    )


def _in_utc(moment: datetime) -> str:
    """Return a moment so that the alphabet orders what is kept."""
    return stamp(moment.astimezone(UTC))


def settled(record: Record) -> bool:
    """Tell whether a request waits for nobody of ours: its last answer is out."""
    return record.state in SETTLED and record.asked == record.gated
