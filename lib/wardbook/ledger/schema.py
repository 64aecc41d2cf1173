"""The ledger's tables. A change here needs a migration in `migrations/versions`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

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
    Column("ticket_id", String(32), nullable=False),
    Column("ticket_updated", String(40), nullable=False),
    Column("issue_updated", String(40), nullable=False),
    Column("said", String(32), nullable=False),
    Column("compared", String(120), nullable=False),
    Column("issue", String(255), index=True),
    Column("look_at", String(32), index=True),
    Column("view", JSON, nullable=False),
    Column("agreed", JSON, nullable=False),
    Column("census", Integer, nullable=False),
    Column("purged", String(32), nullable=False, default=""),
    Index("requests_ticket_id", "ticket_id", unique=True),
)

threads = Table(
    "threads",
    metadata,
    Column("request_key", String(64), ForeignKey("requests.key"), primary_key=True),
    Column("side", String(8), primary_key=True),
    Column("thread", JSON, nullable=False),
)

twins = Table(
    "twins",
    metadata,
    Column("request_key", String(64), ForeignKey("requests.key"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("theirs", String(64), primary_key=True),
    Column("stamp", String(64), nullable=False),
    Column("ours", String(255), nullable=False),
    Column("skipped", Text, nullable=False),
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

audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("event", String(64), nullable=False, index=True),
    Column("request", String(64), nullable=False, index=True),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
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

pinned_keys = Table(
    "pinned_keys",
    metadata,
    Column("person", String(255), primary_key=True),
    Column("fingerprint", String(40), primary_key=True),
    Column("trust", String(16), nullable=False),
    Column("request", String(64), nullable=False),
    Column("proposed_at", String(32), nullable=False),
    Column("decided_at", String(32), nullable=False),
    Column("decided_by", String(120), nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("request_key", String(64), nullable=False),
    Column("run", String(80), nullable=False),
    Column("name", String(64), nullable=False),
    Column("released_at", String(32), nullable=False),
    Column("population", String(255), nullable=False, index=True),
    Column("measure", String(64), nullable=False),
    Column("first_day", String(10)),
    Column("last_day", String(10)),
    Column("limits", JSON, nullable=False),
    Column("dimensions", JSON, nullable=False),
    Column("places", JSON, nullable=False),
    Column("shown", JSON, nullable=False),
    Column("known", JSON, nullable=False),
    Column("sums", JSON, nullable=False),
    UniqueConstraint("request_key", "run", "name", name="releases_once"),
)
