"""How the ledger's columns hold the values of a Record; nothing here knows a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from wardbook.domain.mirror import Agreed, IssueView
from wardbook.domain.record import Links, Record, Review, Work
from wardbook.domain.request import Request
from wardbook.domain.states import State
from wardbook.domain.ticket import Ticket

JSON_COLUMNS: Mapping[str, TypeAdapter[Any]] = {
    "ticket": TypeAdapter(Ticket),
    "request": TypeAdapter(Request | None),
    "links": TypeAdapter(Links),
    "work": TypeAdapter(Work),
    "review": TypeAdapter(Review),
    "view": TypeAdapter(IssueView),
    "agreed": TypeAdapter(Agreed),
}


def build_record(row: Mapping[str, Any], parse: Callable[[TypeAdapter[Any], Any], Any]) -> Record:
    """Return the record that a row of `requests` holds.

    Args:
        row: the row's columns, by name.
        parse: makes a value of what the database gave for a JSON column.
    """
    parts = {name: parse(adapter, row[name]) for name, adapter in JSON_COLUMNS.items()}
    return Record(
        key=row["key"],
        state=State(row["state"]),
        revision=row["revision"],
        known_before=bool(row["known_before"]),
        asked=row["asked"],
        gated=row["gated"],
        changed_at=row["changed_at"],
        compared=row["compared"],
        warned=row["warned"],
        purged=row["purged"],
        **parts,
    )


def key_order(key: str) -> tuple[str, int]:
    """Order keys by project, then by number."""
    project, _, number = key.rpartition("-")
    return project, int(number) if number.isdigit() else 0
