"""The plain engine: a fresh interpreter runs papermill, which starts a fresh kernel."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

from wardbook.domain.output import Output
from wardbook.domain.run import Failure, FailureKind, RunResult, RunSpec
from wardbook.engines import child
from wardbook.engines.claim import claim, is_cancelled
from wardbook.engines.executed import find_failure, find_unfinished_cell, read_notebook
from wardbook.engines.interface import Interrupted
from wardbook.engines.outputs import OutputBroken, collect_outputs
from wardbook.engines.processes import wait_for_exit
from wardbook.engines.scratch import begin_afresh, build_environment, discard_scratch

LOOK_SECONDS = 0.5
"""How often a run's wish to be cancelled is looked for."""

GRACE_SECONDS = 5.0
"""How long a child may take to end its own descendants before it is killed itself."""

_KINDS = {
    child.KERNEL_DIED: FailureKind.KERNEL_DIED,
    child.OUT_OF_MEMORY: FailureKind.OUT_OF_MEMORY,
}


class PapermillEngine:
    """Executes each run in a child process of its own; see `Engine` for the promises."""

    name = "papermill"

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._closed = False
        self._children: set[Popen[bytes]] = set()

    def execute(self, folder: Path) -> RunResult:
        """Execute the run of `folder` once; see `Engine.execute`."""
        folder = folder.resolve()
        with claim(folder) as lock:
            result = RunResult.read(folder)
            if result is None:
                result = self._execute_claimed(folder, lock)
                result.write(folder)
        return result

    def close(self) -> None:
        """Cut off the runs under way and refuse others; see `Engine.close`."""
        with self._guard:
            self._closed = True
            for process in self._children:
                _hang_up(process)

    def _execute_claimed(self, folder: Path, lock: int) -> RunResult:
        spec = RunSpec.read(folder)
        started, clock = datetime.now(UTC), time.monotonic()
        begin_afresh(folder, _find_user_cache())
        outputs: tuple[Output, ...] = ()
        try:
            failure = self._run_child(folder, spec, lock)
            if failure is None:
                outputs = collect_outputs(folder / "outputs")
        except OutputBroken as broken:
            failure = Failure(FailureKind.OUTPUT_BROKEN, details={"output": broken.name})
        finally:
            discard_scratch(folder)
        seconds = round(time.monotonic() - clock, 3)
        return RunResult(spec.key, started.isoformat(timespec="seconds"), seconds, outputs, failure)

    def _run_child(self, folder: Path, spec: RunSpec, lock: int) -> Failure | None:
        if is_cancelled(folder):
            return Failure(FailureKind.CANCELLED)
        process = self._start(folder, spec, lock)
        try:
            stopped = _watch(process, folder, time.monotonic() + spec.seconds)
        finally:
            with self._guard:
                self._children.discard(process)
                closed = self._closed
        if closed:
            raise Interrupted(f"the engine was closed during the run {spec.key}")
        return _name_failure(folder, spec, stopped, process.returncode)

    def _start(self, folder: Path, spec: RunSpec, lock: int) -> Popen[bytes]:
        with self._guard, (folder / "log.txt").open("wb") as log:
            if self._closed:
                raise Interrupted("the engine is closed")
            process = Popen(
                [sys.executable, "-m", child.__name__, str(folder)],
                cwd=folder / "scratch" / "home",
                env=build_environment(folder, spec, os.environ, Path.cwd()),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,),
                start_new_session=True,
            )
            self._children.add(process)
        return process


def _watch(process: Popen[bytes], folder: Path, deadline: float) -> FailureKind | None:
    """Wait until the child has ended; return why it was stopped before, or None."""
    handle = os.pidfd_open(process.pid)
    stopped = None
    try:
        while not wait_for_exit(handle, min(LOOK_SECONDS, deadline - time.monotonic())):
            if time.monotonic() >= deadline:
                stopped = FailureKind.OUT_OF_TIME
                break
            if is_cancelled(folder):
                stopped = FailureKind.CANCELLED
                break
        _hang_up(process)
        if not wait_for_exit(handle, GRACE_SECONDS):
            process.kill()
        process.wait()
    finally:
        os.close(handle)
    return stopped


def _hang_up(process: Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _name_failure(
    folder: Path, spec: RunSpec, stopped: FailureKind | None, status: int
) -> Failure | None:
    notebook = read_notebook(folder / "executed.ipynb")
    failure: Failure | None
    if notebook and stopped is None and status in (child.ENDED, child.CELL_FAILED):
        failure = find_failure(notebook)
        if failure is None and status == child.ENDED:
            return None
    else:
        kind = stopped or _KINDS.get(status, FailureKind.ENVIRONMENT_BROKEN)
        failure = Failure(kind, find_unfinished_cell(notebook) if notebook else None)
    failure = failure or Failure(FailureKind.ENVIRONMENT_BROKEN)
    return replace(failure, details=_add_limit(failure, spec))


def _add_limit(failure: Failure, spec: RunSpec) -> Mapping[str, str | int]:
    match failure.kind:
        case FailureKind.OUT_OF_MEMORY:
            return {"memory_mb": spec.memory_mb}
        case FailureKind.OUT_OF_TIME:
            return {"seconds": math.ceil(spec.seconds)}
        case _:
            return failure.details


def _find_user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
