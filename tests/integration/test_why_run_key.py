"""Nothing runs twice: one thing is changed at a time, `why` foretells, and the pass is watched."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from answered_unit import answered, circumstances_of, lay_out_unit, write_records

from pipelines.circumstances import Circumstances
from pipelines.cli.main import main
from pipelines.demo.world import ANALYST
from pipelines.steps.run import force_request, mend_request, start_run
from pipelines.why import Decision, decide_run, tell_change
from tests.integration.test_story import CODE, TEMPLATE, Scene, open_scene, spf_folder
from wardbook.domain.record import Record
from wardbook.domain.run import FailureKind
from wardbook.domain.states import State
from wardbook.engines.claim import CANCEL
from wardbook.ledger import open_ledger
from wardbook.ledger.glance import glance

__all__ = ["spf_folder"]
pytestmark = [pytest.mark.xdist_group("why_run_key"), pytest.mark.usefixtures("lasting_server")]

SOURCED = (
    TEMPLATE
    + """
[sources.hospital]
kind = "spf-hospital"
sensitivity = "public"
label = { fr = "Hôpital", en = "Hospital" }
[parameters.many]
type = "integer"
label = { fr = "Combien", en = "How many" }
example = "3"
default = "3"
"""
)
FAILING = f"""import wardbook as wb
if b"broken" in wb.source("hospital").read_bytes():
    raise wb.DataProblem("file_missing", file="spf.csv")
{CODE}"""


class Watched:
    """A unit whose runs are counted, and every pass compared with what was foretold."""

    def __init__(self, scene: Scene, key: str) -> None:
        self.scene, self.key = scene, key
        self.data = scene.house.settings.sources["spf"].path

    @property
    def record(self) -> Record:
        return self.scene.record(self.key)

    def executions(self) -> set[tuple[str, str]]:
        """Each execution that ended: the run's key and when it began."""
        found = set()
        for file in (self.scene.house.settings.unit.state / "runs").glob("*/result.json"):
            raw = json.loads(file.read_text(encoding="utf-8"))
            found.add((raw["key"], raw["started"]))
        return found

    def foretell(self) -> Decision:
        house = self.scene.house
        seen = glance(house.settings.ledger, self.key)
        circumstances = Circumstances(house.settings, house.now)
        return decide_run(seen.records[0], circumstances, seen.waiting.get(self.key, ()))

    def told(self) -> list[str]:
        circumstances = Circumstances(self.scene.house.settings, self.scene.house.now)
        changes = self.foretell().changes
        return [t for one in changes for t in tell_change(one, circumstances.known_environment)]

    def tick(self) -> int:
        """Make a pass; returns how many executions it made, which was foretold."""
        foretold, before = self.foretell(), self.executions()
        self.scene.tick()
        made = len(self.executions() - before)
        assert (foretold.runs == "yes") == (made > 0), foretold
        return made


@pytest.fixture
def watched(
    tmp_path: Path,
    spf_folder: Path,
    story_ledger_url: str,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Watched]:
    own = tmp_path / "spf"
    own.mkdir()
    for file in spf_folder.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    code = getattr(request, "param", CODE)
    with open_scene(
        tmp_path, own, story_ledger_url, standing=True, code=code, declared=SOURCED
    ) as scene:
        key = scene.file()
        if code is FAILING:
            path = scene.house.settings.sources["spf"].path
            path.write_bytes(b"broken" + path.read_bytes()[6:])
        scene.tick()
        yield Watched(scene, key)


