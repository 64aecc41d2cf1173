"""Handing a batch over: the runs of one pass that ask for the same, as one job array."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipelines.executors.slurm.commands import Answer
from pipelines.executors.slurm.queue import JOB_NAME, MARK
from wardbook.domain.run import RunSpec
from wardbook.settings import SlurmSettings

JOB_SCRIPT = Path(__file__).with_name("job.sh")
LOG = "slurm.log"

MARGIN_SECONDS = 60
"""The engine ends a run in time, and says more about it: Slurm's limit is for when it cannot."""

MARGIN_MB = 400
"""What the engine needs beside the notebook, and a kernel before its first cell."""


@dataclass(frozen=True)
class Wanted:
    """What a run asks of the cluster: runs that ask for the same go as one array."""

    cpus: int
    memory_mb: int
    minutes: int
    partition: str
    gres: str
    exclude: str = ""

    @classmethod
    def of(cls, spec: RunSpec, settings: SlurmSettings, exclude: str = "") -> Wanted:
        """Return what this run asks for: its own limits and the margins for its engine."""
        return cls(
            cpus=spec.cpus,
            memory_mb=spec.memory_mb + MARGIN_MB,
            minutes=math.ceil((spec.seconds + MARGIN_SECONDS) / 60),
            partition=spec.partition or settings.partition,
            gres=spec.gres,
            exclude=exclude,
        )


def build_sbatch(
    wanted: Wanted, settings: SlurmSettings, batch: Path, size: int, python: str
) -> list[str]:
    """Return the command that hands over a batch of `size` runs.

    `batch` is a folder in which the link `0`, `1`, … leads to the folder of each run.
    """
    # Slurm takes % in a path for a place to fill; twice, it is one.
    log = f"{str(batch).replace('%', '%%')}/%a/{LOG}"
    chosen = {
        "partition": wanted.partition,
        "account": settings.account,
        "qos": settings.qos,
        "gres": wanted.gres,
        "exclude": wanted.exclude,
    }
    return [
        *("sbatch", "--parsable", "--export=NONE", "--propagate=NONE", "--no-requeue"),
        *(f"--job-name={JOB_NAME}", f"--comment={MARK}{batch.name}", f"--array=0-{size - 1}"),
        *("--nodes=1", "--ntasks=1", f"--cpus-per-task={wanted.cpus}"),
        *(f"--mem={wanted.memory_mb}M", f"--time={wanted.minutes}"),
        *(f"--output={log}", "--open-mode=append", f"--chdir={batch.parent}"),
        *(f"--{name}={word}" for name, word in chosen.items() if word),
        *(str(JOB_SCRIPT), python, str(batch)),
    ]


class Blame(StrEnum):
    """Whose matter a refusal is."""

    RUN = "run"
    """What the template asks for is more than the cluster has: the run fails."""

    UNIT = "unit"
    """The settings, or the moment: the run waits, and the unit is told at each pass."""

    SILENCE = "silence"
    """No answer: the batch may have arrived. Nothing is done until Slurm can be asked."""


@dataclass(frozen=True)
class Refusal:
    """Why a batch was not taken, in Slurm's words."""

    blame: Blame
    reason: str


_ABOUT_THE_RUN = (
    "Requested node configuration is not available",
    "Memory specification can not be satisfied",
    "Invalid generic resource (gres) specification",
    "Requested time limit is invalid",
    "More processors requested than permitted",
    "CPU count per node can not be satisfied",
    "Node count specification invalid",
    "Requested partition configuration not available now",
    "Invalid node name specified",
)
_ABOUT_THE_PARTITION = ("Invalid partition name specified", "invalid partition specified")
_NUMBER = re.compile(r"(\d+)(;\S+)?")


def parse_sbatch(answer: Answer, *, own_partition: bool) -> int | Refusal:
    """Return the number of the array, or why there is none.

    `own_partition` says that the partition is the template's choice, not that of the settings.
    """
    number = _NUMBER.fullmatch(answer.output.strip())
    if answer.status == 0 and number:
        return int(number[1])
    if answer.status == 0 or answer.went_unheard:
        return Refusal(Blame.SILENCE, answer.reason)
    about_the_run = _ABOUT_THE_RUN + (_ABOUT_THE_PARTITION if own_partition else ())
    blamed = any(words in answer.errors for words in about_the_run)
    return Refusal(Blame.RUN if blamed else Blame.UNIT, answer.reason)
