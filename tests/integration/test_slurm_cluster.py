"""The script that starts a cluster at home: it comes up, says so, and leaves nothing behind."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from slurm_cluster import ROOT, Cluster, find_missing, wait_for
from trial_runs import is_alive

pytestmark = [pytest.mark.slurm, pytest.mark.xdist_group("slurm")]


def call(*arguments: object, status: int = 0) -> str:
    command = [sys.executable, ROOT / "slurm" / "cluster.py", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    if missing := find_missing():
        pytest.skip(f"Slurm is not installed (Debian packages {', '.join(missing)})")
    folder = tmp_path / "cluster"
    yield folder
    if (folder / "slurm.conf").exists():
        call("stop", folder)


def test_a_cluster_comes_up_works_and_goes(folder: Path) -> None:
    told = call("start", folder, "--nodes", 2, "--cpus", 1, "--memory", 1000)
    assert "2 nodes are up" in told
    assert f"export SLURM_CONF={folder}/slurm.conf" in told
    assert call("env", folder) == f"export SLURM_CONF={folder}/slurm.conf\n"
    status = call("status", folder)
    assert len(re.findall(r"process \d+", status)) == 4
    cluster = Cluster(folder)
    assert cluster.ask("sinfo", "--noheader", "--format=%P %D %t %c %m") == (
        "normal* 2 idle 1 1000\nurgent 2 idle 1 1000\n"
    )
    submit = ("sbatch", "--parsable", "--output=/dev/null", "--chdir=/", "--wrap=sleep 600")
    assert cluster.ask(*submit) is not None
    ((watcher, _),) = find_watchers(cluster, 1, 2)
    processes = [*map(cluster.find_process, cluster.daemons), watcher, *descendants(watcher)]
    assert [pid for pid in processes if pid is None or not is_alive(pid)] == []
    heard = [c.laddr.ip for pid in processes for c in psutil.Process(pid).net_connections("inet")]
    assert len(heard) >= 3  # the controller and two nodes
    assert set(heard) == {"127.0.0.1"}
    assert "ended" in call("stop", folder, "--remove")
    assert [pid for pid in processes if pid is not None and is_alive(pid)] == []
    assert not folder.exists()


def test_one_daemon_can_be_stopped_and_started(folder: Path) -> None:
    call("start", folder, "--nodes", 1)
    assert "is stopped" in call("stop", folder, "slurmctld")
    assert "slurmctld  does not run" in call("status", folder)
    assert Cluster(folder).ask("squeue") is None
    call("start", folder, "slurmctld")
    assert Cluster(folder).ask("squeue") is not None


def test_a_killed_node_takes_its_jobs_along_and_no_others(folder: Path) -> None:
    call("start", folder, "--nodes", 2, "--cpus", 1)
    cluster = Cluster(folder)
    for _ in range(2):
        wrap = "--wrap=setsid sleep 600 & sleep 600"
        assert cluster.ask("sbatch", "--output=/dev/null", "--chdir=/", wrap) is not None
    tree = {node: descendants(pid) for pid, node in find_watchers(cluster, 2, 3)}
    assert sorted(tree) == ["n1", "n2"]
    assert "n1 is gone" in call("kill", folder, "n1")
    assert [pid for pid in tree["n1"] if is_alive(pid)] == []
    assert [pid for pid in tree["n2"] if not is_alive(pid)] == []
    assert cluster.find_process("n2") is not None


def find_watchers(cluster: Cluster, jobs: int, processes: int) -> list[tuple[int, str]]:
    """Return the watchers and their nodes, once each of the jobs has so many processes."""
    found: list[tuple[int, str]] = []

    def are_up() -> bool:
        # A watcher's child looks like its parent until it becomes the job's script.
        watchers = cluster.find_jobs().items()
        found[:] = [one for one in watchers if len(descendants(one[0])) >= processes]
        return len(found) == jobs

    wait_for(are_up)
    return found


def descendants(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def test_it_says_what_is_wrong(tmp_path: Path) -> None:
    assert "holds no cluster" in call("status", tmp_path, status=1)
    assert "start [-h]" in call("start", "--help")
