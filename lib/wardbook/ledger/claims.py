"""Claims: at most one worker acts on a request at a time, on this machine or on several.

A claim lives as long as its holder: the kernel (flock, for SQLite) or the server (advisory lock,
for PostgreSQL) lets go when the process dies, so nothing has to time out after a crash.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text


@contextmanager
def claim(engine: Engine, name: str) -> Iterator[bool]:
    """Claim `name` for the length of the block; yields False when another worker holds it."""
    if engine.dialect.name == "postgresql":
        with _claim_in_postgresql(engine, name) as mine:
            yield mine
    else:
        with _claim_by_file(Path(str(engine.url.database) + ".claims"), name) as mine:
            yield mine


@contextmanager
def _claim_by_file(folder: Path, name: str) -> Iterator[bool]:
    folder.mkdir(mode=0o700, exist_ok=True)
    # A digest, since a ticket's key is foreign text and must not become a path.
    file = folder / hashlib.sha256(name.encode()).hexdigest()[:32]
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _claim_in_postgresql(engine: Engine, name: str) -> Iterator[bool]:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = connection.execute(text("select pg_try_advisory_lock(:n)"), {"n": number}).scalar()
        try:
            yield bool(mine)
        finally:
            if mine:
                connection.execute(text("select pg_advisory_unlock(:n)"), {"n": number})
