"""A pass is cut off around sbatch, or never learns what became of it: each run is executed once.

sbatch is the real one, with something around it: a program of that name earlier on the PATH.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from slurm_cluster import ROOT, TrialCluster, failure, follow, look, wait_for
from trial_runs import make_run, wait_until

from pipelines.executors.interface import RunState
from pipelines.executors.slurm.decide import SETTLING_SECONDS
from wardbook.domain.run import RunResult
from wardbook.errors import Fault

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]
COUNT = "import os; open(os.environ['WARDBOOK_RUN'] + '/count', 'a').write('x')"
PASS = """
import sys
from pathlib import Path
from slurm_cluster import TrialCluster, look
look(TrialCluster(Path(sys.argv[1])).executor(Path(sys.argv[2])), [Path(sys.argv[3])])
"""


def put_before_sbatch(folder: Path, script: str) -> str:
    """Write an sbatch into `folder`; in the script, $REAL is the real one. Returns a PATH."""
    folder.mkdir()
    file = folder / "sbatch"
    file.write_text(f"#!/bin/sh\nREAL={shutil.which('sbatch')}\n{script}\n")
    file.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def count_jobs(cluster: TrialCluster) -> int:
    return len(cluster.jobs("--states=all"))


def be_cut_off(cluster: TrialCluster, run: Path, path: str) -> None:
    """Make a pass in a process of its own, which does not survive it."""
    paths = f"{ROOT / 'lib'}:{ROOT}:{ROOT / 'tests'}"
    done = subprocess.run(
        [sys.executable, "-c", PASS, cluster.folder, run.parent, run],
        env={**os.environ, "PATH": path, "PYTHONPATH": paths},
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL


def make_old(run: Path) -> None:
    """Let the time pass in which a batch may yet arrive."""
    past = (run / "slurm.json").stat().st_mtime - SETTLING_SECONDS
    os.utime(run / "slurm.json", (past, past))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path, "run", COUNT)


def test_a_job_whose_number_was_never_noted_is_found(
    cluster: TrialCluster, tmp_path: Path, run: Path
) -> None:
    before = count_jobs(cluster)
    path = put_before_sbatch(tmp_path / "bin", '"$REAL" "$@" && kill -KILL $PPID')
    be_cut_off(cluster, run, path)
    assert not list((tmp_path / "slurm").glob("*/job"))
    make_old(run)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    assert count_jobs(cluster) == before + 1
    follow(executor, run)
    assert (run / "count").read_text() == "x"


def test_a_batch_that_never_reached_slurm_is_handed_over_again(
    cluster: TrialCluster, tmp_path: Path, run: Path
) -> None:
    before = count_jobs(cluster)
    be_cut_off(cluster, run, put_before_sbatch(tmp_path / "bin", "kill -KILL $PPID"))
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    assert executor.status([run]) == {run: RunState.QUEUED}  # it may yet arrive
    assert count_jobs(cluster) == before
    make_old(run)
    assert executor.status([run]) == {run: RunState.UNKNOWN}
    look(executor, [run])
    assert count_jobs(cluster) == before + 1
    follow(executor, run)
    assert (run / "count").read_text() == "x"
    assert [part.name for part in (tmp_path / "slurm").iterdir() if part.is_dir()] == [
        json.loads((run / "slurm.json").read_text())["batch"]
    ]


def test_nobody_looks_while_an_orphaned_sbatch_is_at_work(
    cluster: TrialCluster, tmp_path: Path, run: Path
) -> None:
    before = count_jobs(cluster)
    hold = f"kill -KILL $PPID; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; "
    be_cut_off(cluster, run, put_before_sbatch(tmp_path / "bin", hold + 'exec "$REAL" "$@"'))
    make_old(run)  # however long it takes
    second = subprocess.Popen(
        [sys.executable, "-c", PASS, cluster.folder, run.parent, run],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'lib'}:{ROOT}:{ROOT / 'tests'}"},
    )
    wait_until(lambda: is_waiting_for_lock(second.pid, tmp_path / "slurm" / "lock"))
    (tmp_path / "go").touch()
    assert second.wait(120) == 0
    assert count_jobs(cluster) == before + 1
    follow(cluster.executor(tmp_path), run)
    assert (run / "count").read_text() == "x"


def is_waiting_for_lock(pid: int, lock: Path) -> bool:
    handles = Path(f"/proc/{pid}/fd").iterdir() if lock.exists() else ()
    return any(handle.resolve() == lock for handle in handles if handle.exists())


def test_a_controller_that_falls_silent_at_the_submission_is_asked_later(
    cluster: TrialCluster, tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = count_jobs(cluster)
    controller = cluster.find_process("slurmctld")
    assert controller is not None
    path = put_before_sbatch(tmp_path / "bin", f'kill -STOP {controller}; exec "$REAL" "$@"')
    monkeypatch.setenv("PATH", path)
    executor = cluster.executor(tmp_path)
    monkeypatch.undo()
    try:
        with pytest.raises(Fault, match=r"did not confirm 1 run.*may have arrived"):
            look(executor, [run])
    finally:
        os.kill(controller, signal.SIGCONT)
    assert RunResult.read(run) is None
    # What it was sent while it stood still, it does now.
    wait_for(lambda: count_jobs(cluster) == before + 1)
    look(cluster.executor(tmp_path), [run])
    follow(cluster.executor(tmp_path), run)
    assert count_jobs(cluster) == before + 1
    assert failure(run) is None
    assert (run / "count").read_text() == "x"
