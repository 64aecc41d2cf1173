"""Our end of the fork server (`server.py`): start it, hand it orders, end it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from wardbook.engines import statuses
from wardbook.engines.confinement import Order

START_SECONDS = 120.0


_SERVER = "wardbook.engines.server"
"""Named and not imported: it loads what this process has no use for."""


class ServerBroken(Exception):
    """The server could not start; `log` is what it printed."""

    def __init__(self, log: bytes) -> None:
        super().__init__("the environment cannot be loaded")
        self.log = log


class Keeper:
    """A run under way: our end of its keeper's connection (see `keeper.py`)."""

    def __init__(self, connection: socket.socket, handle: int) -> None:
        self.connection = connection
        self.handle = handle

    def hang_up(self) -> None:
        """Let the keeper end the run; it still tells how."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Let go of both handles."""
        self.connection.close()
        os.close(self.handle)


class ForkServer:
    """A warm Python of this environment, for one thread at a time; see `server.py`."""

    def __init__(self, environment: Mapping[str, str], modules: Sequence[str]) -> None:
        self._environment, self._modules = dict(environment), tuple(modules)
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, order: Order, lock: int, log: int) -> Keeper:
        """Start a run's processes; they hold `lock` and print to `log`.

        Raises:
            ServerBroken: there is no server and none can be started.
        """
        while True:
            control = self._control or self._start()
            keeper = _order(control, order, lock, log)
            if keeper is not None:
                return keeper
            # Its files have changed, it has grown, or it was killed: the next is like new. Runs
            # that it has started go on, for they do not need it.
            self.close()

    def close(self) -> None:
        """End the server; runs that it has started go on."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", _SERVER),
                    *(str(theirs.fileno()), *self._modules),
                ],
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
            theirs.close()
            ours.settimeout(START_SECONDS)
            try:
                ready = ours.recv(64)
            except OSError:
                ready = b""
            if ready != statuses.READY:
                ours.close()
                self._process.kill()
                self._process.wait()
                log.seek(0)
                raise ServerBroken(log.read())
        ours.settimeout(None)
        self._control = ours
        return ours


def _order(control: socket.socket, order: Order, lock: int, log: int) -> Keeper | None:
    """Give an order; None if the server cannot take it."""
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            socket.send_fds(control, [order.format()], [theirs.fileno(), lock, log])
        answer, handles, _, _ = socket.recv_fds(ours, 1, 1)
    except OSError:
        answer, handles = b"", []
    if not answer or answer == statuses.STALE:
        ours.close()
        return None
    return Keeper(ours, handles[0])


def find_caches() -> Path:
    """Return where this user's programs keep what they can make again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
