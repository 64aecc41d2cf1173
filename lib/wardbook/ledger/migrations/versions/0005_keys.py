"""Keys of people: which are proposed, confirmed, rejected, revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0005_keys"
down_revision = "0004_audit"


def upgrade() -> None:
    """Add the table of keys."""
    op.create_table(
        "pinned_keys",
        sa.Column("person", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(40), primary_key=True),
        sa.Column("trust", sa.String(16), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("proposed_at", sa.String(32), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(120), nullable=False),
    )
