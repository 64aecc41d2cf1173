"""How runs end when it is Slurm that ends them, and what is done about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_cluster import TrialCluster, failure, follow, look, wait_for
from trial_runs import is_alive, make_run

from pipelines.executors.interface import RunState
from wardbook.domain.run import FailureKind, RunResult, RunSpec
from wardbook.errors import Fault

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]

STEPS = """
import os, pathlib, time
folder = pathlib.Path(os.environ['WARDBOOK_RUN'])
with open(folder / 'starts', 'a') as starts:
    starts.write(f'{os.getpid()}\\n')
while not (folder / 'go').exists():
    time.sleep(0.02)
with open(folder / 'ends', 'a') as ends:
    ends.write('x')
"""
"""Notes its start, waits for leave, notes its end."""


def starts(run: Path) -> list[int]:
    """Return the process of each start of the notebook."""
    file = run / "starts"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def ends(run: Path) -> str:
    return (run / "ends").read_text() if (run / "ends").exists() else ""


def node_of(cluster: TrialCluster, run: Path) -> str:
    ((_, _, node),) = cluster.jobs(f"--jobs={cluster.array_of(run)}")
    return node


def state_of(cluster: TrialCluster, number: int) -> str:
    ((_, state, _),) = cluster.jobs("--states=all", f"--jobs={number}")
    return state


HUNGRY = """
import os, subprocess, sys, pathlib
code = "import time; x = bytearray(b'x') * (150 << 20); time.sleep(100)"
open(os.environ['WARDBOOK_RUN'] + '/starts', 'a').write(f'{os.getpid()}\\n')
children = [subprocess.Popen([sys.executable, '-c', code]) for _ in range(8)]
for child in children:
    child.wait()
