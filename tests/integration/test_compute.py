"""Dask in a notebook has what the request has, and nobody else can reach it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from trial_runs import make_run

from wardbook.engines import open_engine

pytestmark = pytest.mark.usefixtures("lasting_server")
CELL = """
import json, os, threading
import dask
from wardbook import compute

client = compute.client()
pids = client.gather([client.submit(lambda _: os.getpid(), n, pure=False) for n in range(8)])
told = {
    "threads": sum(client.nthreads().values()),
    "here": set(pids) == {os.getpid()},
    "same": compute.client() is client,
    "used by default": dask.delayed(sum)([1, 2]).compute(),
    "scheduler": client.scheduler.address.split(":")[0],
}
open(os.environ["WARDBOOK_RUN"] + "/outputs/told", "w").write(json.dumps(told))
"""


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_notebook_has_as_many_threads_as_its_run_has_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: int
) -> None:
    # An engine on this machine asks for no further nodes, not even from within somebody's job.
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    run = make_run(tmp_path, "run", CELL, cpus=3, memory_mb=2048, nodes=nodes)
    engine = open_engine()
    try:
        result = engine.execute(run)
    finally:
        engine.close()
    assert result.failure is None
    assert json.loads((run / "outputs" / "told").read_text()) == {
        "threads": 3,
        "here": True,
        "same": True,
        "used by default": 3,
        "scheduler": "inproc",
    }


def test_a_cluster_of_ours_does_not_look_at_its_threads_all_the_time() -> None:
    """Which may lock a process for good; Dask left alone does."""
    from distributed import LocalCluster

    from wardbook.compute import open_threads

    with (
        open_threads(1) as ours,
        LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as plain,
    ):
        looking = ["profile" in cluster.workers[0].periodic_callbacks for cluster in (ours, plain)]
    assert looking == [False, True]
