"""Trials of the bench: production's engine on the analyst's notebook, and what is told of it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Event, Thread

import pytest
from bench_trials import (
    ANALYST,
    COUNT,
    DRAW,
    SHOW,
    Unit,
    change_cell,
    follow,
    lay_out,
    lay_out_unit,
    make_twin,
    run,
)
from lasting_server import LastingServer
from small_disk import fill, small_disk
from trial_runs import wait_until

from pipelines.bench.desk import BenchRefusal, Desk
from pipelines.bench.leaving import Leaving, dropped_of, leaving_of
from pipelines.bench.preview import preview_folder
from pipelines.bench.session import choose_data, data_of, lay_out_session
from pipelines.bench.trial import Trials
from pipelines.bench.trial_record import NOTE, Trial
from wardbook.domain.run import FailureKind, RunSpec
from wardbook.engines.claim import claim_if_free, is_claimed
from wardbook.messages import LANGUAGES, say

VALUE = "DUPONT-Marguerite-1931"
"""What a notebook may say of a patient, and nobody else."""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Unit:
    return lay_out_unit(tmp_path_factory.mktemp("unit"))


@pytest.fixture(scope="module")
def trials(unit: Unit, _servers_end: None) -> Iterator[Trials]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wardbook.engines.warm_engine.ForkServer", LastingServer)
        trials = Trials(unit.desk())
        yield trials
        trials.close()


def pause(unit: Unit, name: str) -> str:
    """Return a cell that notes its start and waits until it is let go on."""
    return f"""
import pathlib, time
meet = pathlib.Path({str(unit.meet)!r})
with (meet / "{name}-started").open("a") as note:
    note.write("x")
while not (meet / "{name}-go").exists():
    time.sleep(0.02)
"""


def leaving(desk: Desk, key: str, trial: Trial) -> dict[str, Leaving]:
    with desk.open_house() as house:
        return {one.output: one for one in leaving_of(house, desk.place(key), None, trial.id)}


def test_a_trial_tells_each_cell_and_is_one_however_often_it_is_started(
    unit: Unit, trials: Trials
) -> None:
    key = unit.file(1)
    notebook = lay_out(unit.desk().place(key), COUNT, pause(unit, "one"), SHOW)
    before = notebook.read_bytes()
    trial = trials.start(key)
    wait_until((unit.meet / "one-started").exists, 60)
    wait_until(lambda: trials.start(key).cell == 2)
    now = trials.look(key, "latest")
    assert now is not None
    assert (now.id, now.state, now.cells, now.current) == (trial.id, "running", 3, True)
    (unit.meet / "one-go").touch()
    ended = follow(trials, key, trial)
    assert (ended.state, ended.failure, ended.cell) == ("ended", None, 0)
    assert ended.executed is not None
    assert notebook.read_bytes() == before

    assert run(trials, key).state == "ended"  # judged anew, executed once
    assert (unit.meet / "one-started").read_text() == "x"
    change_cell(notebook, 3, f"{SHOW}  # changed")
    changed = trials.look(key, trial.id)
    assert changed is not None and not changed.current
    change_cell(notebook, 3, SHOW)
    same = trials.look(key, trial.id)
    assert same is not None and same.current
    lay_out(unit.desk().place(key), COUNT, pause(unit, "one"), SHOW, parameters='{"least": "2"}')
    other = trials.look(key, trial.id)
    assert other is not None and not other.current


def test_a_failing_cell_is_told_by_its_place_and_no_value_goes_further(
    unit: Unit, trials: Trials, caplog: pytest.LogCaptureFixture
) -> None:
    key = unit.file(2)
    raising = f'print("{VALUE}")\nraise ValueError("no stay of {VALUE}")'
    lay_out(unit.desk().place(key), COUNT, raising)
    with caplog.at_level(logging.DEBUG):
        trial = run(trials, key)
    assert trial.state == "failed"
    assert trial.failure is not None
    assert trial.failure.cell == 2  # among all cells: the heading is the first
    assert "ValueError" in trial.failure.cause
    assert trial.failure.next_step == say("en", "bench.trial_cell_error_next")
    assert trial.failure.cause.count(".") == 1
    told = json.dumps(asdict(trial), default=str)
    assert VALUE not in told + caplog.text
    assert trial.executed is not None
    run_folder = trial.executed.parent
    assert not [one for one in (run_folder / NOTE).iterdir() if VALUE.encode() in one.read_bytes()]
    assert VALUE not in (run_folder / "result.json").read_text()
    # What would have been found: the executed notebook has it, which stays on the secure side.
    assert VALUE in trial.executed.read_text()

    # A cell that was put before it since moves it; one that was mended is not pointed to.
    lay_out(unit.desk().place(key), "1 + 1", COUNT, raising)
    moved = trials.look(key, trial.id)
    assert moved is not None and moved.failure is not None
    assert moved.failure.cell == 3
    lay_out(unit.desk().place(key), COUNT, "mended = True")
    mended = trials.look(key, trial.id)
    assert mended is not None and mended.failure is not None
    assert mended.failure.cell is None


@pytest.mark.parametrize("kind", FailureKind)
def test_each_failure_has_what_the_analyst_can_do_next(kind: FailureKind) -> None:
    asked = say("en", f"failure.{kind}_next")
    told = {say(language, f"bench.trial_{kind}_next") for language in LANGUAGES}
    assert len(told) == len(LANGUAGES)
    assert asked not in told


def test_a_defect_is_told_by_its_class_alone(
    unit: Unit, trials: Trials, caplog: pytest.LogCaptureFixture
) -> None:
    key, desk = unit.file(13), unit.desk()
    notebook = lay_out(desk.place(key), COUNT, SHOW, pause(unit, "defect"))
    before = notebook.read_bytes()
    with caplog.at_level(logging.DEBUG):
        trial = trials.start(key)
        wait_until((unit.meet / "defect-started").exists, 60)
        damaged = desk.private / "runs" / trial.id / "readiness.json"
        damaged.write_text(json.dumps([{"code": "late", "verdict": VALUE, "details": {}}]))
        (unit.meet / "defect-go").touch()
        trial = follow(trials, key, trial)
    assert trial.failure is not None
    assert trial.failure.cause == say("en", "bench.trial_broken", error="ValueError")
    assert VALUE in damaged.read_text()  # as it was in the error's own message
    assert "ValueError" in caplog.text
    assert VALUE not in caplog.text
    assert notebook.read_bytes() == before


def test_what_would_leave_is_told_with_reason_and_cell(unit: Unit, trials: Trials) -> None:
    key, desk = unit.file(3), unit.desk()
    small = 'counted.loc[0, "patients"] = 3'
    stray = """
