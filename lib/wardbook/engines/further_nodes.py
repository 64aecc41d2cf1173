"""What a run and its engine need of Slurm where the run's template asks for more nodes than one.

The workers on further nodes are jobs of their own. They bear the number of the run's job in their
name, so that whoever sees the run end can end them too.
"""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from wardbook.domain.run import RunSpec

JOB = "WARDBOOK_JOB"
"""Environment variable: the number of the job that executes this run, set for its engine."""

CONF = "SLURM_CONF"
WORKER_LOG = "workers.log"
"""In the run's folder, on the secure side: what Slurm and the workers print."""

TIMEOUT_SECONDS = 60.0
_OF_JOB = (
    *(JOB, CONF, "SLURMD_NODENAME", "SLURM_MEM_PER_NODE"),
    *("SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT", "SLURM_JOB_QOS"),
)


def keep_of_job(spec: RunSpec, parent: Mapping[str, str]) -> dict[str, str]:
    """Return what a run is told of its job: nothing unless it may ask Slurm for more nodes."""
    if spec.nodes == 1 or JOB not in parent:
        return {}
    return {name: parent[name] for name in _OF_JOB if name in parent}


def name_workers(job: str | int) -> str:
    """Return the name of the jobs that work for the run of this job."""
    return f"wardbook-for-{job}"


def build_scancel(job: str | int) -> list[str]:
    """Return the wish that all jobs end which work for the run of this job."""
    return ["scancel", "--me", f"--name={name_workers(job)}"]


def build_sbatch(
    spec: RunSpec, folder: Path, environment: Mapping[str, str], seconds: float
) -> list[str]:
    """Return the command that hands over one worker, without its script.

    Args:
        spec: what the run asks for; each worker gets the same.
        folder: the run's.
        environment: what the run knows of its job; see `keep_of_job`.
        seconds: how long the run may still take.
    """
    chosen = {
        "partition": environment.get("SLURM_JOB_PARTITION"),
        "account": environment.get("SLURM_JOB_ACCOUNT"),
        "qos": environment.get("SLURM_JOB_QOS"),
        "gres": spec.gres,
    }
    # Slurm takes % in a path for a place to fill; twice, it is one.
    log = f"{str(folder).replace('%', '%%')}/{WORKER_LOG}"
    return [
        *("sbatch", "--parsable", "--export=NONE", "--propagate=NONE", "--no-requeue"),
        *("--nodes=1", "--ntasks=1", f"--cpus-per-task={spec.cpus}"),
        f"--mem={environment.get('SLURM_MEM_PER_NODE', spec.memory_mb)}M",
        f"--time={max(1, math.ceil(seconds / 60))}",
        f"--job-name={name_workers(environment[JOB])}",
        *(f"--output={log}", "--open-mode=append", f"--chdir={folder / 'scratch'}"),
        *(f"--{name}={word}" for name, word in chosen.items() if word),
    ]


def end_workers() -> str:
    """End the jobs that work for this job's run; return what Slurm complained about."""
    known = {name: os.environ[name] for name in ("PATH", CONF) if name in os.environ}
    try:
        done = subprocess.run(
            build_scancel(os.environ[JOB]),
            env=known,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"
    return done.stderr
