"""The ledger's tables. A change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

requests = Table(
    "requests",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("known_before", Integer, nullable=False),
    Column("ticket", JSON, nullable=False),
    Column("asked", String(64), nullable=False),
    Column("gated", String(64), nullable=False),
    Column("request", JSON),
    Column("links", JSON, nullable=False),
    Column("work", JSON, nullable=False),
    Column("review", JSON, nullable=False),
    Column("changed_at", String(32), nullable=False),
    Column("warned", String(10), nullable=False, default=""),
    Column("due_at", String(32), index=True),
)

effects = Table(
    "effects",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", String(160), nullable=False, unique=True),
    Column("request_key", String(64), ForeignKey("requests.key"), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text),
    Column("next_try", String(32)),
    Column("outcome", JSON),
    Column("intended_at", String(32), nullable=False),
    Column("done_at", String(32)),
    Index("effects_open", "request_key", "done_at"),
)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("request_key", String(64), nullable=False, index=True),
    Column("actor", String(120), nullable=False),
    Column("event", String(64), nullable=False),
    Column("detail", JSON, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("ticket_key", String(64), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_at", String(32), nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("value", Text, nullable=False),
)
