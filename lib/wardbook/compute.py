"""Dask inside a notebook, sized by the request: `wardbook.compute.client()`.

The run has its processors and its memory already, from this machine or from Slurm, so a cluster of
threads in the notebook's own process is all that it needs: nothing is started elsewhere, nothing is
copied, and nothing listens beyond this machine. More machines than one are not asked for here.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.domain.run import RunSpec
from wardbook.notebook.session import RUN_VARIABLE

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_NOBODY = "127.0.0.1:0"


@cache
def client() -> Client:
    """Return this process's Dask client, which Dask's own functions use from then on.

    In a run it has as many threads as the template's `[resources]` give processors; in an analyst's
    own session, as many as this process may use.
    """
    from distributed import Client

    run = os.environ.get(RUN_VARIABLE)
    threads = RunSpec.read(Path(run)).cpus if run else len(os.sched_getaffinity(0))
    return Client(open_threads(threads))


def open_threads(threads: int) -> LocalCluster:
    """Start a scheduler and one worker with so many threads inside this process."""
    import dask
    from distributed import LocalCluster

    # Left alone, Dask serves HTTP on every interface, dashboard or not: on loopback, without
    # a single route, it says nothing to anybody.
    with dask.config.set(
        {"distributed.scheduler.http.routes": [], "distributed.worker.http.routes": []}
    ):
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
