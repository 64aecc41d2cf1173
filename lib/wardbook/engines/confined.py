"""A papermill engine whose kernel is confined: local sockets, limits, an end with its parent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager


class KernelEnded(Exception):
    """The kernel ended in the middle of a cell; `status` as in `subprocess.Popen.returncode`."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class ConfinedKernel(Engine):
    """Runs each cell with nbclient in a kernel that was confined before it started."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        confine: Callable[[], None],
        **_others: Any,
    ) -> None:
        """Execute the notebook; `confine` is called in the kernel's process before it starts.

        Raises:
            KernelEnded: the kernel ended before its notebook.
        """
        # Sockets in our own folder: anybody on the machine could read what goes through TCP. The
        # name is relative to the working directory, because socket names must be short.
        kernel = AsyncKernelManager(kernel_name=kernel_name, transport="ipc", ip="../kernel")
        client = _Client(nb_man, km=kernel, kernel_name=kernel_name, shutdown_kernel="immediate")
        client.execute(preexec_fn=confine)


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    def execute_cell(self, cell: Any, cell_index: int, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_cell(cell, cell_index, *args, **options)
        except DeadKernelError:
            self.nb_man.cell_exception(cell, cell_index)
            process = self.km.provisioner.process
            raise KernelEnded(process.returncode if process else None) from None
