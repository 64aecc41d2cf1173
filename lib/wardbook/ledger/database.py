"""The ledger's database: SQLite in WAL mode by default, PostgreSQL by URL; migrated when opened."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from wardbook.errors import ForeignFault
from wardbook.ledger.head import HEAD

_PATIENCE = 30
"""Seconds that one who writes waits for another."""


def connect(url: str) -> Engine:
    """Open the database at `url`, bringing its tables up to date.

    Raises:
        ForeignFault: it cannot be reached, opened or migrated.
    """
    engine = open_engine(url)
    try:
        _migrate(engine)
    except OperationalError as error:
        place = engine.url.render_as_string(hide_password=True)
        raise ForeignFault(
            f"The ledger {place} cannot be opened ({type(error.orig).__name__}). "
            "Check that the server runs and that `ledger` in wardbook.toml is right."
        ) from None
    return engine


def open_engine(url: str) -> Engine:
    """Return an engine for the database at `url`; nothing is asked of it yet."""
    if url.startswith("postgresql://"):
        url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Connections are kept: to open one costs more than to use it.
        kept: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 0}
        engine = create_engine(url, connect_args={"check_same_thread": False}, **kept)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_for_writing)
    else:
        engine = create_engine(url, pool_pre_ping=True)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: `_begin_for_writing` does, at once for
    # writing, so that two workers queue instead of failing at their first write.
    connection.isolation_level = None
    connection.execute(f"pragma busy_timeout={_PATIENCE * 1000}")
    _write_ahead(connection)
    connection.execute("pragma synchronous=full")
    connection.execute("pragma foreign_keys=on")


def _write_ahead(connection: sqlite3.Connection) -> None:
    # Of two who open a new file at once only one can change its mode, and SQLite lets the other
    # fail instead of waiting.
    last = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("pragma journal_mode=wal")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > last:
                raise
            time.sleep(0.01)


def _begin_for_writing(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("begin" if reading else "begin immediate")


def _migrate(engine: Engine) -> None:
    if _version(engine) == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two workers that start together must not both create the tables.
            connection.execute(text("select pg_advisory_xact_lock(727431)"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()
