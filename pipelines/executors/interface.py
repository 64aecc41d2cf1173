"""What an executor is: it carries runs to a machine and tells how they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class RunState(StrEnum):
    """How a run stands, whoever submitted it."""

    UNKNOWN = "unknown"
    """Nobody has it: never submitted, or cut off. Submitting it is right."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"
    """`result.json` stands, after success, failure and cancellation alike."""


class Executor(Protocol):
    """Carries runs, each a folder as in `wardbook.domain.run`, to where their engine executes them.

    Each transition is idempotent, and none waits for a run. States are derived from what is
    (the result, the run's lock, the scheduler's answer), never from what was asked before, so that
    a process that was killed can be replaced by another at any point.
    """

    outlives: bool
    """Whether runs go on when this process ends."""

    def submit(self, folder: Path) -> str:
        """Hand over the run, at the latest with the next `flush`, and return its name.

        Idempotent: nothing changes for a run that is queued, running or ended. Does not block.
        """
        ...

    def flush(self) -> None:
        """Hand over what was collected by `submit` and `cancel` since the last call.

        Called once at the end of each pass. Several processes may do so at once.

        Raises:
            Fault: the scheduler was away, or refused; the message says which runs wait and what is
                to be done. Everything else was handed over, and the next pass tries again.
        """
        ...

    def status(self, folders: Sequence[Path]) -> Mapping[Path, RunState]:
        """Tell how each of the runs stands, with at most one question to the scheduler.

        Raises:
            Fault: the scheduler is away, so nothing can be told now.
        """
        ...

    def wait(self, timeout: float) -> bool:
        """Return True as soon as a run ends that ended since the last call, else False.

        The only call that blocks, for at most `timeout` seconds.
        """
        ...

    def cancel(self, folder: Path) -> None:
        """Wish that the run ends; it then does, soon after `flush`, by a failure `cancelled`.

        Idempotent: nothing changes for a run that has ended. Does not block. A cancelled run is not
        executed by a later submission either.
        """
        ...

    def close(self) -> None:
        """Give back what the executor holds on this machine, within seconds.

        Idempotent. Runs on this machine are cut off and left without a result, as if this process
        had been killed; runs at a scheduler elsewhere go on.
        """
        ...
