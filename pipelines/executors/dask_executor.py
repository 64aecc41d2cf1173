"""Runs on Dask: a cluster inside this process by default, or a scheduler elsewhere."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.executors.interface import RunState
from wardbook.domain.run import RunResult, RunSpec
from wardbook.engines import open_engine
from wardbook.engines.claim import ask_to_cancel, is_claimed
from wardbook.engines.interface import Engine, Interrupted

if TYPE_CHECKING:
    from distributed import Client, Future

_engines: dict[str, Engine] = {}
"""This process's engines by the name of their executor.

Dask hands a task over as bytes, also inside one process, so a task names its engine: in the
executor's own process it finds that object, on a worker elsewhere it makes one.
"""


class DaskExecutor:
    """Executes runs on Dask; see `Executor` for the promises.

    Without an address the cluster is one scheduler and one worker with `workers` threads inside
    this process: nothing is forked, and nothing listens beyond this machine. Threads are enough
    because a thread only waits for its run, which is a process of its own. The cluster starts at
    the first submission, so that a pass with nothing to run never loads Dask. A killed process
    takes its runs with it; the next one finds them unknown and submits them again.

    With an address, runs go to that scheduler and outlive this process.
    """

    def __init__(self, workers: int, address: str | None = None) -> None:
        self._workers = workers
        self._address = address
        self.outlives = address is not None
        self._name = uuid.uuid4().hex
        self._engine = open_engine()
        self._futures: dict[Path, Future[None]] = {}
        self._guard = threading.Lock()
        self._ended = threading.Event()

    def submit(self, folder: Path) -> str:
        """Hand the run over under its own key; see `Executor.submit`."""
        folder = folder.resolve()
        key = RunSpec.read(folder).key
        with self._guard:
            known = folder in self._futures
        if not known and RunResult.read(folder) is None and not is_claimed(folder):
            self._hand_over(folder, key)
        return key

    def flush(self) -> None:
        """Nothing is left to do: `submit` hands over at once; see `Executor.flush`."""

    def status(self, folders: Sequence[Path]) -> Mapping[Path, RunState]:
        """Tell how the runs stand from their folders and the queue; see `Executor.status`."""
        return {folder: self._find_state(folder) for folder in folders}

    def wait(self, timeout: float) -> bool:
        """Wait for the next end of a run; see `Executor.wait`."""
        ended = self._ended.wait(timeout)
        self._ended.clear()
        return ended

    def cancel(self, folder: Path) -> None:
        """Leave the wish in the run's folder, where its engine looks; see `Executor.cancel`."""
        if RunResult.read(folder) is None:
            ask_to_cancel(folder)

    def close(self) -> None:
        """Leave the scheduler; end a cluster of our own with its runs; see `Executor.close`."""
        self._engine.close()
        client = self.__dict__.pop("_client", None)
        if client is not None:
            cluster = client.cluster
            client.close()
            if cluster is not None:
                cluster.close()

    @cached_property
    def _client(self) -> Client:
        from distributed import Client

        from wardbook.compute import open_threads

        # Distributed reports each lost connection and each run cut off by `close` with a traceback.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        if self._address is not None:
            return Client(self._address, set_as_default=False)
        _engines[self._name] = self._engine
        return Client(open_threads(self._workers), set_as_default=False)

    def _hand_over(self, folder: Path, key: str) -> None:
        from distributed import fire_and_forget

        future = self._client.submit(execute_run, str(folder), self._name, key=key, pure=False)
        if self._address is not None:
            fire_and_forget(future)
        with self._guard:
            self._futures[folder] = future
        future.add_done_callback(lambda _: self._note_end(folder))

    def _note_end(self, folder: Path) -> None:
        with self._guard:
            self._futures.pop(folder, None)
        self._ended.set()

    def _find_state(self, folder: Path) -> RunState:
        with self._guard:
            queued = folder.resolve() in self._futures
        claimed = is_claimed(folder)
        # Looked for last: a run may end between two looks, and ended is what lasts.
        if RunResult.read(folder) is not None:
            return RunState.ENDED
        if claimed:
            return RunState.RUNNING
        return RunState.QUEUED if queued else RunState.UNKNOWN


def execute_run(folder: str, executor: str) -> None:
    """Execute a run on the worker that this is called on; how it ended stands in its folder."""
    engine = _engines.setdefault(executor, open_engine())
    try:
        engine.execute(Path(folder))
    except Interrupted:
        return  # without a result, so that the next process starts it afresh
