"""Rows of the ledger's tables to values, and back."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Table, delete, insert, select, text, update

from wardbook.audit.entry import Fact
from wardbook.audit.log import note
from wardbook.audit.told import tell_line
from wardbook.domain.mirror import Agreed, IssueView, Side, Thread, Twin
from wardbook.domain.record import Intent, Links, Outcome, Record, Review, Untwin, Work
from wardbook.domain.states import Actor, State
from wardbook.domain.ticket import Ticket
from wardbook.ledger import schema
from wardbook.ledger.columns import JSON_COLUMNS, build_record

THREAD = TypeAdapter(Thread)
ACTOR_LENGTH = 120
"""Of an event's actor: names of authors are foreign text of any length."""


def add_intents(connection: Connection, key: str, intents: Sequence[Intent], now: datetime) -> None:
    """Write down intents of the request `key`, numbered where there was one like it before."""
    if not intents:
        return
    table = schema.effects
    known = connection.execute(select(table.c.key).where(table.c.request_key == key)).scalars()
    before = Counter(one.partition("~")[0] for one in known)
    rows = []
    for intent in intents:
        before[intent.key] += 1
        number = before[intent.key]
        rows.append(
            {
                "key": f"{intent.key}~{number}" if number > 1 else intent.key,
                "request_key": key,
                "kind": intent.kind,
                "payload": dict(intent.payload),
                "attempts": 0,
                "intended_at": stamp(now),
            }
        )
    connection.execute(insert(table), rows)


def add_outcomes(
    connection: Connection, key: str, done: Iterable[tuple[Intent, Outcome]], now: datetime
) -> None:
    """Write down that effects exist, and what they led to."""
    effects, requests = schema.effects, schema.requests
    changes: dict[str, dict[str, Any]] = {"links": {}, "view": {}, "agreed": {}, "ticket": {}}
    for intent, outcome in done:
        connection.execute(
            update(effects)
            .where(effects.c.key == intent.key)
            .values(outcome=dict(outcome.detail), done_at=stamp(now), error=None)
        )
        for name, change in changes.items():
            change |= getattr(outcome, name)
        if outcome.is_first:
            connection.execute(update(requests).where(requests.c.key == key).values(known_before=0))
        if outcome.twin is not None:
            add_twin(connection, key, outcome.twin)
        made = {"effect": intent.key, "kind": intent.kind, "skipped": "skipped" in outcome.detail}
        note(connection, Fact(stamp(now), Actor.PLATFORM, "effect.confirmed", key, made))
    merge(connection, key, **changes)


@dataclasses.dataclass(frozen=True)
class TakenTicket:
    """A ticket as read from Jira, with what hangs on it; `known_before` as in Record."""

    ticket: Ticket
    thread: Thread
    known_before: bool


def add_tickets(
    connection: Connection, taken: Iterable[TakenTicket], census: int, now: datetime
) -> set[str]:
    """Write down tickets as just read; returns the keys of those that cannot have a request.

    A ticket is known by Jira's id, which stays when its key changes. A new one whose key is the
    name of another ticket's request (its project was deleted and made anew) is left out.
    """
    table = schema.requests
    add_alone(connection, table)
    by_id = {one.ticket.id: one for one in taken}
    rows = connection.execute(
        select(table.c.ticket_id, table.c.key, table.c.ticket_updated).where(
            table.c.ticket_id.in_(by_id)
        )
    ).all()
    for row in rows:
        one = by_id.pop(row.ticket_id)
        if is_newer(one.ticket.updated, row.ticket_updated):  # the search index may lag
            values = _ticket_columns(one, census)
            connection.execute(update(table).where(table.c.key == row.key).values(values))
            add_thread(connection, row.key, Side.JIRA, one.thread)
    by_key = {one.ticket.key: one for one in by_id.values()}
    namesakes = select(table.c.key).where(table.c.key.in_(by_key))
    taken_names = set(connection.execute(namesakes).scalars())
    new = [one for key, one in by_key.items() if key not in taken_names]
    _add_new(connection, new, census, now)
    return taken_names


def _add_new(
    connection: Connection, taken: Sequence[TakenTicket], census: int, now: datetime
) -> None:
    if not taken:
        return
    rows = [_first_row(one, census, now) for one in taken]
    events = [_event(one.ticket.key, "requester", "ticket.received", {}, now) for one in taken]
    connection.execute(insert(schema.requests), rows)
    connection.execute(insert(schema.events), events)
    for event in events:
        note(connection, Fact(event["at"], event["actor"], event["event"], event["request_key"]))
    for one in taken:
        if one.thread != Thread():
            add_thread(connection, one.ticket.key, Side.JIRA, one.thread)


def add_alone(connection: Connection, table: Table) -> None:
    """Let nobody else add to a table until this transaction ends: what is not there stays so.

    In SQLite one transaction writes at a time; PostgreSQL is asked for it.
    """
    if connection.dialect.name == "postgresql":
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.execute(text(f"lock table {name} in share row exclusive mode"))


