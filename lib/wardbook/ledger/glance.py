"""A quick look at the whole ledger, for commands that answer at once and write nothing.

It speaks to the database's own driver: importing SQLAlchemy takes longer than reading ten thousand
requests. Rows become the same Records as everywhere else, by `columns.build_record`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from wardbook.domain.record import Record
from wardbook.errors import ForeignFault
from wardbook.ledger.columns import build_record, key_order
from wardbook.ledger.head import HEAD

_SQLITE, _POSTGRESQL = "sqlite:///", "postgresql"
_REQUESTS = "select * from requests"
_REQUEST = "select * from requests where key = ?"
_EFFECTS = "select * from effects where done_at is null order by number"
_EFFECTS_OF = "select * from effects where done_at is null and request_key = ? order by number"


@dataclass(frozen=True)
class Waiting:
    """The first effect of a request that is not confirmed, and why it was not made if tried."""

    kind: str
    error: str | None
    next_try: str | None


@dataclass(frozen=True)
class Glance:
    """Requests in the order of their numbers, and the effects that wait; of one moment."""

    records: tuple[Record, ...]
    waiting: dict[str, tuple[Waiting, ...]]


def glance(url: str, key: str | None = None) -> Glance:
    """Read all requests of the ledger at `url`, or one; older tables are brought up to date first.

    Raises:
        ForeignFault: the database cannot be reached or read.
    """
    found = _read(url, key)
    if found is None:
        from wardbook.ledger.ledger import open_ledger

        open_ledger(url).close()
        found = _read(url, key)
    if found is None:
        raise ForeignFault("The ledger has tables of a newer version. Update this installation.")
    return found


def _read(url: str, key: str | None) -> Glance | None:
    """Return what the ledger holds, or None if its tables are not of our version."""
    with _connection(url) as run:
        if not _is_current(run):
            return None
        rows = run(_REQUESTS if key is None else _REQUEST, key)
        effects = run(_EFFECTS if key is None else _EFFECTS_OF, key)
    parse = _Parsed()
    records = sorted((build_record(row, parse) for row in rows), key=lambda r: key_order(r.key))
    waiting: dict[str, tuple[Waiting, ...]] = {}
    for row in effects:
        one = Waiting(row["kind"], row["error"], row["next_try"])
        waiting[row["request_key"]] = (*waiting.get(row["request_key"], ()), one)
    return Glance(tuple(records), waiting)


class _Parsed:
    """Parses the texts of JSON columns; equal ones share their value, which nobody can change."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Any] = {}

    def __call__(self, adapter: TypeAdapter[Any], text: str | None) -> Any:
        if text is None:
            return None
        place = id(adapter), text
        if place not in self._known:
            self._known[place] = adapter.validate_json(text)
        return self._known[place]


def _is_current(run: Any) -> bool:
    try:
        return [row["version_num"] for row in run("select version_num from alembic_version")] == [
            HEAD
        ]
    except LookupError:
        return False


@contextmanager
def _connection(url: str) -> Iterator[Any]:
    opened = _postgresql if url.startswith(_POSTGRESQL) else _sqlite
    with opened(url) as run:
        yield run


@contextmanager
def _sqlite(url: str) -> Iterator[Any]:
    import sqlite3

    file = Path(url.removeprefix(_SQLITE))
    if not file.exists():
        raise ForeignFault(f"{file} is not there: no pass has been made yet. Run `wardbook tick`.")

    def run(statement: str, key: str | None = None) -> list[Any]:
        try:
            return connection.execute(statement, (key,) if key else ()).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                raise LookupError(str(error)) from None
            raise ForeignFault(f"The ledger {file} cannot be read ({error}).") from None

    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.isolation_level = None
        connection.row_factory = sqlite3.Row
        connection.execute("pragma busy_timeout=30000")
        connection.execute("begin")
        yield run


@contextmanager
def _postgresql(url: str) -> Iterator[Any]:
    import psycopg
    from psycopg.rows import dict_row
    from psycopg.types.string import TextLoader

    def run(statement: str, key: str | None = None) -> list[Any]:
        try:
            return connection.execute(
                statement.replace("?", "%s").encode(), (key,) if key else ()
            ).fetchall()
        except psycopg.errors.UndefinedTable as error:
            raise LookupError(str(error)) from None

    try:
        opened = psycopg.connect("postgresql://" + url.partition("://")[2], row_factory=dict_row)
    except psycopg.OperationalError as error:
        raise ForeignFault(
            f"The ledger cannot be reached ({type(error).__name__}). "
            "Check that the server runs and that `ledger` in wardbook.toml is right."
        ) from None
    with opened as connection:
        connection.adapters.register_loader("json", TextLoader)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield run
