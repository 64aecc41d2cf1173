"""A template's metric from the ticket to rows that a dashboard reads, and what stops it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pipelines.house import House
from tests.beds import DECLARED, write_code
from tests.integration.test_cutting import approve
from tests.integration.test_story import Scene, open_scene, spf_folder
from wardbook.domain.output import Channel, Verdict
from wardbook.domain.record import Record
from wardbook.domain.states import State

__all__ = ["spf_folder"]

pytestmark = [pytest.mark.xdist_group("metrics"), pytest.mark.secure("stays*.csv")]
Opened = Callable[..., Scene]


@pytest.fixture
def opened(tmp_path: Path, spf_folder: Path, story_ledger_url: str) -> Iterator[Callable[..., Any]]:
    def open_one(code: str = write_code(), declared: str = DECLARED) -> Any:
        return open_scene(tmp_path, spf_folder, story_ledger_url, code=code, declared=declared)

    yield open_one


def rows(house: House, query: str = "select time, ward, n from tiny_beds") -> list[Sequence[Any]]:
    with house.open_metrics() as database, database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def held_reasons(record: Record, verdict: Verdict = Verdict.HOLD) -> set[str]:
    checks = (check for check in record.work.checks if check.output == "beds")
    return {check.reason for check in checks if check.verdict is verdict}


def test_a_ticket_becomes_rows_without_its_small_cells(opened: Any) -> None:
    with opened() as scene:
        key = scene.file()
        scene.tick()
        assert held_reasons(scene.record(key)) == set()
        record = approve(scene, key)
        assert record.state is State.ANSWERED
        found = {(time, ward): n for time, ward, n in rows(scene.house)}
        assert len(found) == 16
        assert {time for time, _ in found} == {
            "2026-03-26 23:00:00.000000",
            "2026-03-27 23:00:00.000000",
            "2026-03-28 23:00:00.000000",
            "2026-03-29 22:00:00.000000",
        }
        small = "2026-03-27 23:00:00.000000"
        assert found[small, "B"] is None
        shown = {n for n in found.values() if n is not None}
        assert 4 not in shown
        assert found["2026-03-26 23:00:00.000000", "A"] == 40

        (delivered,) = [d for d in record.links.deliverables if d.channel is Channel.GRAFANA]
        assert delivered.address.endswith("/dashboards/tiny/")
        content = (Path(delivered.folder) / delivered.file).read_bytes()
        arrived = rows(scene.house, "select sha256, rows from metric_deliveries")
        assert arrived == [(hashlib.sha256(content).hexdigest(), 16)]
        assert any(delivered.address in comment for comment in scene.comments(key))


def test_what_happened_in_the_unit_is_told(opened: Any) -> None:
    with opened() as scene:
        key = scene.file()
        scene.tick()
        print(rows(scene.house, "select * from unit_requests"))
        approve(scene, key)
        for t in ["unit_requests", "unit_lead_times", "unit_refusals", "unit_runs", "unit_read"]:
            print(t, rows(scene.house, f"select * from {t}"))
