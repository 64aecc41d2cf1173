"""Dask inside a notebook, sized by the request: `wardbook.compute.client()`.

The run has its processors and its memory already, from this machine or from Slurm, so a cluster of
threads in the notebook's own process is all that it needs: nothing is started elsewhere, nothing is
copied, and nothing listens beyond this machine.

Only a run on Slurm whose template asks for more nodes gets workers on them: each a job of its own,
confined as the notebook is, which talks TLS with certificates that are made for this run alone.
"""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.domain.run import RunSpec
from wardbook.engines.claim import LOCK
from wardbook.engines.further_nodes import JOB, TIMEOUT_SECONDS, build_sbatch
from wardbook.errors import EnvironmentFault
from wardbook.notebook.session import RUN_VARIABLE

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster
    from distributed import Client, LocalCluster

DEATH_SECONDS = 30
"""How long a worker looks for its scheduler: one that comes too late ends by itself."""

_NOBODY = "127.0.0.1:0"
QUIET: Mapping[str, object] = {
    # Left alone, Dask serves HTTP on every interface, dashboard or not: on loopback, without
    # a single route, it says nothing to anybody.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # It looks at all threads every 10 ms, for a dashboard that we do not show. Before Python 3.11.9
    # that may lock the whole process for good (CPython's issue 106883).
    "distributed.worker.profile.enabled": False,
}
"""Dask's settings for every cluster of ours."""


@cache
def client() -> Client:
    """Return this process's Dask client, which Dask's own functions use from then on.

    In a run it has as many threads as the template's `[resources]` give processors; in an analyst's
    own session, as many as this process may use. On Slurm, with `nodes` above 1, it has that many
    threads on each node but the first, which is the notebook's own; workers come as Slurm finds
    room for them.

    Raises:
        EnvironmentFault: Slurm did not take the workers, or cannot be asked.
    """
    from distributed import Client

    run = os.environ.get(RUN_VARIABLE)
    if run and JOB in os.environ:
        return Client(open_nodes(Path(run), os.environ))
    threads = RunSpec.read(Path(run)).cpus if run else len(os.sched_getaffinity(0))
    return Client(open_threads(threads))


def open_threads(threads: int) -> LocalCluster:
    """Start a scheduler and one worker with so many threads inside this process."""
    import dask
    from distributed import LocalCluster

    with dask.config.set(QUIET):
        return LocalCluster(
            n_workers=1,
            threads_per_worker=threads,
            processes=False,
            protocol="inproc://",
            dashboard_address=_NOBODY,
            worker_dashboard_address=_NOBODY,
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )


def open_nodes(folder: Path, environment: Mapping[str, str]) -> SLURMCluster:
    """Start a scheduler inside this process and have Slurm start the run's workers.

    Args:
        folder: the run's.
        environment: that of the notebook, which is also the workers', but for Slurm's words.

    Raises:
        EnvironmentFault: as above.
    """
    spec, shared = RunSpec.read(folder), folder / "scratch" / "tmp"
    if shlex.quote(str(shared)) != str(shared):
        raise EnvironmentFault(
            f"{shared} has characters that a job's script cannot bear, so no further nodes are "
            "asked for. Put `state` into a folder with a plain name, or set nodes = 1."
        )
    # Loading it writes into ~/.config/dask: in a run, that is the scratch folder's.
    import dask
    from dask_jobqueue import SLURMCluster
    from dask_jobqueue.slurm import SLURMJob
    from distributed import Security

    taken_up = (folder / LOCK).stat().st_mtime
    left = spec.seconds - (time.time() - taken_up)
    sbatch = build_sbatch(spec, folder, environment, left)
    own = [f"{name}={value}" for name, value in environment.items() if not _is_slurms(name)]
    with dask.config.set(QUIET):
        cluster = SLURMCluster(
            # Slurm is told by arguments alone: nothing of a run is written into a directive.
            job_cls=type("Node", (SLURMJob,), {"submit_command": shlex.join(sbatch)}),
            job_directives_skip=["#SBATCH"],
            shebang="#!/bin/sh",
            python=shlex.join(["env", "-i", *own, sys.executable]),
            worker_command="wardbook.engines.dask_worker",
            worker_extra_args=["--no-nanny", "--dashboard-address", _NOBODY],
            job_script_prologue=[],
            cores=spec.cpus,
            processes=1,
            memory=f"{spec.memory_mb}MiB",
            death_timeout=DEATH_SECONDS,
            local_directory=str(shared),
            shared_temp_directory=str(shared),
            security=Security.temporary(),
            scheduler_options={
                "host": find_address(environment["SLURMD_NODENAME"]),
                "dashboard": False,
                "dashboard_address": _NOBODY,
            },
            silence_logs=logging.CRITICAL,
        )
    for _ in range(spec.nodes - 1):
        cluster.worker_spec.update(cluster.new_worker_spec())

    async def hand_over() -> None:
        await cluster

    try:
        cluster.sync(hand_over)
    except RuntimeError as refused:
        raise EnvironmentFault(f"Slurm did not take this run's workers. {refused}") from None
    return cluster


def find_address(node: str) -> str:
    """Return the address at which Slurm itself reaches a node.

    Raises:
        EnvironmentFault: Slurm does not tell.
    """
    asked = ["scontrol", "--oneliner", "show", "node", node]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"Slurm cannot be asked from this run: {error}") from None
    found = re.search(r" NodeAddr=(\S+)", done.stdout)
    if found is None:
        raise EnvironmentFault(f"Slurm does not tell the address of {node}: {done.stderr}")
    return found[1]


def _is_slurms(name: str) -> bool:
    return name == JOB or name.startswith("SLURM")
