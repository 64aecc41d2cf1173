"""A run on several nodes of a real Slurm: its workers compute, talk TLS, and end with it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
from slurm_cluster import TrialCluster, failure, follow, look, wait_for
from trial_runs import make_run

from wardbook.domain.run import FailureKind

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]

OPEN = """
import json, os, pathlib, time
from wardbook import compute

folder = pathlib.Path(os.environ['WARDBOOK_RUN'])
client = compute.client()
client.wait_for_workers(2, timeout=90)
"""

COMPUTE = """
from distributed import Security
from distributed.core import rpc

async def ask(address, security):
    try:
        async with rpc(address, connection_args=security.get_connection_args("client")) as other:
            await other.identity()
    except (OSError, RuntimeError, TypeError) as error:
        return type(error).__name__
    return "welcome"

def look_around(_):
    hidden = "/etc/shadow"
    try:
        open(hidden).close()
    except PermissionError:
        fenced = True
    else:
        fenced = False
    slurm = [name for name in os.environ if name.startswith("SLURM")]
    return fenced, slurm, os.environ["HOME"]

address = client.scheduler.address
worker = min(client.nthreads())
told = {
    "sum": client.submit(sum, client.map(lambda n: n * n, range(100))).result(),
    "threads": sorted(client.nthreads().values()),
    "addresses": sorted(w.split(":")[0] for w in client.nthreads()) + [address.split(":")[0]],
    "elsewhere": os.getpid() not in client.run(os.getpid).values(),
    "around": list(client.run(look_around, 0).values()),
    "known": [await ask(one, client.security) for one in (address, worker)],
    "stranger": [await ask(one, Security.temporary()) for one in (address, worker)],
    "plain": [await ask(one.replace("tls:", "tcp:"), Security()) for one in (address, worker)],
}
(folder / "outputs" / "told").write_text(json.dumps(told))
while not (folder.parent / "go").exists():
    time.sleep(0.02)
"""

WAIT = """
(folder.parent / "pid").write_text(str(os.getpid()))
time.sleep(600)
"""


def workers_of(cluster: TrialCluster, run: Path) -> list[tuple[str, str]]:
    """Return state and node of each job that works for the run."""
    number = cluster.array_of(run)
    return [(state, node) for name, state, node in cluster.jobs() if not name.startswith(f"{number}_")]


def processes_of(run: Path) -> list[int]:
    """Return the processes of the run's workers."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "wardbook.engines.dask_worker" in (words := process.info["cmdline"] or [])
        and str(run / "scratch" / "tmp") in words
    ]


def is_clean(cluster: TrialCluster, run: Path) -> bool:
    return cluster.jobs() == [] and not processes_of(run) and not (run / "scratch").exists()


def test_a_notebook_computes_on_two_further_nodes(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", OPEN, COMPUTE, cpus=2, nodes=3)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for((run / "outputs" / "told").exists)
    ((_, _, own),) = cluster.jobs(f"--jobs={cluster.array_of(run)}")
    workers = workers_of(cluster, run)
    assert {state for state, _ in workers} == {"RUNNING"}
    assert sorted([own, *(node for _, node in workers)]) == ["n1", "n2", "n3"]
    print({(pid, tuple(c.laddr)) for pid in processes_of(run) for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"})
    assert len(processes_of(run)) == 2
    (tmp_path / "go").touch()
    follow(executor, run)
    assert failure(run) is None
    told = json.loads((run / "outputs" / "told").read_text())
    assert told == {
        "sum": sum(n * n for n in range(100)),
        "threads": [2, 2],
        "addresses": ["tls"] * 3,
        "elsewhere": True,
        "around": [[True, [], str(run / "scratch" / "home")]] * 2,
        "known": ["welcome"] * 2,
        "stranger": ["OSError"] * 2,
        "plain": ["OSError"] * 2,
    }
    wait_for(lambda: is_clean(cluster, run))


@pytest.mark.parametrize("victim", ["notebook", "engine"])
def test_workers_end_when_what_they_work_for_is_killed(
    cluster: TrialCluster, tmp_path: Path, victim: str
) -> None:
    # One worker more than there are nodes: a job that waits must go as well.
    run = make_run(tmp_path, "run", OPEN, WAIT, cpus=2, nodes=4)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for((tmp_path / "pid").exists)
    states = sorted(state for state, _ in workers_of(cluster, run))
    assert states == ["PENDING", "RUNNING", "RUNNING"]
    assert len(processes_of(run)) == 2
    notebook = int((tmp_path / "pid").read_text())
    for pid in [notebook] if victim == "notebook" else cluster.engines_of(run):
        os.kill(pid, signal.SIGKILL)
    follow(executor, run)
    assert failure(run) in {FailureKind.KERNEL_DIED, FailureKind.ENVIRONMENT_BROKEN}
    wait_for(lambda: is_clean(cluster, run))


def test_workers_end_when_the_run_is_cancelled_or_fails(
    cluster: TrialCluster, tmp_path: Path
) -> None:
    cancelled = make_run(tmp_path, "cancelled", OPEN, WAIT, cpus=2, nodes=4)
    executor = cluster.executor(tmp_path)
    look(executor, [cancelled])
    wait_for((tmp_path / "pid").exists)
    executor.cancel(cancelled)
    follow(executor, cancelled)
    assert failure(cancelled) is FailureKind.CANCELLED
    wait_for(lambda: is_clean(cluster, cancelled))
    failed = make_run(tmp_path, "failed", OPEN, "1 / 0", cpus=2, nodes=4)
    follow(executor, failed)
    assert failure(failed) is FailureKind.CELL_ERROR
    wait_for(lambda: is_clean(cluster, failed))


ALONE = """
import json, os, pathlib
from wardbook import compute

client = compute.client()
slurm = sorted(name for name in os.environ if name.startswith(("SLURM", "WARDBOOK_JOB")))
told = [sum(client.nthreads().values()), client.scheduler.address.split(":")[0], slurm]
pathlib.Path(os.environ["WARDBOOK_RUN"], "outputs", "told").write_text(json.dumps(told))
"""


def test_a_run_on_one_node_knows_nothing_of_slurm(cluster: TrialCluster, tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", ALONE, cpus=2)
    follow(cluster.executor(tmp_path), run)
    assert failure(run) is None
    assert json.loads((run / "outputs" / "told").read_text()) == [2, "inproc", []]
