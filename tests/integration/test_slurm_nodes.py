"""A run on several nodes of a real Slurm: its workers compute, talk TLS, and end with it."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
from pathlib import Path

import psutil
import pytest
from distributed import Security
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
told = {
    "sum": client.submit(sum, client.map(lambda n: n * n, range(100))).result(),
    "threads": sorted(client.nthreads().values()),
    "addresses": [address, *client.nthreads()],
    "elsewhere": os.getpid() not in client.run(os.getpid).values(),
    "around": list(client.run(look_around, 0).values()),
}
(folder / "outputs" / "told").write_text(json.dumps(told))
while not (folder.parent / "go").exists():
    time.sleep(0.02)
"""

FIRST_ONLY = """
import os, pathlib
assert not pathlib.Path(os.environ["WARDBOOK_RUN"]).parent.joinpath("pid").exists()
"""

WAIT = """
(folder.parent / "pid").write_text(str(os.getpid()))
time.sleep(600)
"""


def workers_of(cluster: TrialCluster, run: Path) -> dict[str, tuple[str, str]]:
    """Return state and node of each job that works for the run, also when it is over."""
    told = cluster.ask("squeue", "--states=all", "--noheader", "--format=%F %i %A")
    assert told is not None
    number = str(cluster.array_of(run))
    (own,) = (raw for array, _, raw in map(str.split, told.splitlines()) if array == number)
    jobs = cluster.jobs("--states=all", f"--name=wardbook-for-{own}")
    return {name: (state, node) for name, state, node in jobs}


def processes_of(run: Path) -> list[int]:
    """Return the processes of the run's workers."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if "wardbook.engines.dask_worker" in (words := process.info["cmdline"] or [])
        and str(run / "scratch" / "tmp") in words
    ]


def make_pair(folder: Path) -> list[Path]:
    """Make certificate and key in the same way, but not those of the run."""
    stranger = Security.temporary().get_tls_config_for_role("client")
    pair = [folder / "cert", folder / "key"]
    for file in pair:
        file.write_text(stranger[file.name])
    return pair


def greet(address: str, pair: list[Path]) -> str:
    """Return how a client is received that takes any server, and shows this certificate."""
    host, port = address.removeprefix("tls://").split(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if pair:
        context.load_cert_chain(*pair)
    with socket.create_connection((host, int(port)), timeout=30) as plain:
        try:
            with context.wrap_socket(plain) as link:
                return "welcome" if link.recv(1) else "nothing"
        except ssl.SSLError as error:
            return error.reason


def is_clean(cluster: TrialCluster, run: Path) -> bool:
    return cluster.jobs() == [] and not processes_of(run) and not (run / "scratch").exists()


@pytest.mark.parametrize("engine", ["warm", "kernel"])
def test_a_notebook_computes_on_two_further_nodes(
    cluster: TrialCluster, tmp_path: Path, engine: str
) -> None:
    run = make_run(tmp_path, "run", OPEN, COMPUTE, cpus=2, nodes=3, engine=engine)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for((run / "outputs" / "told").exists)
    ((_, _, own),) = cluster.jobs(f"--jobs={cluster.array_of(run)}")
    workers = workers_of(cluster, run)
    assert {state for state, _ in workers.values()} == {"RUNNING"}
    assert sorted([own, *(node for _, node in workers.values())]) == ["n1", "n2", "n3"]
    assert len(processes_of(run)) == 2
    asked = cluster.ask("squeue", "--noheader", "--format=%C %m %P %l")
    # As the run has them, but no longer than it may still take: 60 s, and a margin for its engine.
    assert sorted(asked.splitlines() if asked else []) == [
        *["2 1424M normal 1:00"] * 2,
        "2 1424M normal 2:00",
    ]
    told = json.loads((run / "outputs" / "told").read_text())
    own_pair = [
        next((run / "scratch" / "tmp").glob(f".dask-jobqueue.worker.{part}.*"))
        for part in ("cert", "key")
    ]
    foreign_pair = make_pair(tmp_path)
    for address in told.pop("addresses"):
        assert address.startswith("tls://")
        assert greet(address, own_pair) == "welcome"
        assert greet(address, foreign_pair) == "TLSV1_ALERT_UNKNOWN_CA"
        assert greet(address, []) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    (tmp_path / "go").touch()
    follow(executor, run)
    assert failure(run) is None
    assert told == {
        "sum": sum(n * n for n in range(100)),
        "threads": [2, 2],
        "elsewhere": True,
        "around": [[True, [], str(run / "scratch" / "home")]] * 2,
    }
    wait_for(lambda: is_clean(cluster, run))


@pytest.mark.parametrize(
    ("victim", "end"),
    [
        ("notebook", FailureKind.KERNEL_DIED),
        ("engine", FailureKind.ENVIRONMENT_BROKEN),
    ],
)
def test_workers_end_when_what_they_work_for_is_killed(
    cluster: TrialCluster, tmp_path: Path, victim: str, end: FailureKind
) -> None:
    kill_and_see(cluster, tmp_path, victim, end)


def kill_and_see(cluster: TrialCluster, tmp_path: Path, victim: str, end: FailureKind) -> None:
    """Kill what a run's workers work for, and see how the run ends, and that they do."""
    # One worker more than there are nodes: a job that waits must go as well.
    run = make_run(tmp_path, "run", FIRST_ONLY, OPEN, WAIT, cpus=2, nodes=4)
    executor = cluster.executor(tmp_path)
    look(executor, [run])
    wait_for((tmp_path / "pid").exists)
    states = {name: state for name, (state, _) in workers_of(cluster, run).items()}
    assert sorted(states.values()) == ["PENDING", "RUNNING", "RUNNING"]
    assert len(processes_of(run)) == 2
    (waiting,) = (name for name, state in states.items() if state == "PENDING")
    assert cluster.ask("scontrol", "hold", waiting) == ""  # it cannot begin, and so give up
    match victim:
        case "notebook":
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        case "engine":
            for pid in cluster.engines_of(run):
                os.kill(pid, signal.SIGKILL)
        case "node":
            ((_, _, node),) = cluster.jobs(f"--jobs={cluster.array_of(run)}")
            cluster.kill(node)
    follow(executor, run)
    assert failure(run) is end
    wait_for(lambda: is_clean(cluster, run))
    told = cluster.ask("squeue", "--states=all", "--noheader", "--format=%T", f"--jobs={waiting}")
    assert told == "CANCELLED\n"


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


def test_workers_that_slurm_refuses_are_told(cluster: TrialCluster, tmp_path: Path) -> None:
    word = "nowhere\\n#SBATCH --wrap=id"
    ask = f"""
import os, pathlib
from wardbook import compute

os.environ["SLURM_JOB_PARTITION"] = "{word}"
try:
    compute.client()
except Exception as error:
    pathlib.Path(os.environ["WARDBOOK_RUN"], "outputs", "told").write_text(str(error))
    raise
"""
    run = make_run(tmp_path, "run", ask, nodes=2)
    follow(cluster.executor(tmp_path), run)
    assert failure(run) is FailureKind.CELL_ERROR
    told = (run / "outputs" / "told").read_text()
    assert told.startswith("Slurm did not take this run's workers.")
    assert "invalid partition specified: nowhere\n" in told
    wait_for(lambda: is_clean(cluster, run))
