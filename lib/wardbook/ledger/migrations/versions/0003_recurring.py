"""Recurring requests: when the clock makes a step due, and what was told ahead of time."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add two columns; whoever approved was an account's name and becomes a person."""
    op.add_column("requests", sa.Column("warned", sa.String(10), nullable=False, server_default=""))
    op.add_column("requests", sa.Column("due_at", sa.String(32)))
    op.create_index("ix_requests_due_at", "requests", ["due_at"])
    connection = op.get_bind()
    for key, *values in connection.execute(sa.text("select key, ticket, request from requests")):
        ticket, request = (json.loads(v) if isinstance(v, str) else v for v in values)
        connection.execute(
            sa.text("update requests set ticket = :ticket, request = :request where key = :key"),
            {"ticket": _with_person(ticket), "request": _with_person(request), "key": key},
        )


def _with_person(asked: dict[str, Any] | None) -> str | None:
    if asked is None:
        return None
    account = asked["approver"]
    person = {"username": account, "name": account} if account else None
    return json.dumps(asked | {"approver": person})
