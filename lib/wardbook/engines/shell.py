"""An ipykernel without sockets: what a cell shows goes to a function instead of a wire.

Everything that makes a notebook's outputs (shell, magics, display hooks, formatters, tracebacks,
matplotlib's inline figures) is ipykernel's own, so that they are the same as in a Jupyter kernel.
Left out is what needs sockets or threads: who needs that is handed over (`statuses.HAND_OVER`).
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import main_thread
from types import SimpleNamespace
from typing import Any, cast

import nbformat
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import Session

Sink = Callable[[str, Mapping[str, Any]], None]
"""Takes the name of a channel ("iopub" or "shell") and a message as the wire would give it."""

REHEARSALS = 16


class _Wire:
    """One channel, as far as a session needs a socket: what is sent is unpacked for `sink`."""

    def __init__(self, name: str, kernel: WirelessKernel) -> None:
        self._name, self._kernel = name, kernel

    def send_multipart(self, frames: Sequence[bytes], **_: object) -> None:
        session = self._kernel.session
        _, parts = session.feed_identities(list(frames), copy=True)
        self._kernel.sink(self._name, session.deserialize(parts))


class WirelessKernel(IPKernelApp):
    """ipykernel's application as far as it works without a connection."""

    sink: Sink

    def init_session(self) -> None:
        """Make a session that signs nothing: what it sends goes nowhere."""
        self.session = Session(parent=self, key=b"", username="username")
        self.iopub, self.shell_channel = _Wire("iopub", self), _Wire("shell", self)

    def init_sockets(self) -> None:
        """Open none; keep tornado's words out of the notebook, as the original does here."""
        self.configure_tornado_logger()  # type: ignore[no-untyped-call]

    def init_io(self) -> None:
        """Leave the streams alone: a child captures them when it has its own."""
        self.patch_io()  # type: ignore[no-untyped-call]

    def init_kernel(self) -> None:
        """Make the kernel and its shell."""
        self.kernel = IPythonKernel.instance(
            parent=self,
            session=self.session,
            iopub_socket=self.iopub,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
            # Cells are executed by this thread, and by it alone.
            shell_channel_thread=SimpleNamespace(parent_thread=main_thread()),
            # The pause after each cell is for a wire: here its outputs have arrived.
            _execute_sleep=0.0,
        )

    def _nothing(self, **_: Any) -> None:
        """What the original does here is about connections."""

    init_connection_file = _nothing
    init_poller = _nothing
    init_heartbeat = _nothing
    write_connection_file = _nothing
    log_connection_info = _nothing

    @property
    def shell_in_use(self) -> ZMQInteractiveShell:
        """The shell, once the application is initialised."""
        return cast(ZMQInteractiveShell, self.kernel.shell)


def make_kernel() -> WirelessKernel:
    """Make this process's kernel; its shell is there from now on, so `get_ipython()` finds it."""
    kernel = WirelessKernel.instance()
    kernel.init_session()
    kernel.initialize(["--HistoryManager.enabled=False"])  # type: ignore[no-untyped-call]
    return kernel


def wake_kernel(kernel: WirelessKernel, folder: Path, arguments: Sequence[str]) -> None:
    """Make a kernel that was forked this process's own.

    Args:
        kernel: made by the process that forked this one.
        folder: where IPython keeps what it writes.
        arguments: what `sys.argv` shall be.
    """
    kernel.session.pid = os.getpid()  # or it would refuse to send
    shell = kernel.shell_in_use
    shell.init_environment()  # type: ignore[no-untyped-call]
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    shell.ipython_dir, shell.home_dir = str(folder), str(Path.home())
    shell.user_ns["_dh"][:] = [Path.cwd()]
    profile = ProfileDir(location=str(folder / "profile_default"))
    shell.init_profile_dir(profile)  # type: ignore[no-untyped-call]
    # A loop that goes on: `exit` ends a kernel, but not before its notebook is through.
    shell.unobserve_all("exit_now")
    sys.argv = list(arguments)


def draw_figures_once() -> None:
    """Spare pyplot's drawing of every figure after a cell, if pyplot is loaded.

    That drawing is for windows; the inline backend draws each figure again for its picture, and
    nobody sees the first. Half of a figure's cost goes with it, and nothing of its picture.
    """
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if hasattr(pyplot, "_REPL_DISPLAYHOOK") and hasattr(pyplot, "_ReplDisplayHook"):
        pyplot._REPL_DISPLAYHOOK = pyplot._ReplDisplayHook.IPYTHON  # as if it were there already


def rehearse_cells(kernel: WirelessKernel) -> None:
    """Execute cells that leave no trace, so that the first real one is as quick as later ones.

    Python makes code quicker that has run some times (PEP 659), and a fork inherits that.
    """
    kernel.sink = lambda _, message: nbformat.v4.output_from_msg(message)
    shell = kernel.shell_in_use
    for _ in range(REHEARSALS):
        shell.run_cell("display(0)", store_history=False)  # type: ignore[no-untyped-call]
    shell.last_execution_result = None
    del kernel.sink
    # What the shell and its event loop would load for the first cell.
    for module in ("IPython.core.logger", "IPython.core.pylabtools", "tornado.platform.asyncio"):
        importlib.import_module(module)


def forget_kernel() -> None:
    """Undo `make_kernel` as far as another kernel of this process would trip over it."""
    for one in (WirelessKernel, IPythonKernel, ZMQInteractiveShell):
        one.clear_instance()
    sys.displayhook = sys.__displayhook__
