"""What Slurm's states of a job mean to us, in one table (Slurm 22.05 and later)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wardbook.domain.run import FailureKind


class Phase(StrEnum):
    """How far a job is; the raw state says it more finely."""

    QUEUED = "queued"
    RUNNING = "running"
    OVER = "over"
    LOST = "lost"
    """Over through no fault of its own: the run is tried once more."""


@dataclass(frozen=True)
class Meaning:
    """What a state means; `failure` is that of a run whose job ended so without a result."""

    phase: Phase
    failure: FailureKind | None = None


_QUEUED, _RUNNING = Meaning(Phase.QUEUED), Meaning(Phase.RUNNING)
_LOST = Meaning(Phase.LOST, FailureKind.NODE_LOST)
_BROKEN = Meaning(Phase.OVER, FailureKind.ENVIRONMENT_BROKEN)
_OUT_OF_TIME = Meaning(Phase.OVER, FailureKind.OUT_OF_TIME)

MEANINGS: dict[str, Meaning] = {
    "PENDING": _QUEUED,
    "REQUEUED": _QUEUED,
    "REQUEUE_FED": _QUEUED,
    "REQUEUE_HOLD": _QUEUED,
    "RESV_DEL_HOLD": _QUEUED,
    "SPECIAL_EXIT": _QUEUED,
    "CONFIGURING": _RUNNING,
    "POWER_UP_NODE": _RUNNING,
    "RUNNING": _RUNNING,
    "SUSPENDED": _RUNNING,
    "STOPPED": _RUNNING,
    "SIGNALING": _RUNNING,
    "RESIZING": _RUNNING,
    "EXPEDITING": _RUNNING,
    "STAGE_OUT": _RUNNING,
    "COMPLETING": _RUNNING,
    "UPDATE_DB": _RUNNING,
    "COMPLETED": _BROKEN,
    "FAILED": _BROKEN,
    "CANCELLED": Meaning(Phase.OVER, FailureKind.CANCELLED),
    "TIMEOUT": _OUT_OF_TIME,
    "DEADLINE": _OUT_OF_TIME,
    "OUT_OF_MEMORY": Meaning(Phase.OVER, FailureKind.OUT_OF_MEMORY),
    "NODE_FAIL": _LOST,
    "BOOT_FAIL": _LOST,
    "LAUNCH_FAILED": _LOST,
    "RECONFIG_FAIL": _LOST,
    "PREEMPTED": _LOST,
    "REVOKED": _LOST,
}
"""Every state that squeue and sacct print in full (slurm.h, `job_state_string`)."""

BAD_NODE = frozenset({"NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL"})
"""After these the run is not given to the same node again."""

HOPELESS = frozenset(
    {
        "AccountNotAllowed",
        "AssocMaxCpuPerJobLimit",
        "AssocMaxMemPerJob",
        "AssocMaxWallDurationPerJobLimit",
        "BadConstraints",
        "InvalidAccount",
        "InvalidQOS",
        "JobHeldAdmin",
        "JobHeldUser",
        "PartitionConfig",
        "PartitionNodeLimit",
        "PartitionTimeLimit",
        "QOSMaxCpuPerJobLimit",
        "QOSMaxMemoryPerJob",
        "QOSMaxWallDurationPerJobLimit",
        "QOSNotAllowed",
        "launch_failed_requeued_held",
        "user_env_retrieval_failed_requeued_held",
    }
)
"""Reasons for which a job waits until somebody changes something: the unit is told."""


def find_meaning(state: str) -> Meaning | None:
    """Return what a raw state means, or None for one that this table lacks.

    sacct adds to a state, as in "CANCELLED by 1000"; only its first word counts.
    """
    return MEANINGS.get(state.partition(" ")[0].rstrip("+"))
