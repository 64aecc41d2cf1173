"""From ticket to answer on a real Slurm, a pass at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import TrialCluster, open_cluster, wait_for

from pipelines.cli.main import main
from pipelines.demo.world import ANALYST
from pipelines.doctor import examine
from pipelines.house import House
from pipelines.story import tick_until_quiet
from tests.integration.test_story import Scene, open_scene
from wardbook.domain.run import FailureKind, RunResult
from wardbook.domain.states import State
from wardbook.epidemic.generate import generate_files

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[TrialCluster]:
    with open_cluster() as cluster:
        yield cluster


@pytest.fixture
def scene(cluster: TrialCluster, tmp_path: Path) -> Iterator[Scene]:
    """A unit whose runs go to Slurm, and whose reports wait for nobody."""
    data = tmp_path / "spf"
    data.mkdir()
    stock, flow = generate_files(data, seed=1, days=8)
    stock.rename(data / "hosp_donnees-hospitalieres-covid19.csv")
    flow.rename(data / "hosp_nouveaux.csv")
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_scene(tmp_path, data, ledger, standing=True) as scene:
        settings = scene.house.settings.model_copy(update={"executor": cluster.settings()})
        with House(settings) as house:
            yield Scene(scene.world, scene.sandbox, house)


def result_of(scene: Scene, key: str) -> RunResult | None:
    return RunResult.read(scene.house.run_folder(str(scene.record(key).work.run)))


def test_tickets_are_answered_from_slurm(
    cluster: TrialCluster,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = [scene.file(), scene.file()]
    scene.tick()  # does not wait for the runs: they go on without this process
    assert {scene.record(key).state for key in keys} == {State.RUNNING}
    folders = [scene.house.run_folder(str(scene.record(key).work.run)) for key in keys]
    assert len({cluster.array_of(folder) for folder in folders}) == 1
    wait_for(lambda: all(result_of(scene, key) for key in keys))
    scene.tick()
    assert {scene.record(key).state for key in keys} == {State.ANSWERED}
    event = next(e for e in scene.house.ledger.events(keys[0]) if e.event == "run.checked")
    assert event.detail["asked"] == {"cpus": 1, "memory_mb": 2048, "seconds": 600.0}
    assert "used" in event.detail
    capsys.readouterr()
    monkeypatch.setenv("WARDBOOK_LEDGER_URL", scene.house.settings.ledger)
    assert main(["--settings", str(scene.world.settings), "show", keys[0], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["resources"]
    assert told["asked"] == "1 cpu(s), 2048 MB, 600 s"
    assert told["used"]


def test_a_pass_says_that_slurm_is_away_and_the_next_goes_on(
    cluster: TrialCluster, scene: Scene
) -> None:
    key = scene.file()
    with cluster.without_controller():
        outcome = tick_until_quiet(scene.house)
        assert "Slurm cannot be asked now" in outcome.faults["executor"]
        (finding,) = (found for found in examine(scene.house) if "executor" in found.subject)
        assert not finding.well
        assert "scontrol ping" in finding.advice
        assert scene.record(key).state is State.RUNNING
    (finding,) = (found for found in examine(scene.house) if "executor" in found.subject)
    assert finding.well
    scene.tick()
    wait_for(lambda: result_of(scene, key) is not None)
    scene.tick()
    assert scene.record(key).state is State.ANSWERED


def test_a_request_that_is_closed_ends_its_run(cluster: TrialCluster, scene: Scene) -> None:
    blocking = cluster.submit_plain("--nodes=3", "--exclusive")
    wait_for(lambda: [state for _, state, _ in cluster.jobs()] == ["RUNNING"])
    key = scene.file()
    scene.tick()
    issue = scene.gitlab(ANALYST).issues.get(scene.record(key).links.issue)
    issue.state_event = "close"
    issue.save()
    folder = scene.house.run_folder(str(scene.record(key).work.run))
    scene.tick()
    assert scene.record(key).state is State.CLOSED
    cluster.ask("scancel", str(blocking))
    wait_for(lambda: RunResult.read(folder) is not None)
    result = RunResult.read(folder)
    assert result is not None
    assert result.failure is not None
    assert result.failure.kind is FailureKind.CANCELLED
    assert not (folder / "executed.ipynb").exists()
    wait_for(lambda: cluster.jobs() == [])
