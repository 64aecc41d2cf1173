"""The register of released tables."""

import sqlalchemy as sa
from alembic import op

revision = "0006_register"
down_revision = "0005_keys"


def upgrade() -> None:
    """Add the register; what was released before it is not known to it."""
    op.create_table(
        "releases",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("request_key", sa.String(64), nullable=False),
        sa.Column("run", sa.String(80), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("released_at", sa.String(32), nullable=False),
        sa.Column("population", sa.String(255), nullable=False),
        sa.Column("measure", sa.String(64), nullable=False),
        sa.Column("first_day", sa.String(10)),
        sa.Column("last_day", sa.String(10)),
        sa.Column("limits", sa.JSON, nullable=False),
        sa.Column("dimensions", sa.JSON, nullable=False),
        sa.Column("places", sa.JSON, nullable=False),
        sa.Column("shown", sa.JSON, nullable=False),
        sa.Column("known", sa.JSON, nullable=False),
        sa.Column("sums", sa.JSON, nullable=False),
        sa.UniqueConstraint("request_key", "run", "name", name="releases_once"),
    )
    op.create_index("ix_releases_population", "releases", ["population"])
