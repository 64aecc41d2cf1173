"""The sandbox's state: JSON records in one SQLite file (WAL), one transaction per HTTP request.

A record has a kind (`jira.issue`), an id, an owner (the id of what it belongs to) and a key (what
it is looked up by). Killing the process at any moment leaves the last committed request's state.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Body = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, id INTEGER NOT NULL, owner INTEGER NOT NULL, key TEXT,
    body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_owner ON record (kind, owner, id);
CREATE INDEX IF NOT EXISTS record_key ON record (kind, key);
CREATE TABLE IF NOT EXISTS sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
FIRST_ID = {"jira": 10_000}


class Records:
    """The records as one transaction sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.touched = False

    def number(self, sequence: str, first: int = 1) -> int:
        """Return the next number of a named sequence; a number is never given twice."""
        self.touched = True
        row = self._connection.execute(
            "INSERT INTO sequence VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (sequence, first),
        ).fetchone()
        return int(row[0])

    def raise_number(self, sequence: str, least: int) -> None:
        """Make sure that the sequence goes on after `least`."""
        self._connection.execute(
            "INSERT INTO sequence VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (sequence, least),
        )

    def insert(self, kind: str, body: Body, owner: int = 0, key: str | None = None) -> Body:
        """Store a new record and return it with its `id`, which `body` may give."""
        self.touched = True
        if "id" in body:
            self.raise_number(kind, body["id"])
        else:
            body = {"id": self.number(kind, FIRST_ID.get(kind.partition(".")[0], 1)), **body}
        self._connection.execute(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?)",
            (kind, body["id"], owner, key, json.dumps(body)),
        )
        return body

    def save(self, kind: str, body: Body, key: str | None = None, owner: int | None = None) -> None:
        """Replace the body of a record, and its key and owner when they are given."""
        self.touched = True
        self._connection.execute(
            "UPDATE record SET body = ?, key = coalesce(?, key), owner = coalesce(?, owner) "
            "WHERE kind = ? AND id = ?",
            (json.dumps(body), key, owner, kind, body["id"]),
        )

    def delete(self, kind: str, id_: int) -> None:
        """Remove a record; one that is not there is no error."""
        self.touched = True
        self._connection.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, id_))

    def get(self, kind: str, id_: int) -> Body | None:
        """Return the record with this id."""
        return self._one("SELECT body FROM record WHERE kind = ? AND id = ?", (kind, id_))

    def find(self, kind: str, key: str, owner: int | None = None) -> Body | None:
        """Return the first record with this key, among those of `owner` when it is given."""
        if owner is None:
            return self._one(
                "SELECT body FROM record WHERE kind = ? AND key = ? ORDER BY id LIMIT 1",
                (kind, key),
            )
        return self._one(
            "SELECT body FROM record WHERE kind = ? AND key = ? AND owner = ? ORDER BY id LIMIT 1",
            (kind, key, owner),
        )

    def all_with_key(self, kind: str, key: str) -> list[Body]:
        """Return the records of a kind with this key, in order of id."""
        rows = self._connection.execute(
            "SELECT body FROM record WHERE kind = ? AND key = ? ORDER BY id", (kind, key)
        )
        return [json.loads(row[0]) for row in rows]

    def all(self, kind: str, owner: int | None = None) -> list[Body]:
        """Return the records of a kind in order of id, those of `owner` when it is given."""
        if owner is None:
            rows = self._connection.execute(
                "SELECT body FROM record WHERE kind = ? ORDER BY id", (kind,)
            )
        else:
            rows = self._connection.execute(
                "SELECT body FROM record WHERE kind = ? AND owner = ? ORDER BY id", (kind, owner)
            )
        return [json.loads(row[0]) for row in rows]

    def count(self, kind: str, owner: int) -> int:
        """Return how many records of a kind belong to `owner`."""
        return int(
            self._connection.execute(
                "SELECT count(*) FROM record WHERE kind = ? AND owner = ?", (kind, owner)
            ).fetchone()[0]
        )

    def _one(self, sql: str, values: tuple[object, ...]) -> Body | None:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else json.loads(row[0])


class Undo(Exception):
    """Raised inside a transaction to leave it without effect."""


class Store:
    """The SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        connection = sqlite3.connect(path)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(SCHEMA)
        finally:
            connection.close()

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[Records]:
        """Yield the records; commit at the end, roll back on any exception (`Undo` is quiet).

        Writers wait for each other from the first statement on, so that what a request has read
        is still true when it writes.
        """
        connection = sqlite3.connect(
            self.path, isolation_level=None, timeout=120, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            try:
                yield Records(connection)
            except Undo:
                connection.execute("ROLLBACK")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            else:
                connection.execute("COMMIT")
        finally:
            connection.close()
