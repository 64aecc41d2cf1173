"""Series of metrics on SQLite and on a real PostgreSQL: tables, roles, crashes, sizes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.unit.test_metric_schema import COLUMNS, TITLE, declare
from wardbook.errors import ForeignFault
from wardbook.ledger.database import open_engine
from wardbook.metrics import series as writing
from wardbook.metrics.database import MetricChanged, MetricsDatabase
from wardbook.metrics.series import Release, Series, has_arrived, put_series
from wardbook.template.outputs import OutputSpec

START = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = Release("DATA-1", "data-1-a", START)
SECOND = Release("DATA-1", "data-1-b", START + timedelta(hours=1))


@pytest.fixture
def database(ledger_url: str) -> Iterator[MetricsDatabase]:
    with MetricsDatabase(ledger_url) as database:
        yield database


def series(
    days: int = 3, patients: float | None = 20.0, declared: OutputSpec | None = None, skip: int = 0
) -> Series:
    declared = declared or declare()
    figures = dict.fromkeys(declared.measured_columns, patients)
    rows = tuple(
        {"time": START + timedelta(days=day), "ward": ward, **figures}
        for day in range(skip, skip + days)
        for ward in "AB"
    )
    return Series("tiny", "beds", declared, rows)


def ask(database: MetricsDatabase, query: str) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


COUNT = "select run, count(*), count(patients) from tiny_beds group by run order by run"


def test_a_later_release_replaces_its_periods_and_no_other(database: MetricsDatabase) -> None:
    put_series(database, [series(days=5)], FIRST)
    put_series(database, [series(days=2, patients=None, skip=3)], SECOND)
    assert ask(database, COUNT) == [("data-1-a", 6, 6), ("data-1-b", 4, 0)]
    put_series(database, [series(days=5)], FIRST)
    assert ask(database, COUNT) == [("data-1-a", 6, 6), ("data-1-b", 4, 0)], "an older one is older"


def test_another_requests_rows_are_its_own(database: MetricsDatabase) -> None:
    put_series(database, [series()], FIRST)
    put_series(database, [series(patients=30.0)], replace(SECOND, request="DATA-2", run="x"))
    assert ask(database, COUNT) == [("data-1-a", 6, 6), ("x", 6, 6)]


def test_a_run_that_is_released_again_after_another_is_the_latest(
    database: MetricsDatabase,
) -> None:
    put_series(database, [series()], FIRST)
    put_series(database, [series(patients=30.0)], SECOND)
    again = replace(FIRST, released=SECOND.released + timedelta(hours=1))
    assert not has_arrived(database, [series()], again)
    put_series(database, [series()], again)
    assert ask(database, COUNT) == [("data-1-a", 6, 6)]


def test_nothing_arrives_half(database: MetricsDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second metric of a run fails after the first was written."""
    put_series(database, [series()], FIRST)
    real, calls = writing._put, []

    def fail_later(*given: Any) -> None:
        calls.append(given)
        real(*given)
        if len(calls) == 2:
            raise RuntimeError("killed")

    monkeypatch.setattr(writing, "_put", fail_later)
    other = replace(series(), output="stays")
    with pytest.raises(RuntimeError):
        put_series(database, [series(patients=30.0), other], SECOND)
    assert len(calls) == 2
    assert ask(database, COUNT) == [("data-1-a", 6, 6)]
    assert not has_arrived(database, [series(patients=30.0)], SECOND)
    monkeypatch.undo()
    put_series(database, [series(patients=30.0), other], SECOND)
    assert ask(database, COUNT) == [("data-1-b", 6, 6)]
    assert has_arrived(database, [series(patients=30.0), other], SECOND)


def test_a_measure_that_is_new_gets_its_column(database: MetricsDatabase) -> None:
    put_series(database, [series()], FIRST)
    more = declare(
        columns=COLUMNS | {"free": TITLE},
        measures={"beds": {"statistic": "count"}, "free": {"statistic": "count"}},
    )
    put_series(database, [series(days=1, declared=more)], SECOND)
    found = ask(
        database, "select run, count(*), count(free) from tiny_beds group by run order by 1"
    )
    assert found == [("data-1-a", 4, 0), ("data-1-b", 2, 2)]


