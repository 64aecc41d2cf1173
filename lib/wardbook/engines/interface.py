"""What an engine is. The folder of a run is described in `wardbook.domain.run`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from wardbook.domain.run import RunResult


class Engine(Protocol):
    """Executes the notebook of a run's folder, in a process that is left with nothing behind.

    An engine may be used from several threads at once, one run each.
    """

    name: str

    def execute(self, folder: Path) -> RunResult:
        """Execute the run once and return how it ended, which then stands in `result.json`.

        A run that has ended is not executed again: its result is returned. A run that another
        process is executing is waited for. A run that was cut off is started afresh. Whatever the
        notebook does, its failure comes back as a value.

        Raises:
            Interrupted: the engine was closed; the run has no result and can be started afresh.
            OSError, ValueError: `spec.json` is missing or unreadable, or the folder not writable.
        """
        ...

    def close(self) -> None:
        """Cut off the runs under way without a result and refuse others; does not wait long."""
        ...


class Interrupted(Exception):
    """The engine was closed before the run ended."""
