"""The engine: each run is a fork of a warm Python, and executes its notebook there at once.

What needs a whole Jupyter kernel gets one, in the same confinement: other languages, templates that
say so, and notebooks that turn out to talk to a front end (widgets).
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from wardbook.domain.output import Output
from wardbook.domain.run import Failure, FailureKind, RunResult, RunSpec, Usage
from wardbook.engines import statuses
from wardbook.engines.claim import claim, is_cancelled
from wardbook.engines.confinement import Order
from wardbook.engines.executed import find_failure, find_unfinished_cell, read_notebook
from wardbook.engines.fork_server import ForkServer, Keeper, ServerBroken, find_caches
from wardbook.engines.interface import Interrupted
from wardbook.engines.outputs import OutputBroken, collect_outputs
from wardbook.engines.processes import wait_for_exit
from wardbook.engines.scratch import (
    EXECUTED,
    JOURNAL,
    begin_afresh,
    build_environment,
    discard_scratch,
    environment_of_server,
)
from wardbook.engines.sources import find_data_failure

COMMON = ("numpy", "pandas", "matplotlib.pyplot", "papermill.execute", "wardbook.notebook")
"""What most notebooks use, and what drives a kernel where one is needed."""

LOOK_SECONDS = 0.5
"""How often a run's wish to be cancelled is looked for."""

SIGNAL_SECONDS = 1.0
"""How long after a run's death the death of all around it is awaited."""

GRACE_SECONDS = 5.0
"""How long a keeper may take to end the run's processes before it is killed itself."""

_KINDS = {
    statuses.KERNEL_DIED: FailureKind.KERNEL_DIED,
    statuses.OUT_OF_MEMORY: FailureKind.OUT_OF_MEMORY,
    statuses.BROKEN: FailureKind.ENVIRONMENT_BROKEN,
}


_SAID = (statuses.ENDED, statuses.CELL_FAILED, statuses.MUTE)
"""The notebook itself says how it ended."""


@dataclass(frozen=True)
class End:
    """How a run's processes ended: stopped by us, or by themselves with a status."""

    stopped: FailureKind | None = None
    status: int = statuses.BROKEN
    used: Usage | None = None


class WarmEngine:
    """Executes each run in a fork of one warm Python; see `Engine` for the promises."""

    name = "warm"

    def __init__(self, modules: Sequence[str] = COMMON) -> None:
        """Make the engine; its server starts with the first run.

        Args:
            modules: what the server loads ahead, as far as it is installed.
        """
        self._guard = threading.Lock()
        self._closed = threading.Event()
        self._keepers: set[Keeper] = set()
        present = [name for name in modules if find_spec(name.partition(".")[0])]
        environment = environment_of_server(os.environ, Path.cwd(), find_caches())
        self._server = ForkServer(environment, present)

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
            self._closed.set()
            for keeper in self._keepers:
                keeper.hang_up()
        self._server.close()

    def _execute_claimed(self, folder: Path, lock: int) -> RunResult:
        spec = RunSpec.read(folder)
        started, clock = datetime.now(UTC), time.monotonic()
        outputs: tuple[Output, ...] = ()
        end = End(FailureKind.CANCELLED)
        begin_afresh(folder, find_caches())
        try:
            failure = find_data_failure(folder, spec)
            if failure is None:
                if not is_cancelled(folder):
                    end = self._run(folder, spec, lock, clock + spec.seconds)
                failure = _name_failure(folder, spec, end)
            if failure is None:
                outputs = collect_outputs(folder / "outputs")
        except OutputBroken as broken:
            failure = Failure(FailureKind.OUTPUT_BROKEN, details={"output": broken.name})
        finally:
            discard_scratch(folder)
        seconds = round(time.monotonic() - clock, 3)
        begun = started.isoformat(timespec="seconds")
        return RunResult(spec.key, begun, seconds, outputs, failure, end.used)

    def _run(self, folder: Path, spec: RunSpec, lock: int, deadline: float) -> End:
        """Execute the notebook, in a whole kernel if it turns out to need one."""
        in_kernel = spec.engine == "kernel" or spec.kernel != "python3"
        end = self._fork(folder, spec, lock, deadline, in_kernel)
        if end.status == statuses.HAND_OVER and end.stopped is None and not in_kernel:
            begin_afresh(folder, find_caches())
            end = self._fork(folder, spec, lock, deadline, True)
        return end

    def _fork(
        self, folder: Path, spec: RunSpec, lock: int, deadline: float, in_kernel: bool
    ) -> End:
        environment = build_environment(folder, spec, os.environ, Path.cwd())
        order = Order(folder, environment, in_kernel)
        with (folder / "log.txt").open("wb") as log:
            try:
                keeper = self._begin(order, lock, log.fileno())
            except ServerBroken as broken:
                log.write(broken.log)
                return self._unless_closed(spec, End())
        try:
            end = watch(keeper, folder, deadline)
        finally:
            with self._guard:
                self._keepers.discard(keeper)
            keeper.close()
        end = self._unless_closed(spec, end)
        if end.status != statuses.HAND_OVER:
            _keep_notebook(folder)
        return end

    def _unless_closed(self, spec: RunSpec, end: End) -> End:
        """Return the end of a run, which counts unless this engine is being closed.

        Who ends a job on a cluster signals all of its processes, one after the other. A run that
        seems to have died by itself may be the first of them: whether we are the next is awaited.
        """
        died = end.stopped is None and end.status not in (*_SAID, statuses.HAND_OVER)
        if self._closed.wait(SIGNAL_SECONDS) if died else self._closed.is_set():
            raise Interrupted(f"the engine was closed during the run {spec.key}")
        return end

    def _begin(self, order: Order, lock: int, log: int) -> Keeper:
        with self._guard:
            if self._closed.is_set():
                raise Interrupted("the engine is closed")
            keeper = self._server.fork(order, lock, log)
            self._keepers.add(keeper)
        return keeper


