"""What is seen in one look: Slurm's jobs, our notes, and from both the facts about a run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.executors.slurm import queue
from pipelines.executors.slurm.batches import NOTE, Batches, Submission, read_layout
from pipelines.executors.slurm.commands import SlurmCommands
from pipelines.executors.slurm.decide import Facts
from pipelines.executors.slurm.ending import was_memory_exceeded
from pipelines.executors.slurm.queue import Job
from wardbook.engines.claim import CANCEL, LOCK, is_claimed
from wardbook.errors import Fault

Jobs = Mapping[tuple[str, int | None], Job]
"""What Slurm says, by batch and task; None stands for the tasks that have no line of their own."""


@dataclass(frozen=True)
class Sight:
    """What Slurm says now, and which batches it has ever confirmed."""

    jobs: Jobs
    known: Set[str]
    """The batches of which Slurm knows a job."""
    taken: Set[str]

    def facts(self, folder: Path) -> Facts:
        """Return what is known of a run without a result."""
        note = Submission.read(folder)
        age, taken_up = _age(folder / NOTE) or 0.0, _age(folder / LOCK)
        facts = Facts(claimed=is_claimed(folder), wish_age=_age(folder / CANCEL))
        if note is None:
            return facts
        job = self.jobs.get((note.batch, note.task), self.jobs.get((note.batch, None)))
        return Facts(
            claimed=facts.claimed,
            submission=note,
            age=age,
            taken=note.batch in self.taken,
            fresh=note.layout == read_layout(folder),
            job=job,
            others=note.batch in self.known,
            begun=taken_up is not None and taken_up < age,
            wish_age=facts.wish_age,
            memory_exceeded=job is not None and was_memory_exceeded(folder, job),
        )


def look(
    commands: SlurmCommands, batches: Batches, folders: Sequence[Path], *, accounting: bool
) -> Sight:
    """Ask Slurm for all jobs; its database only for those that the controller has forgotten.

    Raises:
        ForeignFault: Slurm does not answer, which says nothing about any run.
    """
    numbers = batches.numbers()
    found = queue.parse_squeue(commands.run(queue.build_squeue()))
    jobs = {(job.batch, job.task): job for job in found}
    if accounting:
        asked = _find_forgotten(folders, jobs, numbers)
        if asked:
            answer = commands.run(queue.build_sacct([*asked]))
            jobs = {(job.batch, job.task): job for job in queue.parse_sacct(answer, asked)} | jobs
    known = {batch for batch, _ in jobs}
    return Sight(jobs, known, known | numbers.keys())


def _find_forgotten(
    folders: Iterable[Path], jobs: Jobs, numbers: Mapping[str, int]
) -> dict[int, str]:
    """Return number and batch of the arrays of which a run's task is not among the jobs."""
    missing = set()
    for folder in folders:
        with suppress(Fault):  # told where its run is settled
            note = Submission.read(folder)
            if note is not None and (note.batch, note.task) not in jobs:
                missing.add(note.batch)
    return {numbers[batch]: batch for batch in missing if batch in numbers}


def _age(file: Path) -> float | None:
    try:
        return max(0.0, time.time() - file.stat().st_mtime)
    except FileNotFoundError:
        return None
