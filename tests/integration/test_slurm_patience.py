"""What Slurm takes half a minute to notice: each on a cluster of its own, all at the same time."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from slurm_cluster import TrialCluster, failure, follow, look, open_cluster, wait_for
from trial_runs import is_alive, make_run

from pipelines.executors.interface import RunState
from tests.integration.test_slurm_ends import STEPS, ends, node_of, starts, state_of
from tests.integration.test_slurm_nodes import kill_and_see
from wardbook.domain.run import FailureKind, RunResult
from wardbook.errors import Fault

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


def a_run_whose_node_is_lost_is_executed_elsewhere(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", STEPS)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for(lambda: len(starts(run)) == 1)
    first, node = cluster.array_of(run), node_of(cluster, run)
    cluster.kill(node)
    assert not is_alive(starts(run)[0])
    look(executor, [run])
    assert cluster.array_of(run) == first  # Slurm has not noticed: nobody knows yet

    def is_elsewhere() -> bool:
        look(executor, [run])
        return len(starts(run)) == 2

    wait_for(is_elsewhere)
    assert state_of(cluster, first) == "NODE_FAIL"
    assert node_of(cluster, run) not in {node, ""}
    (run / "go").touch()
    follow(executor, run)
    assert failure(run) is None
    assert ends(run) == "x"


def a_run_that_loses_two_nodes_ends_by_name(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", STEPS)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    for attempt in (1, 2):
        wait_for(lambda attempt=attempt: len(starts(run)) == attempt)
        node = node_of(cluster, run)
        cluster.kill(node)
        assert cluster.ask("scontrol", "update", f"node={node}", "state=down", "reason=test") == ""
        look(executor, [run])
    follow(executor, run)
    assert failure(run) is FailureKind.NODE_LOST
    assert ends(run) == ""
    assert not (run / "scratch").exists()


def a_run_that_is_pushed_off_is_executed_again(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", STEPS, cpus=2)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for(lambda: len(starts(run)) == 1)
    first, node = cluster.array_of(run), node_of(cluster, run)
    urgent = cluster.submit_plain("--partition=urgent", f"--nodelist={node}", "--exclusive")
    wait_for(lambda: state_of(cluster, first) == "PREEMPTED")
    assert not is_alive(starts(run)[0])
    assert RunResult.read(run) is None
    look(executor, [run])
    wait_for(lambda: len(starts(run)) == 2)
    (run / "go").touch()
    follow(executor, run)
    assert failure(run) is None
    assert ends(run) == "x"
    cluster.ask("scancel", str(urgent))
    wait_for(lambda: cluster.jobs() == [])


def a_controller_that_is_away_is_not_a_failed_run(cluster: TrialCluster, tmp_path: Path) -> None:
    running = make_run(tmp_path, "running", STEPS)
    ending = make_run(tmp_path, "ending", STEPS)
    waiting = make_run(tmp_path, "waiting", STEPS)
    executor = cluster.executor(tmp_path)
    look(executor, [running, ending])
    wait_for(lambda: len(starts(running)) == len(starts(ending)) == 1)
    with cluster.without_controller():
        (ending / "go").touch()
        with pytest.raises(Fault, match="Slurm cannot be asked now"):
            look(executor, [running, ending, waiting])
        with pytest.raises(Fault, match="Slurm cannot be asked now"):
            executor.status([running])
        wait_for(lambda: RunResult.read(ending) is not None)  # nodes go on without their controller
        assert RunResult.read(running) is None
        assert not (waiting / "slurm.json").exists()
    look(executor, [running, waiting])
    assert executor.status([running]) == {running: RunState.RUNNING}
    for run in (running, waiting):
        (run / "go").touch()
    follow(executor, running, waiting)
    assert [failure(run) for run in (running, ending, waiting)] == [None] * 3
    assert [ends(run) for run in (running, ending, waiting)] == ["x"] * 3
    assert [len(starts(run)) for run in (running, ending, waiting)] == [1] * 3
    wait_for(lambda: cluster.jobs() == [])


def a_job_whose_engine_hangs_is_ended_by_slurm(cluster: TrialCluster, tmp_path: Path) -> None:
    late = make_run(tmp_path, "late", STEPS)
    unwanted = make_run(tmp_path, "unwanted", STEPS)
    executor = cluster.executor(tmp_path)
    look(executor, [late, unwanted])
    wait_for(lambda: len(starts(late)) == len(starts(unwanted)) == 1)
    for run in (late, unwanted):
        for engine in cluster.engines_of(run):
            os.kill(engine, signal.SIGSTOP)
    name = f"{cluster.array_of(late)}_{cluster.task_of(late)}"
    assert cluster.ask("scontrol", "update", f"job={name}", "EndTime=now") == ""
    executor.cancel(unwanted)
    executor.flush()
    assert executor.status([unwanted]) == {unwanted: RunState.RUNNING}
    os.utime(unwanted / "cancel", (0, 0))  # it has had its time
    follow(executor, late, unwanted)
    result = RunResult.read(late)
    assert result is not None
    assert result.failure is not None
    assert result.failure.kind is FailureKind.OUT_OF_TIME
    assert result.failure.details == {"seconds": 60}
    assert failure(unwanted) is FailureKind.CANCELLED
    wait_for(lambda: cluster.jobs() == [])
    assert [pid for run in (late, unwanted) for pid in starts(run) if is_alive(pid)] == []


def workers_end_when_the_node_of_their_run_is_lost(cluster: TrialCluster, tmp_path: Path) -> None:
    # The second attempt, on another node, says by itself that it is one.
    kill_and_see(cluster, tmp_path, "node", FailureKind.CELL_ERROR)


Scene = Callable[[TrialCluster, Path], None]
SCENES: list[Scene] = [
    workers_end_when_the_node_of_their_run_is_lost,
    a_job_whose_engine_hangs_is_ended_by_slurm,
    a_run_whose_node_is_lost_is_executed_elsewhere,
    a_run_that_is_pushed_off_is_executed_again,
    a_run_that_loses_two_nodes_ends_by_name,
    a_controller_that_is_away_is_not_a_failed_run,
]


def play(scene: Scene, cluster: TrialCluster, folder: Path) -> None:
    """Play a scene to its end; after it, no job of the cluster is left."""
    scene(cluster, folder)
    wait_for(lambda: cluster.jobs() == [] and cluster.find_jobs() == {})


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Scene, Future[None]]]:
    """All scenes, each at work."""
    with ExitStack() as clusters, ThreadPoolExecutor(len(SCENES)) as pool:
        yield {
            # One cluster after another: two that start at once may choose the same free port.
            scene: pool.submit(
                play,
                scene,
                clusters.enter_context(open_cluster()),
                tmp_path_factory.mktemp("scene"),
            )
            for scene in SCENES
        }


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_it_is_noticed(begun: dict[Scene, Future[None]], scene: Scene) -> None:
    begun[scene].result()
