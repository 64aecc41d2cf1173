"""An ipykernel without sockets: what a cell shows goes to a function instead of a wire.

Everything that makes a notebook's outputs (shell, magics, display hooks, formatters, tracebacks,
matplotlib's inline figures) is ipykernel's own, so that they are the same as in a Jupyter kernel.
Left out is what needs sockets or threads; see `HandOver` for those who need that.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session

Sink = Callable[[str, Mapping[str, Any]], None]
"""Takes the name of a channel ("iopub" or "shell") and a message as the wire would give it."""


class WirelessSession(Session):
    """Gives each message to `sink`, packed and unpacked as it would be on its way."""

    sink: Sink

    def send(  # the original's eleven arguments, of which these matter
        self,
        stream: Any,
        msg_or_type: Any,
        content: Any = None,
        parent: Any = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Any = None,
        metadata: Any = None,
    ) -> Any:
        """Deliver one message; see `jupyter_client.session.Session.send` for the arguments."""
        del ident, buffers, track
        if isinstance(msg_or_type, dict):
            message = msg_or_type
        else:
            message = self.msg(msg_or_type, content, parent, header, metadata)
        parts = ("header", "msg_type", "content", "parent_header")
        self.sink(stream, self.unpack(self.pack({name: message[name] for name in parts})))
        return message


class WirelessKernel(IPKernelApp):
    """ipykernel's application as far as it works without a connection."""

    def init_session(self) -> None:
        """Make the session that has no wire."""
        self.session = WirelessSession(parent=self)

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
            iopub_socket="iopub",
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
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


def draw_figures_once(kernel: WirelessKernel) -> None:
    """Spare pyplot's drawing of every figure after a cell, if pyplot is loaded.

    That drawing is for windows; the inline backend draws each figure again for its picture, and
    nobody sees the first. Half of a figure's cost goes with it, and nothing of its picture.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    drawing = getattr(pyplot, "_draw_all_if_interactive", None)
    if pyplot is not None and drawing is not None:
        pyplot.install_repl_displayhook()  # at once, so that it is not done later
        kernel.shell_in_use.events.unregister("post_execute", drawing)


def forget_kernel() -> None:
    """Undo `make_kernel` as far as another kernel of this process would trip over it."""
    for one in (WirelessKernel, IPythonKernel, ZMQInteractiveShell):
        one.clear_instance()
    sys.displayhook = sys.__displayhook__
