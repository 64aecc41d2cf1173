"""The unit's own metrics: from the ledger's history to tables, and to what Prometheus is told."""

from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from pipelines.doctor import Finding, examine
from pipelines.prometheus import MetricsServer
from pipelines.story import tick
from tests.beds import DECLARED
from tests.desk import Desk
from tests.tiny_template import write_template
from wardbook.domain.states import MOVES, State
from wardbook.ledger import Ledger, open_ledger
from wardbook.ledger.rows import add_event
from wardbook.metrics.database import MetricsDatabase
from wardbook.metrics.unit import TARGETS, Happening, account_for
from wardbook.metrics.unit_series import keep_unit_series
from wardbook.settings import PrometheusSettings

PARIS = ZoneInfo("Europe/Paris")
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
USED = {"seconds": 12.5, "used": {"cpu_seconds": 20.0, "peak_mb": 300}}
HISTORY: list[tuple[int, str, dict[str, Any]]] = [
    (0, "ticket.received", {}),
    (1, "gate.refused", {"problems": ["purpose_missing", "basis_expired", "purpose_missing"]}),
    (60, "ticket.edited", {}),
    (61, "gate.accepted", {"problems": []}),
    (62, "request.prepared", {}),
    (63, "run.started", {}),
    (65, "run.failed", {"failure": "out_of_memory", "seconds": 60.0, "used": None}),
    (70, "request.mended", {}),
    (71, "run.started", {}),
    (75, "run.checked", USED),
    (76, "release.refused", {"rules": ["artefact.script"]}),
    (80, "request.mended", {}),
    (81, "run.started", {}),
    (85, "run.checked", USED),
    (86, "release.held", {}),
    (90, "release.rejected", {"causes": [1, 4]}),
    (91, "run.forced", {}),
    (92, "run.started", {}),
    (93, "run.checked", USED),
    (94, "release.held", {}),
    (100, "release.approved", {}),
    (101, "deliverable.delivered", {}),
    (103, "request.answered", {}),
]


def happenings(request: str = "DATA-1") -> list[Happening]:
    return [
        Happening(NINE + timedelta(minutes=at), request, event, detail, "tiny")
        for at, event, detail in HISTORY
    ]


def test_every_event_that_moves_a_request_has_one_target() -> None:
    for move in MOVES:
        if move.source is not move.target:
            assert TARGETS[move.event] is move.target
    assert set(TARGETS.values()) == set(State)


def test_a_history_is_told_step_by_step() -> None:
    rows = account_for([*happenings("DATA-2"), *happenings()])
    mine = [row for row in rows.lead_times if row["request"] == "DATA-1"]
    seconds: dict[str, float] = {}
    for row in mine:
        seconds[row["step"]] = seconds.get(row["step"], 0) + row["seconds"]
    minutes = {step: taken / 60 for step, taken in seconds.items()}
    assert minutes == {
        "received": 2, "accepted": 1, "prepared": 4, "running": 11, "checked": 3, "held": 10,
        "released": 1, "delivered": 2, "whole": 12,
    }  # fmt: skip
    assert len(rows.lead_times) == 2 * len(mine)
    refused = {(row["step"], row["cause"]) for row in rows.refusals}
    assert refused == {
        ("gate", "purpose_missing"), ("gate", "basis_expired"), ("rules", "artefact.script"),
        ("review", "small_counts"), ("review", "differencing"),
    }  # fmt: skip
    runs = [row for row in rows.runs if row["request"] == "DATA-1"]
    assert [row["outcome"] for row in runs] == ["out_of_memory", *["succeeded"] * 3]
    assert [row["cpu_seconds"] for row in runs] == [None, 20.0, 20.0, 20.0]


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    ledger = open_ledger(ledger_url)
    yield ledger
    ledger.close()


@pytest.fixture
def database(ledger_url: str, tmp_path: Path) -> Iterator[MetricsDatabase]:
    url = ledger_url.replace("ledger.db", "metrics.db")
    with MetricsDatabase(url) as database:
        yield database


def happen(ledger: Ledger, key: str, history: list[tuple[int, str, dict[str, Any]]]) -> None:
    with ledger._writing() as connection:
        for at, event, detail in history:
            add_event(connection, key, "platform", event, detail, NINE + timedelta(minutes=at))


TABLES = ("unit_requests", "unit_lead_times", "unit_refusals", "unit_runs")


def everything(database: MetricsDatabase) -> dict[str, set[tuple[Any, ...]]]:
    with database.reading() as connection:
        return {
            name: {tuple(row) for row in connection.execute(text(f"select * from {name}"))}
            for name in TABLES
        }


