"""The sandbox's state: JSON records in one SQLite file (WAL), one transaction per HTTP request.

A record has a kind (`jira.issue`), an id, an owner (the id of what it belongs to) and a key (what
it is looked up by). Killing the process at any moment leaves the last committed request's state.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Body = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, id INTEGER NOT NULL, owner INTEGER NOT NULL, key TEXT,
    body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_owner ON record (kind, owner, id);
CREATE INDEX IF NOT EXISTS record_key ON record (kind, key);
CREATE INDEX IF NOT EXISTS issue_updated ON record (owner, json_extract(body, '$.updated_at'), id,
    json_extract(body, '$.created_at'), json_extract(body, '$.state'),
    json_extract(body, '$.author')) WHERE kind = 'gitlab.issue';
CREATE INDEX IF NOT EXISTS issue_created ON record (owner, json_extract(body, '$.created_at'), id,
    json_extract(body, '$.updated_at'), json_extract(body, '$.state'),
    json_extract(body, '$.author')) WHERE kind = 'gitlab.issue';
CREATE TABLE IF NOT EXISTS sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
# Named, since without statistics SQLite prefers to read all of a kind by its primary key.
BY_OWNER = "FROM record INDEXED BY record_owner"
BY_KEY = "FROM record INDEXED BY record_key"
FIRST_ID = {"jira": 10_000}
Condition = Literal[
    "state", "author", "updated_after", "updated_before", "created_after", "created_before"
]
Order = Literal["created_at", "updated_at"]
CONDITIONS: dict[Condition, str] = {
    "state": "json_extract(body, '$.state') = ?",
    "author": "json_extract(body, '$.author') = ?",
    "updated_after": "json_extract(body, '$.updated_at') >= ?",
    "updated_before": "json_extract(body, '$.updated_at') <= ?",
    "created_after": "json_extract(body, '$.created_at') >= ?",
    "created_before": "json_extract(body, '$.created_at') <= ?",
}
ORDERS: dict[tuple[Order, bool], str] = {
    ("created_at", True): "json_extract(body, '$.created_at') DESC, id DESC",
    ("created_at", False): "json_extract(body, '$.created_at'), id",
    ("updated_at", True): "json_extract(body, '$.updated_at') DESC, id DESC",
    ("updated_at", False): "json_extract(body, '$.updated_at'), id",
}


@dataclass(frozen=True)
class Selection:
    """Which issues are wanted, in which order: what the database finds without reading bodies."""

    conditions: tuple[tuple[Condition, object], ...]
    order_by: Order
    descends: bool


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
                f"SELECT body {BY_KEY} WHERE kind = ? AND key = ? ORDER BY id LIMIT 1",
                (kind, key),
            )
        return self._one(
            f"SELECT body {BY_KEY} WHERE kind = ? AND key = ? AND owner = ? ORDER BY id LIMIT 1",
            (kind, key, owner),
        )

    def all_with_key(self, kind: str, key: str) -> list[Body]:
        """Return the records of a kind with this key, in order of id."""
        rows = self._connection.execute(
            f"SELECT body {BY_KEY} WHERE kind = ? AND key = ? ORDER BY id", (kind, key)
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
                f"SELECT body {BY_OWNER} WHERE kind = ? AND owner = ? ORDER BY id", (kind, owner)
            )
        return [json.loads(row[0]) for row in rows]

    def select(
        self, kind: str, owner: int, wanted: Selection, limit: int, start: int
    ) -> tuple[list[Body], int]:
        """Return some of the records of `owner` that meet conditions, and how many there are."""
        # The kind stands in the text, since SQLite takes a partial index for constants only; the
        # text is put together from the constants above, every value is bound.
        where = " AND ".join(
            [f"kind = '{kind}'", "owner = ?", *(CONDITIONS[name] for name, _ in wanted.conditions)]
        )
        values = (owner, *(value for _, value in wanted.conditions))
        total = self._connection.execute(
            f"SELECT count(*) FROM record WHERE {where}",  # noqa: S608
            values,
        ).fetchone()[0]
        order = ORDERS[wanted.order_by, wanted.descends]
        rows = self._connection.execute(
            f"SELECT body FROM record WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608
            (*values, limit, start),
        )
        return [json.loads(row[0]) for row in rows], int(total)

    def count_where(self, kind: str, owner: int, field: str, value: object) -> int:
        """Return how many records of `owner` have this value of a field."""
        return int(
            self._connection.execute(
                f"SELECT count(*) {BY_OWNER} WHERE kind = ? AND owner = ? "
                "AND json_extract(body, '$.' || ?) = ?",
                (kind, owner, field, value),
            ).fetchone()[0]
        )

    def count(self, kind: str, owner: int) -> int:
        """Return how many records of a kind belong to `owner`."""
        return int(
            self._connection.execute(
                f"SELECT count(*) {BY_OWNER} WHERE kind = ? AND owner = ?", (kind, owner)
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