def watch(keeper: Keeper, folder: Path, deadline: float) -> End:
    """Wait until the run has ended; end it when its time is over or somebody wishes it."""
    poll = select.poll()
    poll.register(keeper.connection, select.POLLIN)
    stopped, patience = None, deadline
    while True:
        left = patience - time.monotonic()
        if poll.poll(max(0.0, min(LOOK_SECONDS, left)) * 1000):
            break
        if time.monotonic() >= patience:
            if stopped is not None:
                signal.pidfd_send_signal(keeper.handle, signal.SIGKILL)
            stopped = stopped or FailureKind.OUT_OF_TIME
        elif stopped is None and is_cancelled(folder):
            stopped = FailureKind.CANCELLED
        else:
            continue
        keeper.hang_up()
        patience = time.monotonic() + GRACE_SECONDS
    told = b""
    while not told.endswith(b"\n"):
        part = keeper.connection.recv(4096)
        if not part:  # the keeper was killed, and the worker with it
            wait_for_exit(keeper.handle, GRACE_SECONDS)
            return End(stopped, statuses.KERNEL_DIED)
        told += part
    end = json.loads(told)
    return End(stopped, end["status"], Usage(end["cpu_seconds"], end["peak_mb"]))


def _keep_notebook(folder: Path) -> None:
    """Put the executed notebook, as far as it came, where it stays."""
    partial = folder / EXECUTED.with_name("partial.ipynb")
    if (folder / EXECUTED).exists():
        (folder / EXECUTED).rename(folder / "executed.ipynb")
    elif partial.exists():
        partial.rename(folder / "executed.ipynb")
    elif (folder / JOURNAL).exists():
        # Loaded here: only a run that was cut off needs them in this process.
        from wardbook.engines import folding

        notebook = folding.read_notebook(folder / "notebook.ipynb")
        text = folding.format_notebook(folding.restore_notebook(notebook, folder / JOURNAL))
        (folder / "executed.ipynb").write_text(text, "utf-8", "replace")


def _name_failure(folder: Path, spec: RunSpec, end: End) -> Failure | None:
    notebook = read_notebook(folder / "executed.ipynb")
    unfinished = find_unfinished_cell(notebook) if notebook else None
    failure: Failure | None
    if notebook and end.stopped is None and end.status in _SAID:
        failure = find_failure(notebook)
        if failure is None and end.status == statuses.ENDED:
            return None
        failure = failure or Failure(FailureKind.CELL_ERROR, unfinished)
    else:
        kind = end.stopped or _KINDS.get(end.status, FailureKind.KERNEL_DIED)
        failure = Failure(kind, unfinished)
    return replace(failure, details=_add_limit(failure, spec))


def _add_limit(failure: Failure, spec: RunSpec) -> Mapping[str, str | int]:
    match failure.kind:
        case FailureKind.OUT_OF_MEMORY:
            return {"memory_mb": spec.memory_mb}
        case FailureKind.OUT_OF_TIME:
            return {"seconds": math.ceil(spec.seconds)}
        case _:
            return failure.details