import os, pathlib
pathlib.Path(os.environ["WARDBOOK_RUN"], "outputs", "DUPONT.csv").write_text("n")
"""
    notebook = lay_out(desk.place(key), COUNT, small, SHOW, DRAW, stray)
    trial = run(trials, key)
    assert trial.state == "ended", trial.failure
    found = leaving(desk, key, trial)
    assert list(found) == ["report", "by_ward", "picture"]
    table, picture = found["by_ward"], found["picture"]
    assert (picture.verdict, picture.cell, picture.approvals) == ("hold", 4, 1)
    assert picture.reasons[0].text == say("en", "check.figure_from_cut", tables="by_ward")
    assert (table.verdict, table.cell) == ("pass", 3)
    assert table.reasons[0].text.startswith("1 of 2 rows show no figures")
    with desk.open_house() as house:
        dropped = dropped_of(house, desk.place(key), trial.id)
        page = preview_folder(house, desk.place(key), None, trial.id) / "index.html"
        assert page.parent == preview_folder(house, desk.place(key), None, trial.id)
    assert dropped == (say("en", "check.dropped_count", count=1),)
    text = page.read_text()
    assert "Trial, not published: " in text
    assert (page.parent / "figures" / "picture.png").is_file()
    assert not [*page.parent.rglob("DUPONT.csv")]

    # Mended, it passes: so the verdict follows from what the notebook did.
    change_cell(notebook, 2, "")
    mended = run(trials, key)
    assert mended.id != trial.id
    assert leaving(desk, key, mended)["picture"].verdict == "pass"


def test_a_trial_is_cancelled_and_can_be_started_again(unit: Unit, trials: Trials) -> None:
    key = unit.file(4)
    lay_out(unit.desk().place(key), pause(unit, "four"), COUNT, SHOW)
    trial = trials.start(key)
    wait_until((unit.meet / "four-started").exists, 60)
    trials.cancel(key, trial.id)
    ended = follow(trials, key, trial)
    assert ended.state == "cancelled"
    with pytest.raises(BenchRefusal, match="has no outputs"):
        leaving(unit.desk(), key, ended)
    (unit.meet / "four-go").touch()
    assert run(trials, key).state == "ended"
    assert run(trials, key).id == trial.id


def test_what_waits_for_another_trial_is_cancelled_at_once(unit: Unit, trials: Trials) -> None:
    first, second = unit.file(14), unit.file(15)
    lay_out(unit.desk().place(first), pause(unit, "ten"), COUNT, SHOW)
    lay_out(unit.desk().place(second), COUNT, SHOW)
    under_way = trials.start(first)
    wait_until((unit.meet / "ten-started").exists, 60)
    waiting = trials.start(second)
    assert waiting.state == "running"
    trials.cancel(second, waiting.id)
    cancelled = trials.look(second, waiting.id)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    other = trials.look(first, under_way.id)
    assert other is not None
    assert other.state == "running"
    (unit.meet / "ten-go").touch()
    assert follow(trials, first, under_way).state == "ended"
    assert run(trials, second).state == "ended", "it can be started again"


def test_a_look_at_a_claim_is_no_claim(tmp_path: Path) -> None:
    with claim_if_free(tmp_path) as mine:
        assert mine and is_claimed(tmp_path)
        with claim_if_free(tmp_path) as theirs:
            assert not theirs
    stop = Event()

    def look() -> None:
        while not stop.is_set():
            is_claimed(tmp_path)

    looking = Thread(target=look)
    looking.start()
    try:
        for _ in range(3000):
            with claim_if_free(tmp_path) as mine:
                assert mine
    finally:
        stop.set()
        looking.join()


SERVER = """
import os, sys, time
from pathlib import Path
from pipelines.bench.extension import open_desk
from pipelines.bench.trial import Trials
Trials(open_desk(os.environ)).start(sys.argv[1])
time.sleep(600)
"""


def test_a_server_that_died_leaves_a_trial_that_was_cut_off(unit: Unit, trials: Trials) -> None:
    key, desk = unit.file(5), unit.desk()
    notebook = lay_out(desk.place(key), pause(unit, "five"), COUNT, SHOW)
    before = notebook.read_bytes()
    places = {"SETTINGS": unit.folder / "wardbook.toml", "BENCH": desk.folder}
    environ = ANALYST | {f"WARDBOOK_{name}": str(at) for name, at in places.items()}
    server = subprocess.Popen([sys.executable, "-c", SERVER, key], env=os.environ | environ)
    try:
        wait_until((unit.meet / "five-started").exists, 120)
        alive = trials.look(key, "latest")
        assert alive is not None and alive.state == "running"
        assert trials.start(key).id == alive.id  # of another server: there is one trial
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    cut = follow(trials, key, alive)
    assert (cut.state, cut.failure, cut.seconds) == ("cut_off", None, 0)
    assert notebook.read_bytes() == before
    assert cut.current
    (unit.meet / "five-go").touch()
    again = run(trials, key)
    assert (again.id, again.state) == (cut.id, "ended")
    assert (unit.meet / "five-started").read_text() == "xx"
    assert leaving(desk, key, again)["by_ward"].verdict == "pass"


@pytest.fixture
def disk(unit: Unit) -> Iterator[Path]:
    folder = unit.folder / "state" / "small"
    folder.mkdir()
    with small_disk(folder) as mounted:
        yield mounted


def test_a_full_disk_is_told_and_no_edit_is_lost(unit: Unit, trials: Trials, disk: Path) -> None:
    desk = unit.desk(disk / "desk")
    place = desk.place(unit.file(6))
    wasteful = f"""