def test_an_answered_request_stands_whatever_changes(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watched.record.state is State.ANSWERED
    assert len(watched.executions()) == 1
    before = watched.data.stat()

    assert watched.tick() == 0, "nothing changed"
    os.utime(watched.data, ns=(1, 1))
    assert (watched.tick(), watched.told()) == (0, [])
    content = watched.data.read_bytes()
    watched.data.unlink()
    watched.data.write_bytes(content)
    assert (watched.tick(), watched.told()) == (0, []), "the same bytes in a new file"

    time.sleep(0.02)  # the file system's clock goes on: else the bytes may change within a tick
    with watched.data.open("r+b") as file:
        file.write(bytes([content[0] ^ 1]))
    os.utime(watched.data, ns=(before.st_mtime_ns, before.st_mtime_ns))
    (line,) = watched.told()
    assert line.startswith('source "spf": file replaced')
    assert watched.tick() == 0, "the requester has the answer"

    watched.data.write_bytes(content)
    info = tmp_path / "site" / "left_pad-1.0.dist-info"
    info.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    assert watched.told() == ["environment: left-pad absent → 1.0"]
    assert watched.tick() == 0


def test_the_same_request_asked_anew_takes_over_the_result(watched: Watched) -> None:
    """Only words of the ticket change: nothing of what the run was made from."""
    first = watched.record
    watched.scene.edit(watched.key, {"description": "Merci d'avance."})
    assert len(watched.executions()) == 1
    watched.scene.tick()
    again = watched.record
    assert again.work.run == first.work.run
    assert len(watched.executions()) == 1, "decided, checked and released anew; not run"
    assert (again.state, again.revision) == (State.ANSWERED, first.revision + 1)


def commit(watched: Watched, content: str, name: str) -> str:
    made = watched.scene.gitlab(ANALYST).commits.create(
        {
            "branch": f"request/{watched.key}",
            "commit_message": "Change it",
            "actions": [
                {
                    "action": "update",
                    "file_path": f"requests/{watched.key}/{name}",
                    "content": content,
                }
            ],
        }
    )
    return str(made.id)


@pytest.mark.parametrize("watched", [FAILING], indirect=True)
def test_a_failed_request_runs_once_for_each_change_that_can_cure_it(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watched.record.state is State.FAILED
    assert len(watched.executions()) == 1
    assert watched.tick() == 0, "nothing changed: it would fail again"
    os.utime(watched.data)
    assert watched.tick() == 0, "touched, and the same bytes"
    info = tmp_path / "site" / "pandas-99.dist-info"
    info.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(info.parent), *sys.path])
    assert watched.tick() == 0, "a package does not mend a file"

    broken = watched.data.read_bytes()
    watched.data.write_bytes(broken + b"\n")
    assert (watched.tick(), watched.record.state) == (1, State.FAILED), "another file, as bad"
    assert watched.tick() == 0
    watched.data.write_bytes(broken)
    watched.scene.tick()
    stands = len(watched.executions())
    watched.data.write_bytes(b"repaired" + broken[6:])
    assert watched.tick() == 1
    assert watched.record.state is State.ANSWERED
    assert len(watched.executions()) == stands + 1


