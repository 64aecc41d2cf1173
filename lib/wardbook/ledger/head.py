"""The version of the ledger's tables; alone here, so that asking for it imports nothing."""

HEAD = "0006_register"
"""The newest version in `migrations/versions`; known here so that opening spares alembic."""
