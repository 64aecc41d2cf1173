"""The register of released cells on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, inspect

from wardbook.disclosure.reader import Reader
from wardbook.disclosure.register import (
    Release,
    Scope,
    add_release,
    describe_release,
    find_neighbours,
)
from wardbook.disclosure.suppress import suppress
from wardbook.disclosure.table import TOTAL, Cell, Relation, Table
from wardbook.ledger import schema
from wardbook.ledger.database import connect

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def month(number: int, population: str = "séjours") -> Scope:
    last = date(2026, number + 1, 1).toordinal() - 1
    return Scope(population, "count", date(2026, number, 1), date.fromordinal(last))


def release(scope: Scope, run: str) -> Release:
    counts = {"A": 50, "B": 6, "C": 70, "Ensemble é": 126}
    cells = tuple(Cell((code,), float(n), float(n)) for code, n in counts.items())
    table = Table("par_service", ("service",), cells, (Relation(3, (0, 1, 2)),))
    reader = Reader()
    suppression = suppress(table, {1}, reader)
    return describe_release(table, suppression, reader, scope, request="DATA-1", run=run, now=NOW)


def test_a_release_comes_back_as_it_was(engine: Engine) -> None:
    one = release(replace(month(3), limits={"age": "18+"}), "run-1")
    with engine.begin() as connection:
        add_release(connection, one)
        add_release(connection, one)  # a step that is done again after a crash
    with engine.connect() as connection:
        assert find_neighbours(connection, month(3)) == (one,)
    assert one.shown[1] is None
    assert TOTAL not in one.places[3]


def test_neighbours_are_those_of_the_same_persons_at_some_same_time(engine: Engine) -> None:
    year = Scope("séjours", "count", date(2026, 1, 1), date(2026, 12, 31))
    months = [release(month(number), f"run-{number}") for number in (1, 2, 3)]
    others = release(month(3, "urgences"), "run-4")
    with engine.begin() as connection:
        for one in (*months, others):
            add_release(connection, one)
    with engine.connect() as connection:
        assert find_neighbours(connection, month(3)) == (months[2],)
        assert find_neighbours(connection, year) == tuple(months)
        assert find_neighbours(connection, Scope("séjours", "durée")) == ()
    of_year = release(year, "run-5")
    with engine.begin() as connection:
        add_release(connection, of_year)
    with engine.connect() as connection:
        # By the year a month meets the other months.
        assert find_neighbours(connection, month(3)) == (*months, of_year)


def test_the_migration_makes_the_table_that_the_schema_names(engine: Engine) -> None:
    made = {one["name"]: one["nullable"] for one in inspect(engine).get_columns("releases")}
    assert made == {one.name: one.nullable for one in schema.releases.columns}
