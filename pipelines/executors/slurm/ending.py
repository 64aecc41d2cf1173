"""The result of a run that nobody else is left to write, and what Slurm's log says about it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.executors.slurm.batches import Submission
from pipelines.executors.slurm.queue import Job
from pipelines.executors.slurm.submission import LOG
from wardbook.domain.run import Failure, FailureKind, RunResult, RunSpec
from wardbook.engines.claim import claim_if_free
from wardbook.engines.scratch import discard_scratch

_LONGEST_LOG = 1 << 16


def end_run(folder: Path, kind: FailureKind, job: Job | None, now: datetime) -> None:
    """Write the result of a run that ended without one; nothing if an engine is at it after all."""
    with claim_if_free(folder) as mine:
        if not mine or _look_again(folder) is not None:
            return
        discard_scratch(folder)
        spec = RunSpec.read(folder)
        seconds = (job.seconds if job else None) or 0.0
        started = (now - timedelta(seconds=seconds)).astimezone(UTC).isoformat(timespec="seconds")
        failure = Failure(kind, details=_name_limit(kind, spec))
        RunResult(spec.key, started, seconds, failure=failure).write(folder)


def _look_again(folder: Path) -> RunResult | None:
    """Return a result that has come meanwhile, also from another node."""
    note = Submission.read(folder)
    if note is not None:
        # A file system that nodes share may keep for a while that a file is not there; what we
        # write into a folder makes it look again.
        note.write(folder)
    return RunResult.read(folder)


def _name_limit(kind: FailureKind, spec: RunSpec) -> Mapping[str, str | int]:
    match kind:
        case FailureKind.OUT_OF_MEMORY:
            return {"memory_mb": spec.memory_mb}
        case FailureKind.OUT_OF_TIME:
            return {"seconds": math.ceil(spec.seconds)}
        case _:
            return {}


def was_memory_exceeded(folder: Path, job: Job) -> bool:
    """Tell whether Slurm says in the run's log that it ended this job for its memory."""
    try:
        with (folder / LOG).open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - _LONGEST_LOG))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return False
    return bool(re.search(rf"^slurmstepd.*StepId={job.identity}\.\w+ exceeded memory", text, re.M))


def note_refusal(folder: Path, reason: str) -> None:
    """Write into the run's log why Slurm did not take it."""
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(f"Slurm did not take this run: {reason}\n")