"""
"""Each process stays below the limit of a process; together they are above that of the job."""


def test_a_job_that_slurm_ends_for_its_memory_says_so(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    run = make_run(tmp_path, "run", HUNGRY, memory_mb=300)
    executor = cluster.executor(tmp_path)
    follow(executor, run)
    result = RunResult.read(run)
    assert result is not None
    assert result.failure is not None
    assert result.failure.kind is FailureKind.OUT_OF_MEMORY
    assert result.failure.details == {"memory_mb": 300}
    assert "exceeded memory limit" in (run / "slurm.log").read_text()
    assert not is_alive(starts(run)[0])
    assert not (run / "scratch").exists()


def test_cancelled_runs_end_by_name(cluster: TrialCluster, tmp_path: Path) -> None:
    blocking = [make_run(tmp_path, f"blocking{number}", STEPS, cpus=2) for number in range(3)]
    queued = make_run(tmp_path, "queued", STEPS)
    never = make_run(tmp_path, "never", STEPS)
    executor = cluster.executor(tmp_path)
    look(executor, blocking)
    wait_for(lambda: all(starts(run) for run in blocking))
    look(executor, [queued])
    assert executor.status([queued]) == {queued: RunState.QUEUED}
    for run in (queued, blocking[0], blocking[0], never):
        executor.cancel(run)
    executor.flush()
    wait_for(lambda: RunResult.read(blocking[0]) is not None)
    assert {failure(run) for run in (blocking[0], queued, never)} == {FailureKind.CANCELLED}
    assert not starts(queued)
    executor.cancel(queued)  # nothing changes for a run that has ended
    for run in blocking[1:]:
        (run / "go").touch()
    follow(executor, *blocking, queued, never)
    assert [failure(run) for run in blocking[1:]] == [None, None]
    wait_for(lambda: cluster.jobs() == [])
    assert not starts(queued)
    assert not is_alive(starts(blocking[0])[0])


def test_a_job_that_somebody_else_cancels_is_cancelled(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    run = make_run(tmp_path, "run", STEPS)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for(lambda: len(starts(run)) == 1)
    assert cluster.ask("scancel", str(cluster.array_of(run))) == ""
    follow(executor, run)
    assert failure(run) is FailureKind.CANCELLED
    assert not is_alive(starts(run)[0])


def test_a_waiting_job_that_somebody_else_cancels_is_not_handed_over_again(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    blocking = cluster.submit_plain("--nodes=3", "--exclusive")
    wait_for(lambda: [state for _, state, _ in cluster.jobs()] == ["RUNNING"])
    runs = [make_run(tmp_path, f"run{number}", STEPS) for number in range(3)]
    executor = cluster.executor(tmp_path)
    look(executor, runs)
    number = cluster.array_of(runs[0])
    assert cluster.ask("scancel", f"{number}_1") == ""
    look(executor, runs)
    assert failure(runs[1]) is FailureKind.CANCELLED
    assert executor.status(runs[::2]) == dict.fromkeys(runs[::2], RunState.QUEUED)
    assert cluster.ask("scancel", f"{number}_0", f"{number}_2") == ""
    look(executor, runs)
    assert [failure(run) for run in runs] == [FailureKind.CANCELLED] * 3
    assert [starts(run) for run in runs] == [[]] * 3
    cluster.ask("scancel", str(blocking))


def test_a_failed_run_that_is_laid_out_anew_is_executed(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    run = make_run(tmp_path, "run", STEPS)
    follow(cluster.executor(tmp_path, python="/nowhere/python"), run)
    first = cluster.array_of(run)
    assert failure(run) is FailureKind.ENVIRONMENT_BROKEN
    (run / "result.json").unlink()
    executor = cluster.executor(tmp_path)
    assert executor.status([run]) == {run: RunState.UNKNOWN}
    (run / "go").touch()
    RunSpec.read(run).write(run)
    follow(executor, run)
    assert cluster.array_of(run) != first
    assert failure(run) is None


def test_a_run_without_its_environment_is_told_apart(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", STEPS)
    executor = cluster.executor(tmp_path, python="/nowhere/python")
    follow(executor, run)
    assert failure(run) is FailureKind.ENVIRONMENT_BROKEN
    assert "/nowhere/python" in (run / "slurm.log").read_text()


def test_a_refused_run_fails_or_waits_by_whose_matter_it_is(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    huge = make_run(tmp_path, "huge", STEPS, memory_mb=900_000)
    plain = make_run(tmp_path, "plain", STEPS)
    with pytest.raises(Fault, match=r"(?s)huge.*configuration is not available.*wardbook retry"):
        look(cluster.executor(tmp_path), [huge])
    assert failure(huge) is FailureKind.ENVIRONMENT_BROKEN
    assert "not available" in (huge / "slurm.log").read_text()
    with pytest.raises(Fault, match=r"(?s)plain.*Invalid partition name.*They wait"):
        look(cluster.executor(tmp_path, partition="nowhere"), [plain])
    assert RunResult.read(plain) is None
    (plain / "go").touch()
    follow(cluster.executor(tmp_path), plain)
    assert failure(plain) is None


def test_a_damaged_folder_holds_up_no_other_run(cluster: TrialCluster, tmp_path: Path) -> None:
    broken, well = make_run(tmp_path, "broken", STEPS), make_run(tmp_path, "well", STEPS)
    (broken / "slurm.json").write_text("{")
    (well / "go").touch()
    executor = cluster.executor(tmp_path)
    with pytest.raises(Fault, match=r"broken/slurm.json is damaged"):
        look(executor, [broken, well])
    follow(executor, well)
    assert failure(well) is None
    assert not starts(broken)


def test_a_job_that_slurm_will_never_start_is_told(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", STEPS, seconds=1e6)
    executor = cluster.executor(tmp_path)
    look(executor, [run])

    def is_told() -> bool:
        try:
            look(executor, [run])
        except Fault as fault:
            return "will not start" in str(fault)
        return False

    wait_for(is_told)
    executor.cancel(run)
    executor.flush()
    assert failure(run) is FailureKind.CANCELLED
    wait_for(lambda: cluster.jobs() == [])