def test_tables_follow_the_ledger_however_often_it_is_read(
    ledger: Ledger, database: MetricsDatabase
) -> None:
    assert not keep_unit_series(ledger, database, NINE, PARIS), "nothing has happened"
    happen(ledger, "DATA-1", HISTORY[:7])
    assert keep_unit_series(ledger, database, NINE, PARIS)
    assert not keep_unit_series(ledger, database, NINE, PARIS)
    happen(ledger, "DATA-1", HISTORY[7:])
    happen(ledger, "DATA-2", HISTORY)
    assert keep_unit_series(ledger, database, NINE, PARIS)
    found = everything(database)
    whole = account_for([*happenings(), *happenings("DATA-2")])
    sizes = [len(found[name]) for name in TABLES[1:]]
    assert sizes == [len(whole.lead_times), len(whole.refusals), len(whole.runs)]
    with database.writing() as connection:
        for name in (*TABLES[1:], "unit_read"):
            connection.execute(text(f"delete from {name}"))
    assert keep_unit_series(ledger, database, NINE, PARIS)
    assert everything(database) == found, "what is lost is made again"


def test_another_ledger_is_read_from_its_beginning(
    ledger: Ledger, database: MetricsDatabase, tmp_path: Path
) -> None:
    happen(ledger, "DATA-1", HISTORY)
    keep_unit_series(ledger, database, NINE, PARIS)
    before = everything(database)["unit_runs"]
    other = open_ledger(f"sqlite:///{tmp_path / 'other.db'}")
    happen(other, "DATA-9", HISTORY[:7])
    assert keep_unit_series(other, database, NINE, PARIS)
    assert everything(database)["unit_runs"] > before
    other.close()


def test_days_without_a_change_stand_as_the_day_before(desk: Desk) -> None:
    desk.file()
    tick(desk.house)
    first = desk.house.now().astimezone(desk.house.zone).date()
    desk.later(days=3)
    desk.file()
    tick(desk.house)
    with desk.house.open_metrics() as database:
        found = sorted(everything(database)["unit_requests"])
    by_day: dict[str, float] = {}
    for time, _, count in found:
        by_day[time] = by_day.get(time, 0) + count
    assert list(by_day.values()) == [1, 1, 1, 2], first


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def get(port: int, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


WORDS = 'Petite question ÉTRANGE {state="x"} \n# HELP'


def test_prometheus_reads_what_serve_tells_and_no_word_of_a_ticket(desk: Desk) -> None:
    key = desk.file(summary=WORDS.replace("\n", " "))
    tick(desk.house)
    happen(desk.house.ledger, key, HISTORY)
    tick(desk.house)
    port = free_port()
    with MetricsServer(desk.house, PrometheusSettings(port=port)) as server:
        server.note_pass(NINE, 2)
        status, told = get(port)
        assert get(port, "/other")[0] == 404
        assert get(port, method="POST")[0] == 405
    assert status == 200
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }
    assert samples["wardbook_refusals_total", "gate", "purpose_missing"] == 1
    assert samples["wardbook_refusals_total", "review", "small_counts"] == 1
    assert samples["wardbook_runs_total", "succeeded"] == 3
    assert samples["wardbook_run_cpu_seconds_total", "succeeded"] == 60
    assert samples["wardbook_step_seconds_sum", "whole"] == 720
    assert samples["wardbook_pass_faults",] == 2
    assert samples["wardbook_pass_timestamp_seconds",] == NINE.timestamp()
    states = {labels[0] for name, *labels in samples if name == "wardbook_requests"}
    assert states == set(State), "each state is told, so that no series vanishes"
    assert sum(n for (name, *_), n in samples.items() if name == "wardbook_requests") == 1
    assert key not in told
    assert "trange" not in told
    labels = {label for _, *labels in samples for label in labels}
    assert all(re.fullmatch(r"[a-z][a-z_.]{0,40}", label) for label in labels)


def test_the_check_above_would_find_a_word() -> None:
    assert not re.fullmatch(r"[a-z][a-z_.]{0,40}", WORDS)
    assert not re.fullmatch(r"[a-z][a-z_.]{0,40}", "DATA-1")


def test_a_database_that_is_away_is_no_silence(desk: Desk) -> None:
    grafana = desk.settings.grafana.model_copy(
        update={"database": f"postgresql://nobody@/gone?host={desk.settings.unit.state}"}
    )
    desk.house.settings = desk.settings.model_copy(update={"grafana": grafana})
    desk.file()
    done = tick(desk.house)
    assert "grafana" in done.faults["metrics"]
    assert done.moved, "requests go on all the same"
    port = free_port()
    with MetricsServer(desk.house, PrometheusSettings(port=port)):
        assert get(port) == (503, "")


def test_the_doctor_tells_of_a_metric_whose_dimensions_changed(desk: Desk) -> None:
    catalogue = desk.settings.unit.state.parent / "catalogue"
    write_template(catalogue, declared=DECLARED)
    unit = desk.settings.unit.model_copy(update={"templates": catalogue})
    desk.house.settings = desk.settings.model_copy(update={"unit": unit})

    def findings() -> list[Finding]:
        return [one for one in examine(desk.house) if "metric" in one.subject]

    assert [one.well for one in findings()] == [True], "nothing is there yet"
    with desk.house.open_metrics() as database, database.writing() as connection:
        connection.execute(
            text(
                "create table tiny_beds (request text, time text, sex text, "
                "n real, primary key (request, time, sex))"
            )
        )
    ill, well = findings()
    assert not ill.well
    assert re.search("tiny_beds .* dimensions sex; .* declares ward", ill.advice)
    assert well.well
