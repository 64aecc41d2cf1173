"""A notebook executed by a Jupyter kernel of its own, driven by papermill.

For R, for widgets and whatever else needs a whole kernel. A Python kernel is forked from this
process, which has everything loaded; any other is started by its kernelspec.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import Empty
from typing import Any, NoReturn, cast

from ipykernel.kernelapp import IPKernelApp
from jupyter_client.connect import write_connection_file
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

from wardbook.domain.run import RunSpec
from wardbook.engines import statuses
from wardbook.engines.confinement import Order, data_in_use, fence_run, set_limits
from wardbook.engines.processes import die_with_parent, wait_for_exit
from wardbook.engines.shell import forget_kernel

LOOK_SECONDS = 0.25
"""How often an answer is looked for that nobody announced."""

BARE_KERNEL_MB = 160
"""What a kernel maps by itself, mostly stacks of its threads; ipykernel: measured 128 MB."""

PARTIAL = "../partial.ipynb"
"""The notebook while it is executed, from the scratch home: the sockets' names must be short."""


def execute_in_kernel(order: Order, spec: RunSpec) -> int:
    """Execute the run's notebook in a kernel; returns a status of `statuses`."""
    manager = _fork_kernel(order, spec) if spec.kernel == "python3" else _start_kernel(order, spec)
    papermill_engines.register("confined", _Confined)
    try:
        execute_notebook(
            # Relative paths: papermill takes braces in a path for places to fill.
            "../../notebook.ipynb",
            PARTIAL,
            engine_name="confined",
            kernel_name=spec.kernel,
            parameters={},
            progress_bar=False,
            manager=manager,
        )
        status = statuses.ENDED
    except PapermillExecutionError as error:
        # The class is papermill's word for a cell that failed without giving a reason.
        mute = error.ename == "CellExecutionError"
        status = statuses.MUTE if mute else statuses.CELL_FAILED
    except _KernelEnded:
        return statuses.KERNEL_DIED
    Path(PARTIAL).rename("../executed.ipynb")
    return status


def _fork_kernel(order: Order, spec: RunSpec) -> AsyncKernelManager:
    # Sockets in the run's own folder: what goes through TCP can be read by anybody on the machine.
    file, ports = write_connection_file(
        str(order.folder / "scratch" / "jupyter" / "kernel.json"),
        ip="../kernel",
        key=secrets.token_hex().encode(),
        transport="ipc",
    )
    kernel = os.fork()
    if kernel == 0:
        _become_kernel(order, spec, file)
    _wait_for_sockets(kernel, ports["hb_port"])
    manager = AsyncKernelManager(kernel_name=spec.kernel, connection_file=file)
    manager.load_connection_file()
    provisioner = LocalProvisioner(parent=manager)
    provisioner.process, provisioner.pid = cast(Any, _Forked(kernel)), kernel
    manager.provisioner = provisioner
    return manager


def _wait_for_sockets(kernel: int, last: int) -> None:
    """Wait until the kernel listens: who asks earlier misses its first words, and waits for more.

    The heartbeat's socket is the last one that ipykernel opens.
    """
    handle = os.pidfd_open(kernel)
    while not Path(f"../kernel-{last}").exists() and not wait_for_exit(handle, 0.002):
        pass
    os.close(handle)


def _become_kernel(order: Order, spec: RunSpec, file: str) -> NoReturn:
    try:
        die_with_parent()
        forget_kernel()
        fence_run(order, spec)
        set_limits(spec, data_in_use() + (BARE_KERNEL_MB << 20))
        IPKernelApp.launch_instance(["-f", file, "--HistoryManager.enabled=False"])
    finally:
        statuses.leave(statuses.BROKEN)


def _start_kernel(order: Order, spec: RunSpec) -> AsyncKernelManager:
    def confine() -> None:
        die_with_parent()
        fence_run(order, spec)
        set_limits(spec, BARE_KERNEL_MB << 20)

    manager = AsyncKernelManager(kernel_name=spec.kernel, transport="ipc", ip="../kernel")
    run_sync(manager.start_kernel)(preexec_fn=confine)
    return manager


class _Forked:
    """A child process as jupyter_client wants it, which knows those of `subprocess` alone."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _look_again(get_message: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Let whoever waits for an answer of the kernel look whether it is there, now and then.

    jupyter_client sends past asyncio's view of the socket (`Session.send` on a shadow), as nbclient
    does for Output widgets while it waits. An answer that comes just then is announced to nobody,
    for ZeroMQ announces a change once (ZMQ_FD), and the wait would have no end.
    """

    async def get_again(timeout: float | None = None) -> Any:
        while timeout is None:
            with contextlib.suppress(Empty):
                return await get_message(timeout=LOOK_SECONDS)
        return await get_message(timeout=timeout)

    return get_again


class _KernelEnded(Exception):
    """The kernel ended in the middle of a cell."""


class _Confined(Engine):  # type: ignore[misc]  # papermill has no types
    """papermill's engine for a kernel that runs already."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        manager: AsyncKernelManager,
        **_others: Any,
    ) -> None:
        _Client(nb_man, km=manager, kernel_name=kernel_name, shutdown_kernel="immediate").execute()


class _Client(PapermillNotebookClient):  # type: ignore[misc]  # papermill has no types
    async def async_start_new_kernel_client(self) -> Any:
        client = await super().async_start_new_kernel_client()
        client.shell_channel.get_msg = _look_again(client.shell_channel.get_msg)
        return client

    start_new_kernel_client = run_sync(async_start_new_kernel_client)

    def execute_cell(self, cell: Any, cell_index: int, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_cell(cell, cell_index, *args, **options)
        except DeadKernelError:
            self.nb_man.cell_exception(cell, cell_index)
            raise _KernelEnded from None
