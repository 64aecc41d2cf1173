"""Both sides: what each tracker holds, and the copies that were made."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what the synchronisation keeps; issues known already are read anew."""
    for column in (
        sa.Column("ticket_id", sa.String(32), nullable=False, server_default=""),
        sa.Column("ticket_updated", sa.String(40), nullable=False, server_default=""),
        sa.Column("issue_updated", sa.String(40), nullable=False, server_default=""),
        sa.Column("said", sa.String(32), nullable=False, server_default=""),
        sa.Column("compared", sa.String(120), nullable=False, server_default=""),
        sa.Column("issue", sa.String(255)),
        sa.Column("look_at", sa.String(32)),
        sa.Column("view", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("agreed", sa.JSON, nullable=False, server_default="{}"),
        sa.Column("census", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("requests", column)
    _fill(op.get_bind())
    op.create_index("requests_ticket_id", "requests", ["ticket_id"], unique=True)
    op.create_index("ix_requests_issue", "requests", ["issue"])
    op.create_index("ix_requests_look_at", "requests", ["look_at"])
    op.create_table(
        "threads",
        sa.Column("request_key", sa.String(64), sa.ForeignKey("requests.key"), primary_key=True),
        sa.Column("side", sa.String(8), primary_key=True),
        sa.Column("thread", sa.JSON, nullable=False),
    )
    op.create_table(
        "twins",
        sa.Column("request_key", sa.String(64), sa.ForeignKey("requests.key"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("theirs", sa.String(64), primary_key=True),
        sa.Column("stamp", sa.String(64), nullable=False),
        sa.Column("ours", sa.String(255), nullable=False),
        sa.Column("skipped", sa.Text, nullable=False),
    )


def _fill(connection: sa.Connection) -> None:
    rows = connection.execute(sa.text("select key, ticket, links from requests")).all()
    for key, ticket, links in rows:
        ticket, links = (json.loads(v) if isinstance(v, str) else v for v in (ticket, links))
        issue = f"{links['project']}#{links['issue']}" if links.get("issue") else None
        connection.execute(
            sa.text(
                "update requests set ticket_id = :id, issue = :issue, "
                "ticket_updated = :updated, compared = :compared where key = :key"
            ),
            {
                "id": ticket["id"],
                "issue": issue,
                "updated": ticket["updated"],
                "compared": f"{ticket['updated']}||",
                "key": key,
            },
        )
