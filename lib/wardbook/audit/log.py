"""The log in the ledger's database: appended to at the end of the transaction that it tells of.

A chain has one end. In SQLite one transaction writes at a time; in PostgreSQL whoever appends holds
a lock until the commit, so entries have neither forks nor gaps however many workers there are. It
is taken last in each transaction: nobody who holds it waits for anything else.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text

from wardbook.audit.entry import BEGUN, Entry, Fact, link_entry
from wardbook.ledger.schema import audit

_PENDING = "wardbook.audit.pending"
_LOCK = 727432
_PAGE = 1000


def open_page(connection: Connection) -> None:
    """Begin to collect the facts of a transaction; those of one that failed are forgotten."""
    connection.info[_PENDING] = []


def note(connection: Connection, fact: Fact) -> None:
    """Have a fact appended when this transaction of the ledger ends, if it ends well."""
    connection.info[_PENDING].append(fact)


def noted(connection: Connection) -> list[Fact]:
    """Return the facts of this transaction so far."""
    facts: list[Fact] = connection.info[_PENDING]
    return facts


def append_facts(connection: Connection, facts: Iterable[Fact]) -> None:
    """Append facts, in their order; a log that has no entry yet is begun."""
    facts = list(facts)
    if not facts:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    last = last_entry(connection)
    if last is None:
        first = replace(facts[0], actor="platform", event=BEGUN, request="")
        facts.insert(0, replace(first, details={"log": uuid.uuid4().hex}))
    rows = []
    for fact in facts:
        last = link_entry(fact, last)
        rows.append(asdict(last))
    connection.execute(insert(audit), rows)


def last_entry(connection: Connection) -> Entry | None:
    """Return the newest entry."""
    row = connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1)).one_or_none()
    return _entry_of(row) if row else None


def read_entries(
    connection: Connection, request: str | None = None, events: Sequence[str] = ()
) -> Iterator[Entry]:
    """Yield the entries as they stand, oldest first: all, those of a request, those of events."""
    query = select(audit).order_by(audit.c.sequence)
    if request is not None:
        query = query.where(audit.c.request == request)
    if events:
        query = query.where(audit.c.event.in_(events))
    rows = connection.execution_options(yield_per=_PAGE).execute(query)
    yield from map(_entry_of, rows)


def _entry_of(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)
