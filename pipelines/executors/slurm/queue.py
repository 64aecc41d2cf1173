"""What Slurm says of our jobs: one question for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.executors.slurm.commands import Answer, tell_silence
from wardbook.errors import ForeignFault

JOB_NAME = "wardbook"
MARK = "wardbook:"
"""A job's comment is this and the name of its batch."""

_MARKED = re.compile(r"wardbook:([0-9a-f]{32})")
_FORMAT = "%F|%K|%A|%T|%N|%S|%e|%k|%r"
_COLUMNS = "JobID,JobIDRaw,State,NodeList,Start,End"
_TASK = re.compile(r"(\d+)_(\d+)")


@dataclass(frozen=True)
class Job:
    """One task of an array, as Slurm has it.

    `number` is the array's and `identity` the task's own; `state` is Slurm's own word; `seconds`
    is how long it ran, or may run, and None where it has not begun. Of tasks that were cancelled
    one by one before they began, Slurm keeps one line without a number: `task` is None.
    """

    number: int
    task: int | None
    identity: int
    state: str
    node: str = ""
    seconds: float | None = None
    reason: str = ""
    batch: str = ""

    @property
    def name(self) -> str:
        """The name that Slurm's commands take."""
        return str(self.number) if self.task is None else f"{self.number}_{self.task}"


def build_squeue() -> list[str]:
    """Return the question for all jobs of ours that the controller remembers."""
    return [
        *("squeue", "--me", f"--name={JOB_NAME}", "--states=all", "--array", "--noheader"),
        f"--format={_FORMAT}",
    ]


def parse_squeue(answer: Answer) -> list[Job]:
    """Return the jobs that carry our mark.

    Raises:
        ForeignFault: the controller did not answer, which says nothing about any job.
    """
    if answer.status != 0:
        raise tell_silence(answer)
    return [job for line in answer.output.splitlines() if (job := _parse_line(line))]


def _parse_line(line: str) -> Job | None:
    number, task, identity, state, node, *others = (line.split("|", 8) + [""] * 9)[:9]
    start, end, comment, reason = others
    marked = _MARKED.fullmatch(comment)
    if marked is None or not (number.isdecimal() and identity.isdecimal()):
        return None  # somebody's job that happens to have our name
    place = int(task) if task.isdecimal() else None
    seconds = _count(start, end)
    return Job(int(number), place, int(identity), state, node, seconds, reason.strip(), marked[1])


def build_sacct(numbers: Sequence[int]) -> list[str]:
    """Return the question to Slurm's database for jobs that the controller has forgotten."""
    return [
        *("sacct", "--allocations", "--noheader", "--parsable2"),
        f"--jobs={','.join(map(str, sorted(numbers)))}",
        f"--format={_COLUMNS}",
    ]


def parse_sacct(answer: Answer, batches: Mapping[int, str]) -> list[Job]:
    """Return the jobs that the database knows; `batches` names that of each array.

    Raises:
        ForeignFault: the database did not answer, or keeps no accounts.
    """
    if answer.status != 0 or "Slurm accounting storage is disabled" in answer.errors:
        raise ForeignFault(
            f"Slurm's accounting cannot be asked ({answer.reason}). No run is given up meanwhile; "
            "the next pass looks again. On a cluster that keeps no accounts, set `accounting = "
            "false` under [executor]."
        )
    jobs = []
    for line in answer.output.splitlines():
        name, identity, state, node, start, end = (line.split("|") + [""] * 6)[:6]
        found = _TASK.fullmatch(name)
        if found and int(found[1]) in batches and identity.isdecimal():
            number, task = int(found[1]), int(found[2])
            seconds = _count(start, end)
            batch = batches[number]
            jobs.append(Job(number, task, int(identity), state, node, seconds, batch=batch))
    return jobs


def _count(start: str, end: str) -> float | None:
    if not (start.isdecimal() and end.isdecimal()):
        return None
    return max(0.0, float(end) - float(start))


def build_scancel(jobs: Sequence[Job]) -> list[str]:
    """Return the wish that these jobs end."""
    return ["scancel", *(job.name for job in jobs)]


def parse_scancel(answer: Answer) -> None:
    """Take note of the answer: a job that has ended meanwhile is no trouble.

    Raises:
        ForeignFault: the controller did not answer.
    """
    if answer.went_unheard:
        raise tell_silence(answer)
