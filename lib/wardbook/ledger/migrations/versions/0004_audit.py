"""The audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0004_audit"
down_revision = "0003"


def upgrade() -> None:
    """Add the log, empty: what was done before this version is in the requests' history alone."""
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("ix_audit_event", "audit", ["event"])
    op.create_index("ix_audit_request", "audit", ["request"])
    op.add_column("requests", sa.Column("purged", sa.String(32), nullable=False, server_default=""))