def test_a_dimension_that_changes_is_refused_by_name(database: MetricsDatabase) -> None:
    put_series(database, [series()], FIRST)
    other = declare(columns=COLUMNS | {"sex": TITLE}, dimensions=["day", "ward", "sex"])
    with pytest.raises(MetricChanged, match=r"tiny_beds .* dimensions ward; .* declares sex, ward"):
        put_series(database, [replace(series(declared=other), rows=())], SECOND)
    assert ask(database, COUNT) == [("data-1-a", 6, 6)]


@pytest.mark.parametrize(("template", "output"), [("tiny_beds", "x"), ("unit", "runs")])
def test_two_metrics_never_share_a_table(
    database: MetricsDatabase, template: str, output: str
) -> None:
    put_series(database, [replace(series(), template="tiny", output="beds_x")], FIRST)
    with pytest.raises(MetricChanged, match="another name"):
        put_series(database, [replace(series(), template=template, output=output)], SECOND)


def test_two_workers_at_once_leave_one_release(ledger_url: str) -> None:
    def work(release: Release, patients: float) -> None:
        with MetricsDatabase(ledger_url) as database:
            put_series(database, [series(patients=patients)], release)

    both = [threading.Thread(target=work, args=one) for one in ((FIRST, 20.0), (SECOND, 30.0))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with MetricsDatabase(ledger_url) as database:
        assert ask(database, COUNT) == [("data-1-b", 6, 6)]


def test_nobody_fails_of_several_who_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Before they waited, about one in sixty did: SQLite says at once that the file is locked."""
    failed: list[str] = []

    def work(file: Path, gate: threading.Barrier) -> None:
        engine = open_engine(f"sqlite:///{file}")
        gate.wait()
        try:
            with engine.begin() as connection:
                connection.execute(text("create table if not exists t (x)"))
        except OperationalError as error:
            failed.append(str(error))
        finally:
            engine.dispose()

    for number in range(60):
        gate = threading.Barrier(4)
        each = [
            threading.Thread(target=work, args=(tmp_path / f"{number}.db", gate)) for _ in range(4)
        ]
        for one in each:
            one.start()
        for one in each:
            one.join()
    assert failed == []


def test_more_rows_than_one_batch_arrive(database: MetricsDatabase) -> None:
    rows = tuple(
        {"time": START + timedelta(days=day), "ward": f"W{ward}", "beds": 20.0, "patients": None}
        for day in range(101)
        for ward in range(100)
    )
    put_series(database, [Series("tiny", "beds", declare(), rows)], FIRST)
    assert ask(database, COUNT) == [("data-1-a", 10_100, 0)]


def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Any) -> None:
    url = f"postgresql://wardbook:s3cret@/gone?host={tmp_path}"
    with MetricsDatabase(url) as database, pytest.raises(ForeignFault) as caught:
        put_series(database, [series()], FIRST)
    assert "grafana" in str(caught.value)
    assert "s3cret" not in str(caught.value)


GRANTS = """
create role metrics_writer login;
create role grafana_reader login;
create schema metrics authorization metrics_writer;
alter role metrics_writer set search_path = metrics;
alter role grafana_reader set search_path = metrics;
grant usage on schema metrics to grafana_reader;
alter default privileges for role metrics_writer in schema metrics
    grant select on tables to grafana_reader;
revoke create on schema public from public;
"""


@pytest.mark.postgresql
def test_the_documented_roles_can_do_what_they_must_and_no_more(
    postgresql_url: str, root: Any
) -> None:
    """The ledger is in the same database: neither role may read it."""
    import psycopg

    from wardbook.ledger import open_ledger

    page = (root / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert GRANTS.strip() in page, "what is documented is what is tried"
    open_ledger(postgresql_url).close()
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(GRANTS.encode())
    try:
        writer, reader = (
            postgresql_url.replace(urlsplit(postgresql_url).username or "", role, 1)
            for role in ("metrics_writer", "grafana_reader")
        )
        with MetricsDatabase(writer) as database:
            put_series(database, [series()], FIRST)
            with pytest.raises(ForeignFault, match=r"docs/metrics\.md"):
                ask(database, "select * from public.requests")
        with MetricsDatabase(reader) as database:
            assert ask(database, COUNT) == [("data-1-a", 6, 6)]
            for forbidden in ("select * from public.requests", "delete from tiny_beds"):
                with pytest.raises(ForeignFault):
                    ask(database, forbidden)
            with pytest.raises(ForeignFault):
                put_series(database, [series()], SECOND)
    finally:
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(
                "drop owned by grafana_reader cascade; drop owned by metrics_writer cascade; "
                "drop role grafana_reader; drop role metrics_writer"
            )
