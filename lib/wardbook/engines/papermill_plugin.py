"""The warm engine for those who use papermill by itself: `papermill --engine wardbook IN OUT`.

The notebook runs as papermill would have it: in its working directory, with its environment, with
no fence and no limits. The fork server lives as long as the process that calls papermill, so that
many notebooks of one process gain most. Whatever needs a whole kernel is left to papermill's own
engine.
"""

from __future__ import annotations

import atexit
import os
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import Engine, NBClientEngine, NotebookExecutionManager

from wardbook.domain.run import FailureKind, RunSpec
from wardbook.engines import statuses
from wardbook.engines.confinement import Order
from wardbook.engines.folding import format_notebook, read_notebook
from wardbook.engines.fork_server import ForkServer, find_caches
from wardbook.engines.scratch import EXECUTED, begin_afresh, environment_of_server
from wardbook.engines.warm_engine import COMMON, End, watch

_ENDLESS = 10 * 365 * 86_400.0


class WarmNotebook(Engine):  # type: ignore[misc]  # papermill has no types
    """papermill's engine `wardbook`."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        execution_timeout: float | None = None,
        **options: Any,
    ) -> None:
        """Execute the notebook; errors in cells stand in it, as papermill expects.

        `execution_timeout` is papermill's, in seconds for a cell; here all cells share the sum.

        Raises:
            DeadKernelError: the process ended before the notebook.
            CellTimeoutError: the time was over.
        """
        if kernel_name != "python3" or not _execute(nb_man, execution_timeout):
            NBClientEngine.execute_managed_notebook(
                nb_man, kernel_name, execution_timeout=execution_timeout, **options
            )


def _execute(nb_man: NotebookExecutionManager, timeout: float | None) -> bool:
    """Execute in a fork; False when the notebook needs a whole kernel."""
    with tempfile.TemporaryDirectory(prefix="wardbook-") as scratch:
        folder = Path(scratch)
        (folder / "notebook.ipynb").write_text(format_notebook(nb_man.nb), encoding="utf-8")
        seconds = timeout * len(nb_man.nb.cells) if timeout else _ENDLESS
        _describe(folder, seconds)
        end = _fork(folder, time.monotonic() + seconds)
        if end.status == statuses.HAND_OVER:
            return False
        if end.stopped is FailureKind.OUT_OF_TIME:
            raise CellTimeoutError(f"the notebook was not through after {seconds:g} s")
        if not (folder / EXECUTED).exists():
            raise DeadKernelError("the notebook's process ended before its notebook")
        _take_over(nb_man, read_notebook(folder / EXECUTED))
    return True


def _describe(folder: Path, seconds: float) -> None:
    RunSpec(
        key="papermill",
        request="papermill",
        template="papermill",
        template_folder=str(folder),
        kernel="python3",
        language="en",
        parameters={},
        sources={},
        cpus=len(os.sched_getaffinity(0)),
        seconds=seconds,
    ).write(folder)


def _fork(folder: Path, deadline: float) -> End:
    begin_afresh(folder, find_caches())
    order = Order(folder, dict(os.environ), kernel=False, free_in=Path.cwd())
    with (
        (folder / "log.txt").open("wb") as log,
        closing(_server().fork(order, log.fileno(), log.fileno())) as keeper,
    ):
        return watch(keeper, folder, deadline)


@cache
def _server() -> ForkServer:
    server = ForkServer(environment_of_server(os.environ, Path.cwd(), find_caches()), COMMON)
    atexit.register(server.close)
    return server


def _take_over(nb_man: NotebookExecutionManager, executed: NotebookNode) -> None:
    """Put what the cells showed into papermill's notebook, with its marks for each cell."""
    nb_man.nb.metadata["language_info"] = executed.metadata["language_info"]
    for index, (cell, done) in enumerate(zip(nb_man.nb.cells, executed.cells, strict=True)):
        nb_man.cell_start(cell, index)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
            if done.metadata.get("wardbook"):
                nb_man.cell_exception(cell, index)
                return
        nb_man.cell_complete(cell, index)
