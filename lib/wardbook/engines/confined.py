"""A papermill engine for a kernel that was started, and confined, before papermill is loaded."""

from __future__ import annotations

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


class ConfinedKernel(Engine):  # type: ignore[misc]  # papermill has no types
    """Runs each cell with nbclient in the given kernel, and ends the kernel."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        kernel: AsyncKernelManager,
        **_others: Any,
    ) -> None:
        """Execute the notebook in `kernel`, which runs already.

        Raises:
            KernelEnded: the kernel ended before its notebook.
        """
        _Client(nb_man, km=kernel, kernel_name=kernel_name, shutdown_kernel="immediate").execute()


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    def execute_cell(self, cell: Any, cell_index: int, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_cell(cell, cell_index, *args, **options)
        except DeadKernelError:
            self.nb_man.cell_exception(cell, cell_index)
            process = self.km.provisioner.process
            raise KernelEnded(process.returncode if process else None) from None
