"""Runs on a real Slurm: how they go, how they end, and that each is executed once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from slurm_cluster import TrialCluster, failure, follow, look, wait_for
from trial_runs import make_run

from pipelines.executors.interface import RunState
from tests.acceptance.crash_form import LONG
from wardbook.domain.run import FailureKind, RunResult

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]
COUNT = "import os; open(os.environ['WARDBOOK_RUN'] + '/count', 'a').write('x')"


def hold(folder: Path) -> str:
    """Return a cell that notes its start and goes on when `folder/go` is there."""
    return f"""
import os, pathlib, time
open(os.environ['WARDBOOK_RUN'] + '/count', 'a').write('x')
pathlib.Path({str(folder / "started")!r}).touch()
while not pathlib.Path({str(folder / "go")!r}).exists():
    time.sleep(0.02)
"""


def test_a_run_goes_through_its_states(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", hold(tmp_path))
    executor = cluster.executor(tmp_path)
    assert executor.status([run]) == {run: RunState.UNKNOWN}
    executor.submit(run)
    executor.flush()
    assert executor.status([run])[run] in {RunState.QUEUED, RunState.RUNNING}
    wait_for((tmp_path / "started").exists)
    assert executor.status([run]) == {run: RunState.RUNNING}
    assert executor.wait(0.1) is False
    (tmp_path / "go").touch()
    assert executor.wait(60) is True
    assert executor.status([run]) == {run: RunState.ENDED}
    assert failure(run) is None
    wait_for(lambda: cluster.jobs() == [])


@pytest.mark.timeout(900)
def test_many_runs_go_as_an_array_and_each_runs_once(cluster: TrialCluster, tmp_path: Path) -> None:
    # Four times what the cluster has room for, or many more.
    runs = [make_run(tmp_path, f"run{number}", COUNT) for number in range(200 if LONG else 24)]
    executor = cluster.executor(tmp_path)
    look(executor, runs)
    assert len({cluster.array_of(run) for run in runs}) == 1
    follow(executor, *runs, seconds=800)
    assert {failure(run) for run in runs} == {None}
    assert {(run / "count").read_text() for run in runs} == {"x"}
    assert [run.name for run in runs if (run / "scratch").exists()] == []
    wait_for(lambda: cluster.jobs() == [])


def test_runs_that_ask_for_other_things_go_as_other_arrays(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    small = [make_run(tmp_path, f"small{number}", COUNT) for number in range(3)]
    large = make_run(tmp_path, "large", COUNT, cpus=2, memory_mb=1500)
    executor = cluster.executor(tmp_path, largest_array=2)
    look(executor, [*small, large])
    assert len({cluster.array_of(run) for run in [*small, large]}) == 3
    asked = cluster.ask("squeue", "--noheader", "--states=all", "--format=%F %C %m")
    assert asked is not None
    assert f"{cluster.array_of(large)} 2 1900M" in asked.splitlines()
    follow(executor, *small, large)


def test_several_passes_at_once_hand_a_run_over_once(cluster: TrialCluster, tmp_path: Path) -> None:
    runs = [make_run(tmp_path, f"run{number}", COUNT) for number in range(4)]
    executors = [cluster.executor(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(len(executors)) as pool:
        for _ in range(3):
            list(pool.map(lambda executor: look(executor, runs), executors))
    assert len(cluster.jobs("--states=all", f"--jobs={cluster.array_of(runs[0])}")) == 4
    assert {cluster.array_of(run) for run in runs} == {cluster.array_of(runs[0])}
    follow(executors[0], *runs)
    assert {(run / "count").read_text() for run in runs} == {"x"}


def test_a_second_job_waits_for_the_first_and_finds_its_result(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    run = make_run(tmp_path, "run", hold(tmp_path))
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    first = cluster.array_of(run)
    (run / "slurm.json").unlink()  # as if nobody had noted anything
    look(executor, [run])
    assert cluster.array_of(run) != first
    wait_for((tmp_path / "started").exists)
    wait_for(lambda: [state for _, state, _ in cluster.jobs()] == ["RUNNING"] * 2)
    (tmp_path / "go").touch()
    follow(executor, run)
    wait_for(lambda: cluster.jobs() == [])
    assert (run / "count").read_text() == "x"


def test_a_notebook_that_fails_says_so_itself(cluster: TrialCluster, tmp_path: Path) -> None:
    runs = {
        FailureKind.CELL_ERROR: make_run(tmp_path, "error", "1 / 0"),
        FailureKind.OUT_OF_TIME: make_run(tmp_path, "long", "while True: pass", seconds=2.0),
        FailureKind.OUT_OF_MEMORY: make_run(
            tmp_path, "large", "x = bytearray(2 << 30)", memory_mb=300
        ),
    }
    executor = cluster.executor(tmp_path)
    follow(executor, *runs.values())
    assert {kind: failure(run) for kind, run in runs.items()} == {kind: kind for kind in runs}
    limits = [RunResult.read(run) for run in runs.values()]
    told = [dict(result.failure.details) for result in limits if result and result.failure]
    assert told == [{}, {"seconds": 2}, {"memory_mb": 300}]
