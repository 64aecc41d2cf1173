"""What to do about a run without a result: a pure decision over what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipelines.executors.slurm.batches import Submission
from pipelines.executors.slurm.queue import Job
from pipelines.executors.slurm.states import BAD_NODE, Meaning, Phase, find_meaning
from wardbook.domain.run import FailureKind

ATTEMPTS = 2
"""A run whose node is lost, or which is pushed off one, is tried once more."""

SETTLING_SECONDS = 60.0
"""A batch whose submission was cut off may yet arrive: Slurm gives up a message much sooner."""

CANCEL_SECONDS = 30.0
"""After this the job of a run that was to end by itself is ended by Slurm."""


class Act(StrEnum):
    """What is to be done about a run."""

    LEAVE = "leave"
    SUBMIT = "submit"
    END = "end"
    """Write its result: a failure that nobody else is left to tell."""
    KILL = "kill"
    """Have Slurm end its job; what it came to is seen at the next pass."""
    ASK = "ask"
    """Slurm says a word that we do not know: leave it, and tell the unit."""


@dataclass(frozen=True)
class Decision:
    """What is to be done, and how it then stands."""

    act: Act
    failure: FailureKind | None = None
    attempt: int = 1
    exclude: str = ""
    running: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of a run without a result.

    `claimed`: an engine is at it, wherever that may be. `submission`: what we noted when it was
    handed over, None where it never was; `age` is how many seconds ago that is; `taken` that Slurm
    has confirmed it; `fresh` that it was for the run as it is laid out now. `job` is what Slurm
    says, None where it knows nothing; `others` that it knows other tasks of the array; `begun` that
    an engine took up the run since it was handed over. `wish_age`: how many seconds ago somebody
    wished its end. `memory_exceeded`: Slurm's log says that it ended the job for its memory.
    """

    claimed: bool = False
    submission: Submission | None = None
    age: float = 0.0
    taken: bool = False
    fresh: bool = True
    job: Job | None = None
    others: bool = False
    begun: bool = False
    wish_age: float | None = None
    memory_exceeded: bool = False


def decide(facts: Facts) -> Decision:
    """Return what is to be done about a run without a result."""
    if facts.claimed:
        return _wait_for_engine(facts)
    if facts.wish_age is not None:
        return Decision(Act.END, FailureKind.CANCELLED)
    if facts.submission is None:
        return Decision(Act.SUBMIT)
    if facts.job is None:
        return _look_for_lost(facts, facts.submission)
    meaning = find_meaning(facts.job.state)
    if meaning is None:
        return Decision(Act.ASK, running=True)
    if meaning.phase in {Phase.QUEUED, Phase.RUNNING}:
        return Decision(Act.LEAVE, running=meaning.phase is Phase.RUNNING)
    if not facts.fresh:
        return Decision(Act.SUBMIT)
    if meaning.phase is Phase.LOST:
        return _try_again(facts.submission, facts.job)
    return Decision(Act.END, _name_failure(facts, meaning))


def _wait_for_engine(facts: Facts) -> Decision:
    # The engine sees the wish within a second, and says where the run was. If it cannot, Slurm
    # ends it.
    overdue = facts.wish_age is not None and facts.wish_age > CANCEL_SECONDS
    kill = overdue and facts.job is not None
    return Decision(Act.KILL if kill else Act.LEAVE, running=True)


def _look_for_lost(facts: Facts, submission: Submission) -> Decision:
    if not facts.fresh:
        return Decision(Act.SUBMIT)
    if facts.others and not facts.begun:
        # A task that is cancelled while it waits leaves no trace as long as others of its array do.
        return Decision(Act.END, FailureKind.CANCELLED)
    if facts.taken:
        return _try_again(submission, None)
    if facts.age < SETTLING_SECONDS:
        return Decision(Act.LEAVE)
    return Decision(Act.SUBMIT, attempt=submission.attempt, exclude=submission.exclude)


def _try_again(submission: Submission, job: Job | None) -> Decision:
    if submission.attempt >= ATTEMPTS:
        return Decision(Act.END, FailureKind.NODE_LOST)
    bad = job.node if job is not None and job.state in BAD_NODE else ""
    return Decision(Act.SUBMIT, attempt=submission.attempt + 1, exclude=bad)


def _name_failure(facts: Facts, meaning: Meaning) -> FailureKind | None:
    # Without cgroups Slurm ends a job for its memory by signal and calls that FAILED.
    if meaning.failure is FailureKind.ENVIRONMENT_BROKEN and facts.memory_exceeded:
        return FailureKind.OUT_OF_MEMORY
    return meaning.failure
