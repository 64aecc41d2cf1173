"""The fork server: a warm Python from which each run's process is forked.

`python -m wardbook.engines.server HANDLE MODULE…` is started by `warm_engine.py` with one end of a
socket pair. It loads what notebooks use, once; then it forks a keeper for each order, one ahead of
them (see `keeper.py`). It opens no thread, executes nothing of a run, and is connected only to who
orders and to the waiting keeper: a child is as clean as a fresh interpreter. It ends when the other
end of the socket is closed.

An order comes as one packet: JSON, with three handles: the run's connection, lock and log. An order
that comes after the loaded files have changed, or the server has grown, is answered with `STALE`,
and the server ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from wardbook.domain.run import RunSpec
from wardbook.engines.folding import rehearse
from wardbook.engines.keeper import LONGEST_ORDER, stand_by
from wardbook.engines.scratch import THREAD_COUNTS, copy_fonts
from wardbook.engines.shell import (
    WirelessKernel,
    draw_figures_once,
    make_kernel,
    rehearse_cells,
)
from wardbook.engines.statuses import READY, STALE
from wardbook.engines.worker import work

GROWTH_MB = 256
"""How much the server may grow after it has loaded everything."""

LOOK_SECONDS = 1.0
"""How often the files of the loaded modules are looked at, at most."""


def main(handle: int, modules: Sequence[str]) -> NoReturn:
    """Load, tell that we are ready, and serve until the other side is gone."""
    del sys.path[0]  # the folder that we were started in: nobody's modules
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are nobody's to wait for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us decides when we end
    control = socket.socket(fileno=handle)
    with tempfile.TemporaryDirectory(prefix="wardbook-") as folder:
        _serve(control, Path(folder), modules)
    os._exit(0)


def _serve(control: socket.socket, folder: Path, modules: Sequence[str]) -> None:
    _move_in(folder)
    kernel = make_kernel()
    with kernel.shell_in_use.builtin_trap:  # pandas chooses its options by asking for the shell
        _load(modules)
    draw_figures_once()
    rehearse(folder)
    rehearse_cells(kernel)
    signature = _Signature()
    gc.collect()
    gc.disable()
    gc.freeze()  # what is here now is never looked at again, so children share its pages
    limit = _resident_mb() + GROWTH_MB
    control.send(READY)
    spare = None
    while True:
        spare = spare or _Spare(control, kernel)
        order, handles, _, _ = socket.recv_fds(control, LONGEST_ORDER, 3)
        if not order or signature.is_stale() or _resident_mb() > limit:
            spare.dismiss()
            if order:
                socket.socket(fileno=handles[0]).send(STALE)
            return
        spare.take(order, handles)
        for one in handles:
            os.close(one)
        spare = None


class _Spare:
    """A run's processes, forked and waiting for the order that they will be for."""

    def __init__(self, control: socket.socket, kernel: WirelessKernel) -> None:
        self._post, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._keeper = os.fork()
        if self._keeper == 0:
            control.close()
            self._post.close()
            _become_keeper(theirs, kernel)
        theirs.close()

    def take(self, order: bytes, handles: Sequence[int]) -> None:
        """Hand over an order, once; who is gone drops it, and whoever gave it sees that."""
        with self._post, contextlib.suppress(OSError):
            socket.send_fds(self._post, [order], handles)

    def dismiss(self) -> None:
        """End the processes."""
        self._post.close()
        with contextlib.suppress(ChildProcessError):  # nobody's to wait for, and yet awaited
            os.waitpid(self._keeper, 0)


def _become_keeper(post: socket.socket, kernel: WirelessKernel) -> NoReturn:
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        stand_by(post, lambda order: work(order, RunSpec.read(order.folder), kernel))
        status = 0
    finally:
        os._exit(status)


def _move_in(folder: Path) -> None:
    """Give the libraries a place of our own for what they keep, and tell them where they are."""
    caches = Path(os.environ.pop("XDG_CACHE_HOME"))
    for name in ("ipython", "matplotlib"):
        (folder / name).mkdir()
    copy_fonts(caches, folder / "matplotlib")
    os.environ |= {
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        # One thread of BLAS until a child asks for more: no pool may exist before a fork.
        **dict.fromkeys(THREAD_COUNTS, "1"),
    }


def _load(modules: Sequence[str]) -> None:
    for module in modules:
        importlib.import_module(module)
    if "pandas" in sys.modules:
        # The first grouping and the first figure load and build what every later one uses.
        import pandas as pd

        frame = pd.DataFrame({"of": ["a", "b", "a"], "n": [1, 2, 3]})
        sums = frame.groupby("of")["n"].sum().to_frame()
        str(sums)
        sums.to_html()
    if "matplotlib" in sys.modules:
        # Not through pyplot: its first use in a child is what switches inline figures on.
        import io

        from matplotlib.figure import Figure

        figure = Figure()
        figure.subplots().plot([1, 2], label="x")
        figure.savefig(io.BytesIO(), format="png")


class _Signature:
    """The files of the loaded modules, as they were when they were loaded.

    Installers replace the files of libraries and do not write into them, so there the folders tell
    a change: far fewer places to look at.
    """

    def __init__(self) -> None:
        libraries = tuple(
            f"{sysconfig.get_path(name)}/" for name in ("stdlib", "purelib", "platlib")
        )
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        self._paths = sorted(
            {
                str(Path(file).parent) if file.startswith(libraries) else file
                for file in filter(None, files)
            }
        )
        self._known = self._look()
        self._next = time.monotonic() + LOOK_SECONDS

    def is_stale(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + LOOK_SECONDS
        return self._look() != self._known

    def _look(self) -> list[tuple[int, int] | None]:
        return [_stat(path) for path in self._paths]


def _stat(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # hundreds of them: no object for each
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _resident_mb() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") >> 20


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
