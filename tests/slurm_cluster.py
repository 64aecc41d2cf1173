"""A real Slurm cluster for tests, and what tests ask of it."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from trial_runs import wait_until

from pipelines.executors.interface import RunState
from pipelines.executors.slurm import SlurmExecutor
from wardbook.domain.run import FailureKind, RunResult
from wardbook.settings import SlurmSettings

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "slurm"))
from cluster import Cluster, Shape, find_missing  # noqa: E402

PATIENCE = 120.0
"""Slurm looks for lost nodes and spent time every half minute."""


class TrialCluster(Cluster):
    """A cluster whose nodes run this tree's code."""

    @property
    def python(self) -> Path:
        return self.folder / "python"

    @property
    def clients(self) -> Path:
        """The configuration of those who only ask: as that of the daemons, but for their haste."""
        return self.folder / "clients.conf"

    @contextmanager
    def without_controller(self) -> Iterator[None]:
        """End the controller, and start it again; who asks in between soon gives up."""
        usual = self.clients.read_text()
        self.end("slurmctld")
        self.clients.write_text(re.sub("MessageTimeout=.*", "MessageTimeout=1", usual))
        try:
            yield
        finally:
            self.clients.write_text(usual)
            self.start(["slurmctld"])

    def settings(self, **chosen: object) -> SlurmSettings:
        given = {"kind": "slurm", "conf": self.clients, "python": self.python} | chosen
        return SlurmSettings.model_validate(given)

    def executor(self, state: Path, **chosen: object) -> SlurmExecutor:
        return SlurmExecutor(self.settings(**chosen), state / "slurm")

    def jobs(self, *options: str) -> list[tuple[str, str, str]]:
        """Return each job's name, state and node."""
        told = self.ask("squeue", "--array", "--noheader", "--format=%i %T %N", *options)
        assert told is not None
        lines = (line.split() for line in told.splitlines())
        return [(words[0], words[1], [*words, ""][2]) for words in lines]

    def array_of(self, run: Path) -> int:
        """Return the number of the array that the run was handed over in last."""
        note = json.loads((run / "slurm.json").read_text())
        told = self.ask("squeue", "--states=all", "--noheader", "--format=%F %k")
        assert told is not None
        numbers = {words[1]: int(words[0]) for words in map(str.split, told.splitlines())}
        return numbers[f"wardbook:{note['batch']}"]

    def task_of(self, run: Path) -> int:
        """Return the run's place in its array."""
        return int(json.loads((run / "slurm.json").read_text())["task"])

    def submit_plain(self, *options: str) -> int:
        """Submit a job that is not ours, and sleeps; returns its number."""
        command = ("sbatch", "--parsable", "--output=/dev/null", "--chdir=/", *options)
        told = self.ask(*command, "--wrap=sleep 600")
        assert told is not None
        return int(told)

    def engines_of(self, run: Path) -> list[int]:
        """Return the processes on the nodes that were started to execute the run."""
        link = f"/{json.loads((run / 'slurm.json').read_text())['batch']}/{self.task_of(run)}"
        return [
            process.pid
            for process in psutil.process_iter(["cmdline"])
            if (process.info["cmdline"] or [""])[-1].endswith(link)
        ]


@contextmanager
def open_cluster(nodes: int = 3) -> Iterator[TrialCluster]:
    """Start a cluster, and end it with all that belongs to it."""
    if missing := find_missing():
        pytest.skip(f"Slurm is not installed (Debian packages {', '.join(missing)})")
    with tempfile.TemporaryDirectory(prefix="wbslurm") as name:
        Path(name).chmod(0o755)
        cluster = TrialCluster(Path(name))
        cluster.lay_out(cluster.folder, Shape(nodes=nodes))
        cluster.clients.write_text(cluster.conf.read_text())
        paths = f"{ROOT / 'lib'}:{ROOT}"
        cluster.python.write_text(f'#!/bin/sh\nPYTHONPATH={paths} exec {sys.executable} "$@"\n')
        cluster.python.chmod(0o755)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


def look(executor: SlurmExecutor, folders: Sequence[Path]) -> None:
    """Do what a pass does for runs that have not ended."""
    for folder in folders:
        if RunResult.read(folder) is None:
            executor.submit(folder)
    executor.flush()


def follow(executor: SlurmExecutor, *folders: Path, seconds: float = PATIENCE) -> None:
    """Pass after pass, until the runs have ended."""

    def have_ended() -> bool:
        look(executor, folders)
        executor.wait(0.5)
        return set(executor.status(folders).values()) == {RunState.ENDED}

    wait_until(have_ended, seconds)


def wait_for(condition: Callable[[], bool]) -> None:
    wait_until(condition, PATIENCE)


def failure(folder: Path) -> FailureKind | None:
    result = RunResult.read(folder)
    assert result is not None
    return result.failure.kind if result.failure else None
