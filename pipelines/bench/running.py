"""The bench's JupyterLab on this machine: where its own files lie, and whether it runs.

    FOLDER/.bench/jupyter/config, data, ipython    the analyst's settings of JupyterLab, for all
    FOLDER/.bench/jupyter/HOST/config.json         the server's settings and its token, mode 0600
    FOLDER/.bench/jupyter/HOST/log, runtime/       what it says, and where it listens

A server is found by its process, which names its settings, never by a number alone: the token goes
to nobody else, whatever program has the number or the port by now.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

LOOPBACK = "127.0.0.1"
ANSWER_SECONDS = 5.0
END_SECONDS = 15.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Berth:
    """Where the files of one server lie; `folder` is its own, readable by the analyst alone."""

    folder: Path

    @property
    def config(self) -> Path:
        """The server's settings, with its token."""
        return self.folder / "config.json"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "log"

    @property
    def runtime(self) -> Path:
        """Where the server writes on which port it listens."""
        return self.folder / "runtime"

    @property
    def argument(self) -> str:
        """By which a process is known to be this berth's server."""
        return f"--config={self.config}"

    def lay_out(self) -> None:
        """Make the folders, closed to everybody else."""
        self.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)

    def clear(self) -> None:
        """Remove what a server that has ended left."""
        shutil.rmtree(self.runtime, ignore_errors=True)


@dataclass(frozen=True)
class Running:
    """A server that listens on this machine's loopback; `token` is its key."""

    pid: int
    port: int
    token: str

    def url(self, path: str = "") -> str:
        """Return where a browser opens a file of the bench, the token with it."""
        return make_url(self.port, self.token, path)


def make_url(port: int, token: str, path: str = "") -> str:
    """Return where a browser opens `path`, counted from the bench's folder."""
    tree = f"/tree/{quote(path)}" if path else ""
    return f"http://{LOOPBACK}:{port}/lab{tree}?token={token}"


def find_process(berth: Berth) -> int | None:
    """Return the process of a berth's server, whether it listens already or not."""
    found = {pid: _parent_of(pid) for pid in _own_processes() if _is_server(pid, berth)}
    # What it starts bears its arguments for a moment.
    return next((pid for pid, parent in sorted(found.items()) if parent not in found), None)


def _own_processes() -> Iterator[int]:
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with suppress(OSError):
                if entry.stat().st_uid == os.geteuid():
                    yield int(entry.name)


def _is_server(pid: int, berth: Berth) -> bool:
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # it has ended meanwhile
    return os.fsencode(berth.argument) in said and b"jupyterlab" in said


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def find_port(berth: Berth, pid: int) -> Running | None:
    """Return the server of this process, or None where it does not listen yet."""
    try:
        said = json.loads((berth.runtime / f"jpserver-{pid}.json").read_text(encoding="utf-8"))
        return Running(pid, int(said["port"]), str(said["token"]))
    except (OSError, ValueError, KeyError):
        return None  # not written, or not to its end


def answers(running: Running) -> bool:
    """Tell whether the server answers, and takes its token."""
    connection = HTTPConnection(LOOPBACK, running.port, timeout=ANSWER_SECONDS)
    try:
        authorized = {"Authorization": f"token {running.token}"}
        connection.request("GET", "/api/status", headers=authorized)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def find_running(berth: Berth) -> Running | None:
    """Return the berth's server where one runs and answers; clears what a dead one left."""
    pid = find_process(berth)
    if pid is None:
        berth.clear()
        return None
    running = find_port(berth, pid)
    return running if running and answers(running) else None


def end(berth: Berth) -> bool:
    """End the berth's server, if it has one, with its kernels; tells whether there was one."""
    pid = find_process(berth)
    if pid is None:
        berth.clear()
        return False
    for number, seconds in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, END_SECONDS)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _is_server(pid, berth):
                berth.clear()
                return True
            time.sleep(LOOK_SECONDS)
    return True
