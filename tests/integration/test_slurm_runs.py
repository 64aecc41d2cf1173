"""Runs on a real Slurm: how they go, how they end, and that each is executed once."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_cluster import TrialCluster, failure, wait_for
from trial_runs import make_run

from pipelines.executors.interface import RunState

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