import os, pathlib
if not pathlib.Path({str(unit.meet)!r}, "frugal").exists():
    pathlib.Path(os.environ["WARDBOOK_RUN"], "outputs", "big").write_bytes(bytes(2**23))
"""
    notebook = lay_out(place, wasteful, COUNT, SHOW)
    before = notebook.read_bytes()
    full = say("en", "bench.trial_disk_full", folder=desk.private)
    on_small = Trials(desk)
    try:
        ballast = fill(disk)
        with pytest.raises(BenchRefusal) as refused:
            on_small.start(place.key)
        assert str(refused.value) == full
        with desk.open_house() as house, pytest.raises(BenchRefusal) as refused:
            lay_out_session(house, place, None, "real")
        assert str(refused.value) == full
        assert notebook.read_bytes() == before

        ballast.unlink()
        ended = run(on_small, place.key)  # there is room, until the notebook takes it
        assert (ended.state, ended.failure and ended.failure.cause) == ("failed", full)
        assert notebook.read_bytes() == before
        (unit.meet / "frugal").touch()
        assert run(on_small, place.key).state == "ended"
        with desk.open_house() as house:
            assert lay_out_session(house, place, None, "real").problems == ()
    finally:
        on_small.close()


def test_a_closed_source_is_refused_and_the_others_are_given(unit: Unit, trials: Trials) -> None:
    key, desk = unit.file(7, sources={"stays": "closed", "beds": "beds"}), unit.desk()
    place = desk.place(key)
    lay_out(place, "import wardbook as wb\n" + 'wb.source("beds")')
    closed = say("en", "data.source_closed", file="closed")
    with desk.open_house() as house:
        session = lay_out_session(house, place, None, "real")
    assert session.refused == {"stays": closed}
    assert session.problems == (closed,)
    assert set(RunSpec.read(place.session).sources) == {"beds"}
    trial = run(trials, key)
    assert (trial.state, trial.failure and trial.failure.cause) == ("failed", closed)

    open_to = unit.file(8, sources={"stays": "closed", "beds": "beds"}, purpose="research")
    lay_out(desk.place(open_to), COUNT, SHOW)
    with desk.open_house() as house:
        assert lay_out_session(house, desk.place(open_to), None, "real").refused == {}
    assert run(trials, open_to).state == "ended"


def test_twins_are_read_instead_and_told(unit: Unit, trials: Trials) -> None:
    key, desk = unit.file(9), unit.desk()
    place = desk.place(key)
    lay_out(place, COUNT, SHOW)
    with desk.open_house() as house, pytest.raises(BenchRefusal, match="no twin data of: stays"):
        choose_data(house, place, None, "twin")
    assert data_of(place) == "real"
    twin = make_twin(unit)
    try:
        pages = {}
        for data in ("twin", "real"):
            with desk.open_house() as house:
                assert choose_data(house, place, None, data) is True
            trial = run(trials, key)
            assert (trial.state, trial.data) == ("ended", data), trial.failure
            assert trial.executed is not None
            table = (trial.executed.parent / "outputs" / "by_ward.csv").read_text()
            read = [RunSpec.read(folder).twins for folder in (trial.executed.parent, place.session)]
            assert f"CARD,{40 if data == 'real' else 20}" in table
            assert [*map(tuple, read)] == [() if data == "real" else ("stays",)] * 2
            with desk.open_house() as house:
                page = preview_folder(house, place, None, trial.id) / "index.html"
            pages[data] = page.read_text()
    finally:
        twin.unlink()
    assert "synthetic" in pages["twin"]
    assert "synthetic" not in pages["real"]


@pytest.mark.r
def test_r_tells_each_cell_and_what_to_install_where_it_is_missing(
    unit: Unit, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("R") is None:
        pytest.skip("R is not installed (Debian packages r-base-core and r-cran-irkernel)")
    key = unit.file(12, template="wards_r")
    place = unit.desk().place(key)
    meet = unit.meet / "r"
    wait = f'file.create("{meet}-started"); while (!file.exists("{meet}-go")) Sys.sleep(0.02)'
    count = 'counted <- as.data.frame(table(ward = read.csv(wardbook.source("stays"))$ward))'
    name = (
        'names(counted)[[2]] <- "patients"; wardbook.table("by_ward", counted, caption = "Wards")'
    )
    lay_out(place, count, wait, name)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(unit.meet))
        with pytest.raises(BenchRefusal) as refused:
            trials.start(key)
        assert str(refused.value) == say("en", "bench.kernel_no_r")
        assert trials.look(key, "latest") is None
    trial = trials.start(key)
    wait_until(Path(f"{meet}-started").exists, 60)
    wait_until(lambda: trials.start(key).cell == 2)
    Path(f"{meet}-go").touch()
    ended = follow(trials, key, trial)
    assert (ended.state, ended.failure) == ("ended", None)
    assert leaving(unit.desk(), key, ended)["by_ward"].verdict == "pass"
    assert leaving(unit.desk(), key, ended)["by_ward"].cell == 3


def test_what_was_edited_by_hand_amiss_is_told_in_a_sentence(unit: Unit, trials: Trials) -> None:
    desk = unit.desk()
    place = desk.place(unit.file(10))
    with pytest.raises(BenchRefusal, match="are not there"):
        trials.start(place.key)
    notebook = lay_out(place, COUNT, parameters='{"least": "a few"}')
    trial = run(trials, place.key)
    assert trial.state == "failed"
    assert trial.failure is not None
    assert trial.failure.cause == say("en", "failure.request_broken")
    notebook.write_text("{")
    with pytest.raises(BenchRefusal, match="is not a notebook"):
        trials.start(place.key)
    assert notebook.read_text() == "{"
    notebook.unlink()
    with pytest.raises(BenchRefusal, match="has no notebook"):
        trials.start(place.key)
    assert trials.look(place.key, "../../DATA-10") is None
    other = desk.place(unit.file(11))
    lay_out(other, COUNT)
    with pytest.raises(BenchRefusal, match="no such trial"):
        leaving(desk, other.key, trial)