@pytest.mark.parametrize("watched", [FAILING], indirect=True)
def test_a_parameter_on_the_branch_is_named_and_runs_again(
    watched: Watched, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(watched, '{"many": "4"}', "parameters.json")
    monkeypatch.setenv("WARDBOOK_LEDGER_URL", watched.scene.house.settings.ledger)
    templates = watched.scene.house.settings.unit.templates
    file = watched.scene.world.settings
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[unit]", f'[unit]\ntemplates = "{templates}"'), encoding="utf-8")
    assert main(["--settings", str(file), "why", watched.key]) == 0
    told = capsys.readouterr().out
    assert "would run at the next pass" in told
    assert f"→ {head[:8]}" in told
    assert "parameter many: new" in told
    watched.scene.tick()
    assert watched.record.work.commit == head
    assert len(watched.executions()) == 2, "another commit is another run"


def test_forced_it_runs_although_nothing_changed_and_the_old_run_stays(watched: Watched) -> None:
    house, first = watched.scene.house, watched.record
    for number in (1, 2):
        force_request(house, watched.record, "alopes", "the server's clock was wrong")
        assert watched.foretell().runs == "yes"
        assert "Somebody has it run again" in watched.foretell().because
        assert watched.tick() == 1
        assert (watched.record.state, watched.record.work.forced) == (State.ANSWERED, number)
        assert watched.tick() == 0
    assert len({key for key, _ in watched.executions()}) == 3
    assert (house.run_folder(str(first.work.run)) / "executed.ipynb").is_file()
    forced = [one for one in house.ledger.events(watched.key) if one.event == "run.forced"]
    assert [(one.actor, one.detail["reason"]) for one in forced] == [
        ("alopes", "the server's clock was wrong")
    ] * 2


def test_a_cancelled_run_is_not_cancelled_again_when_it_is_retried(watched: Watched) -> None:
    house = watched.scene.house
    force_request(house, watched.record, "alopes", "to cancel it")
    started = start_run(house, watched.record)
    (house.run_folder(str(started.work.run)) / CANCEL).touch()
    watched.scene.tick()
    failure = watched.record.work.failure
    assert failure is not None
    assert failure.kind is FailureKind.CANCELLED
    content = watched.data.read_bytes()
    watched.data.write_bytes(content + b"\n")
    assert watched.tick() == 0, "what a person cancelled stays so"
    watched.data.write_bytes(content)
    mend_request(house, watched.record)
    watched.scene.tick()
    assert watched.record.work.run == started.work.run
    assert watched.record.state is State.ANSWERED


@pytest.mark.parametrize("watched", [FAILING], indirect=True)
def test_a_retry_that_would_come_to_the_same_is_refused(
    watched: Watched, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = watched.scene.world.settings
    monkeypatch.setenv("WARDBOOK_LEDGER_URL", watched.scene.house.settings.ledger)
    templates = watched.scene.house.settings.unit.templates
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[unit]", f'[unit]\ntemplates = "{templates}"'), encoding="utf-8")
    retry = ["--settings", str(file), "retry", watched.key]
    assert main(retry) == 1
    assert "nothing has changed since" in capsys.readouterr().err
    assert watched.record.state is State.FAILED
    assert main([*retry, "--force"]) == 2, "a reason is due"
    assert main([*retry, "--force", "--reason", "the file server was away"]) == 0
    assert watched.record.state is State.PREPARED
    assert main([*retry, "--force", "--reason", "again"]) == 1, "it is on its way already"
    assert watched.tick() == 1


def test_the_quick_look_sees_the_same_records_as_the_ledger(
    tmp_path: Path, story_ledger_url: str
) -> None:
    settings = lay_out_unit(tmp_path)
    now = circumstances_of(settings)
    records = [answered(now, number, state=state) for number, state in enumerate(State, start=1)]
    write_records(story_ledger_url, records)
    ledger = open_ledger(story_ledger_url)
    assert list(glance(story_ledger_url).records) == ledger.records() == records
    assert glance(story_ledger_url, "DATA-3").records == (ledger.record("DATA-3"),)
    assert glance(story_ledger_url, "DATA-99").records == ()
    ledger.close()


def test_effects_that_wait_are_seen(watched: Watched) -> None:
    from wardbook.sandbox import Fault

    house = watched.scene.house
    assert glance(house.settings.ledger).waiting == {}
    force_request(house, watched.record, "alopes", "to see it wait")
    watched.scene.sandbox.faults.add(Fault("gitlab", "503", "PUT"))
    from pipelines.story import tick_until_quiet

    tick_until_quiet(house)
    (first, *_) = glance(house.settings.ledger).waiting[watched.key]
    assert first.error
    assert first.next_try
    assert datetime.fromisoformat(first.next_try) > datetime.now(UTC)
    assert watched.foretell().runs in {"unknown", "no"}


def test_tables_of_an_older_version_are_brought_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_ledger(url).close()
    import sqlite3

    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            connection.execute(f"drop table {table}")
    assert glance(url).records == ()


def test_one_hash_for_a_thousand_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wardbook import data_versions

    settings = lay_out_unit(tmp_path, sources=1)
    time.sleep(data_versions.TICK_NS / 1e9 + 0.1)
    read: list[Any] = []
    real = data_versions.hash_file
    monkeypatch.setattr(data_versions, "hash_file", lambda path: (read.append(path), real(path))[1])
    now = circumstances_of(settings)
    records = [answered(now, number) for number in range(1, 1001)]
    for record in records:
        assert decide_run(record, circumstances_of(settings) if record.key == "DATA-500" else now)
    assert len(read) == 1
