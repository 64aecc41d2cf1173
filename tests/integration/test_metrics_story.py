"""A template's metric from the ticket to rows that a dashboard reads, and what stops it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from pipelines.demo.world import REVIEWER
from pipelines.house import House, read_clock
from pipelines.metrics_channel import GrafanaPut, read_released, refuse_unseen
from pipelines.provenance import Finished
from pipelines.story import tick_until_quiet
from tests.beds import COUNTS, DECLARED, write_code
from tests.integration.test_cutting import approve, change_notebook
from tests.integration.test_story import Scene, open_scene, spf_folder
from tests.receipt_form import assert_documented
from wardbook.disclosure.checks import tell_reason
from wardbook.disclosure.sheet import read_sheet
from wardbook.domain.output import Channel, Verdict
from wardbook.domain.record import Deliverable, Intent, Record
from wardbook.domain.states import State
from wardbook.errors import Fault, SealRefusal
from wardbook.ledger.schema import effects
from wardbook.seal import Fingerprint, verify

__all__ = ["spf_folder"]

pytestmark = [pytest.mark.xdist_group("metrics"), pytest.mark.secure("stays*.csv")]
Opened = Callable[[str], AbstractContextManager[Scene]]


@pytest.fixture
def opened(tmp_path: Path, spf_folder: Path, story_ledger_url: str) -> Opened:
    def open_one(code: str) -> AbstractContextManager[Scene]:
        return open_scene(tmp_path, spf_folder, story_ledger_url, code=code, declared=DECLARED)

    return open_one


@dataclass(frozen=True)
class Answered:
    """A request whose metric was delivered; tests leave it as they find it."""

    scene: Scene
    record: Record
    reasons: set[str]

    @property
    def house(self) -> House:
        return self.scene.house

    @property
    def delivered(self) -> Deliverable:
        (one,) = (d for d in self.record.links.deliverables if d.channel is Channel.GRAFANA)
        return one


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, spf_folder: Path) -> Iterator[Answered]:
    folder = tmp_path_factory.mktemp("metrics")
    ledger = f"sqlite:///{folder / 'ledger.db'}"
    with open_scene(folder, spf_folder, ledger, code=write_code(), declared=DECLARED) as scene:
        key = scene.file()
        scene.tick()
        reasons = held_reasons(scene.record(key))
        yield Answered(scene, approve(scene, key), reasons)


def rows(house: House, query: str = "select time, ward, n from tiny_beds") -> list[Sequence[Any]]:
    with house.open_metrics() as database, database.reading() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def held_reasons(record: Record, verdict: Verdict = Verdict.HOLD) -> set[str]:
    checks = (check for check in record.work.checks if check.output == "beds")
    return {check.reason for check in checks if check.verdict is verdict}


def test_a_ticket_becomes_rows_without_its_small_cells(answered: Answered) -> None:
    assert answered.reasons == set()
    assert answered.record.state is State.ANSWERED
    found = {(time, ward): n for time, ward, n in rows(answered.house)}
    assert len(found) == 16
    assert {time for time, _ in found} == {
        "2026-03-26 23:00:00.000000",
        "2026-03-27 23:00:00.000000",
        "2026-03-28 23:00:00.000000",
        "2026-03-29 22:00:00.000000",
    }
    assert found["2026-03-27 23:00:00.000000", "B"] is None
    assert 4 not in found.values()
    assert found["2026-03-26 23:00:00.000000", "A"] == 40


def test_the_answer_and_the_receipt_tell_of_the_rows(answered: Answered) -> None:
    delivered = answered.delivered
    assert delivered.address.endswith("/dashboards/tiny/")
    comments = answered.scene.comments(answered.record.key)
    assert any(delivered.address in comment for comment in comments)
    file = Path(delivered.folder) / delivered.file
    content = file.read_bytes()
    arrived = rows(answered.house, "select sha256, rows from metric_deliveries")
    assert arrived == [(hashlib.sha256(content).hexdigest(), 16)]

    house = answered.house
    signer = Fingerprint(house.settings.seal.signer)
    given: dict[str, Any] = {
        "public_key": house.keyring.export_public(signer),
        "fingerprint": signer,
        "now": house.now(),
    }
    found = verify(file.parent, **given)
    assert (found.output, found.receipt.release.channel) == ("metrics", "grafana")
    assert_documented(json.loads((file.parent / "receipt.json").read_text(encoding="utf-8")))
    file.write_bytes(content.replace(b",40.0", b",41.0", 1))
    with pytest.raises(SealRefusal):
        verify(file.parent, **given)
    file.write_bytes(content)


def test_a_delivery_that_was_cut_short_is_finished(answered: Answered) -> None:
    """Killed after the rows, or with the rows lost: it is looked for, and made whole."""
    intent, effect = the_intent(answered.house, answered.record), GrafanaPut(answered.house)
    before = sorted(rows(answered.house))
    assert effect.find(intent, answered.record) is not None
    (Path(answered.delivered.folder) / "receipt.json").unlink()
    assert effect.find(intent, answered.record) is None, "rows without their receipt are half"
    effect.do(intent, answered.record)
    assert effect.find(intent, answered.record) is not None
    with answered.house.open_metrics() as database, database.writing() as connection:
        connection.execute(text("delete from tiny_beds"))
        connection.execute(text("delete from metric_deliveries"))
    assert effect.find(intent, answered.record) is None, "a receipt without its rows is half"
    effect.do(intent, answered.record)
    assert sorted(rows(answered.house)) == before


def test_what_was_hidden_may_not_be_sent(answered: Answered) -> None:
    """The table as the run made it, instead of as it leaves, is turned away."""
    done = Finished.of(answered.house, answered.record)
    refuse_unseen(answered.house, answered.record, "beds", read_released(done, "beds"))
    whole = read_sheet(done.folder / "outputs" / done.output("beds").file)
    with pytest.raises(Fault, match=r"artefact\.(small_counts|unexplained)"):
        refuse_unseen(answered.house, answered.record, "beds", whole)


MISSING = {place: n for place, n in COUNTS.items() if place[0] != "2026-03-29"}


def test_what_is_no_series_is_refused_and_a_missing_day_held(opened: Opened) -> None:
    with opened(write_code({**COUNTS, ("fin mars", "A"): 40})) as scene:
        key = scene.file()
        scene.tick()
        record = scene.record(key)
        assert record.state is State.REJECTED
        assert held_reasons(record, Verdict.REFUSE) == {"period_unreadable"}
        told = rows(scene.house, "select step, cause from unit_refusals")
        assert told == [("rules", "period_unreadable")]
        assert_nothing_left(scene)

        change_notebook(scene, key, write_code(MISSING))
        record = scene.record(key)
        assert record.state is State.HELD
        assert held_reasons(record) == {"period_missing"}
        (check,) = (one for one in record.work.checks if one.reason == "period_missing")
        assert dict(check.details) == {"count": "1", "day": "2026-03-29"}
        assert "2026-03-29" in tell_reason(check, "fr")
        note = "\n".join(notes(scene, record))
        assert "série est interrompue" in note
        assert "2026-03-29" not in note, "a day without patients is not told on GitLab"
        assert_nothing_left(scene)

        assert approve(scene, key).state is State.ANSWERED
        found = rows(scene.house)
        assert len(found) == 12
        assert None in [n for _, ward, n in found if ward == "B"], "a small cell stays hidden"
        assert 4 not in [n for *_, n in found]


def test_a_later_release_takes_the_place_of_the_earlier(opened: Opened) -> None:
    with opened(write_code()) as scene:
        key = scene.file()
        scene.tick()
        first = approve(scene, key)
        scene.edit(key, {"description": "Avec la correction."})
        scene.tick()
        corrected = {place: n + 105 for place, n in COUNTS.items() if place[0] > "2026-03-28"}
        change_notebook(scene, key, write_code(corrected))

        # Whoever changes the file between check and release has nothing sent.
        held = scene.record(key)
        (file,) = scene.house.run_folder(str(held.work.run)).glob("outputs/**/beds.csv")
        good = file.read_text(encoding="utf-8")
        file.write_text(good.replace("Service A", "Service Z"), encoding="utf-8")
        request = scene.gitlab(REVIEWER).mergerequests.get(held.links.merge_request)
        request.approve(sha=request.sha)
        outcome = tick_until_quiet(scene.house)
        assert scene.record(key).state is State.DELIVERED
        assert outcome.faults == {}
        ((_, stuck),) = scene.house.ledger.stuck_intents()
        assert "beds is not the one that was checked" in str(stuck.error)
        assert dict(rows(scene.house, BY_RUN)) == {first.work.run: 16}
        editions = list(scene.house.settings.site.folder.glob("reports/*/*/index.html"))
        assert len(editions) == 1, "nor is the report published without its metrics"

        file.write_text(good, encoding="utf-8")
        scene.house.now = lambda: read_clock() + timedelta(minutes=1)
        scene.tick()
        second = scene.record(key)
        assert second.state is State.ANSWERED
        assert second.work.run != first.work.run
        assert dict(rows(scene.house, BY_RUN)) == {first.work.run: 8, second.work.run: 8}
        delivered = [d for d in second.links.deliverables if d.channel is Channel.GRAFANA]
        assert len(delivered) == 2, "each edition has its receipt"


BY_RUN = "select run, count(*) from tiny_beds group by run"


def assert_nothing_left(scene: Scene) -> None:
    """Neither a row nor a page nor a file."""
    with scene.house.open_metrics() as database, database.reading() as connection:
        there = set(inspect(connection).get_table_names())
    assert not there & {"tiny_beds", "metric_deliveries"}
    assert not list(scene.house.settings.site.folder.glob("reports/*/*"))
    assert not (scene.house.settings.unit.state / "metrics").exists()


def notes(scene: Scene, record: Record) -> list[str]:
    request = scene.gitlab(REVIEWER).mergerequests.get(record.links.merge_request)
    return [note.body for note in request.notes.list(iterator=True) if not note.system]


def the_intent(house: House, record: Record) -> Intent:
    with house.ledger.reading() as connection:
        query = select(effects).where(effects.c.kind == "grafana.put")
        row = connection.execute(query).one()
    assert row.done_at is not None
    assert row.request_key == record.key
    return Intent(row.key, row.kind, row.payload)