def _ticket_columns(taken: TakenTicket, census: int) -> dict[str, Any]:
    return {
        "ticket": dump("ticket", taken.ticket),
        "asked": taken.ticket.fingerprint,
        "ticket_updated": taken.ticket.updated,
        "census": census,
    }


def _first_row(taken: TakenTicket, census: int, now: datetime) -> dict[str, Any]:
    return {
        "key": taken.ticket.key,
        "ticket_id": taken.ticket.id,
        "state": State.RECEIVED,
        "revision": 0,
        "known_before": int(taken.known_before),
        "gated": "",
        "request": None,
        "links": dump("links", Links()),
        "work": dump("work", Work()),
        "review": dump("review", Review()),
        "view": dump("view", IssueView()),
        "agreed": dump("agreed", Agreed()),
        "issue_updated": "",
        "said": "",
        "compared": "",
        "changed_at": stamp(now),
        **_ticket_columns(taken, census),
    }


def add_thread(connection: Connection, key: str, side: Side, thread: Thread) -> None:
    """Write down what people attached to one side; nothing is kept of an empty thread."""
    table = schema.threads
    connection.execute(delete(table).where(table.c.request_key == key, table.c.side == side))
    if thread != Thread():
        connection.execute(
            insert(table).values(
                request_key=key, side=side, thread=THREAD.dump_python(thread, mode="json")
            )
        )


def merge(connection: Connection, key: str, **changes: Mapping[str, Any]) -> None:
    """Change single fields of a request's values, whatever else was written to them meanwhile."""
    table = schema.requests
    changes = {name: change for name, change in changes.items() if change}
    if not changes:
        return
    row = connection.execute(
        select(*(table.c[name] for name in changes)).where(table.c.key == key).with_for_update()
    ).one()
    values = {
        name: dataclasses.replace(JSON_COLUMNS[name].validate_python(getattr(row, name)), **change)
        for name, change in changes.items()
    }
    written = {name: dump(name, value) for name, value in values.items()}
    if "links" in values and values["links"].issue is not None:
        written["issue"] = issue_reference(values["links"].project, values["links"].issue)
    if "view" in values:
        written |= view_columns(values["view"])
    if "ticket" in values:
        written["ticket_updated"] = values["ticket"].updated
    connection.execute(update(table).where(table.c.key == key).values(written))


def add_twin(connection: Connection, key: str, twin: Twin | Untwin) -> None:
    """Write down a copy that exists now, or forget one that is gone."""
    table = schema.twins
    connection.execute(
        delete(table).where(
            table.c.request_key == key, table.c.kind == twin.kind, table.c.theirs == twin.theirs
        )
    )
    if isinstance(twin, Twin):
        connection.execute(insert(table).values(request_key=key, **dataclasses.asdict(twin)))


def add_event(
    connection: Connection,
    key: str,
    actor: str,
    event: str,
    detail: Mapping[str, Any],
    now: datetime,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write down one line of a request's history, and of the audit log, with what it says alone."""
    connection.execute(insert(schema.events), [_event(key, actor, event, detail, now)])
    note(connection, Fact(stamp(now), actor, event, key, {**detail, **told}))


def _event(
    key: str, actor: str, event: str, detail: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    return {
        "at": stamp(now),
        "request_key": key,
        "actor": tell_line(actor, ACTOR_LENGTH),
        "event": event,
        "detail": dict(detail),
    }


def record_of(row: Row[Any]) -> Record:
    """Return the record that a row of `requests` holds."""
    return build_record(dict(row._mapping), lambda adapter, value: adapter.validate_python(value))


def dump(name: str, value: object) -> Any:
    """Return the value of a Record's field as its column keeps it."""
    adapter = JSON_COLUMNS.get(name)
    return adapter.dump_python(value, mode="json") if adapter else value


def stamp(moment: datetime) -> str:
    """Return a moment as the ledger keeps it."""
    return moment.isoformat(timespec="milliseconds")


def in_utc(moment: datetime) -> str:
    """Return a moment so that the alphabet orders what is kept."""
    return stamp(moment.astimezone(UTC))


def view_columns(view: IssueView) -> dict[str, str]:
    """Return the parts of a view by which requests are chosen."""
    return {"issue_updated": view.updated, "said": view.said}


def issue_reference(project: str | None, iid: int) -> str:
    """Return how the ledger finds a request by its GitLab issue."""
    return f"{project}#{iid}"


def is_newer(updated: str, known: str) -> bool:
    """Compare two stamps of a tracker (ISO 8601); anything is newer than none."""
    return not known or datetime.fromisoformat(updated) > datetime.fromisoformat(known)


def is_newer_view(version: str, than: str) -> bool:
    """Tell whether a version of an issue (stamp and number of notes) has the later stamp."""
    one, other = version.partition("#")[0], than.partition("#")[0]
    return bool(one and other) and datetime.fromisoformat(one) > datetime.fromisoformat(other)
