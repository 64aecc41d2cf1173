"""Starting JupyterLab on loopback for one analyst, or finding the one that runs.

The server is a process of its own session and outlives the command. Its token stands in files of
mode 0600 alone and in the one address that is printed: in no argument, no environment, no log.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.bench.desk import Desk
from pipelines.bench.jupyter import (
    berth_here,
    build_environment,
    own_folder,
    prepare,
    tell_disk,
    write_config,
)
from pipelines.bench.running import (
    LOOK_SECONDS,
    LOOPBACK,
    Berth,
    Running,
    answers,
    end,
    find_port,
    find_process,
    find_running,
)
from pipelines.cli.plain import harmless
from wardbook.errors import EnvironmentFault
from wardbook.files import write_atomically
from wardbook.messages import Language, say

if TYPE_CHECKING:
    from pipelines.bench.counter import Counter

PORTS = 50
"""How many ports are tried, from the one of the settings on."""

START_SECONDS = 90.0
"""The first start on a cold disk reads several hundred files."""


@dataclass(frozen=True)
class Lab:
    """The server that shows the desk, whether it was `started` now, and the request laid open."""

    running: Running
    started: bool
    path: str = ""
    warnings: tuple[str, ...] = ()


def open_request(desk: Desk, key: str, environment: Mapping[str, str]) -> Lab:
    """Lay a request open on the desk as the panel does, while JupyterLab starts.

    Args:
        desk: where it is laid.
        key: the request's.
        environment: as for `ensure_running`.

    Raises:
        BenchRefusal: there is no such request, it has no template, or its branch is gone.
        EnvironmentFault: as for `ensure_running`; then nothing runs that did not run before.
    """
    with opening(desk) as counter:
        counter.look_up(key)  # before a server is started for it
        with ThreadPoolExecutor(1) as beside:
            starting = beside.submit(ensure_running, desk, environment)
            try:
                opened = counter.lay_open(key)
            except BaseException:
                if starting.exception() is None and starting.result()[1]:
                    end(berth_here(desk))
                raise
            return Lab(*starting.result(), opened.path, opened.warnings)


@contextmanager
def opening(desk: Desk) -> Iterator[Counter]:
    """Yield a counter of the desk for a command.

    Raises:
        EnvironmentFault: the folder cannot be written.
    """
    from pipelines.bench.counter import Counter

    with tell_disk(desk):
        desk.private.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(Counter(desk, desk.folder)) as counter:
            yield counter


def ensure_running(desk: Desk, environment: Mapping[str, str]) -> tuple[Running, bool]:
    """Return this machine's server and whether it was started now.

    Args:
        desk: whose folder the server shows.
        environment: what the server and its kernels find beside our own environment.

    Raises:
        EnvironmentFault: JupyterLab is missing, the folder cannot be written, no port is free, or
            the server died while starting.
    """
    berth = berth_here(desk)
    with tell_disk(desk):
        prepare(desk, berth)
        with only_one(desk):
            running = find_running(berth) or _await_started(berth)
            if running:
                return running, False
            if find_process(berth) is not None:
                raise EnvironmentFault(say(desk.language, "bench.launch_silent"))
            write_config(desk, berth, secrets.token_urlsafe(32))
            first = desk.settings.bench.port
            return start(berth, first, desk.language, environment)[1], True


@contextmanager
def only_one(desk: Desk) -> Iterator[int]:
    """Be the only command that starts a server of this desk; gives the lock's handle."""
    with (own_folder(desk) / "lock").open("w") as lock:
        deadline = time.monotonic() + 2 * START_SECONDS
        while True:
            try:
                fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise EnvironmentFault(say(desk.language, "bench.launch_silent")) from None
                time.sleep(LOOK_SECONDS)
        yield lock.fileno()


def start(
    berth: Berth, first: int, language: Language, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], Running]:
    """Start the berth's server on the first free port from `first` on, and wait until it answers.

    Raises:
        EnvironmentFault: no port is free, the server died, or it does not answer.
    """
    for port in range(first, min(first + PORTS, 65_536)):
        if not _is_free(port):
            continue
        process = _spawn(berth, port, environment)
        running = _await_answer(berth, process)
        if running:
            return process, running
        if process.poll() is None:
            process.kill()
            process.wait()
            raise EnvironmentFault(say(language, "bench.launch_silent"))
        if _is_free(port):  # else somebody was quicker, and the next one is tried
            reason = tell_end(berth)
            raise EnvironmentFault(say(language, "bench.launch_died", reason=reason))
    last = min(first + PORTS, 65_536) - 1
    raise EnvironmentFault(say(language, "bench.launch_no_port", first=first, last=last))


def _spawn(berth: Berth, port: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    own = berth.folder.parent
    handle = os.open(berth.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return subprocess.Popen(
            # -P: no file of the folder in which we stand is taken for a module.
            [sys.executable, "-P", "-m", "jupyterlab", berth.argument, f"--ServerApp.port={port}"],
            env=build_environment(own, berth, environment),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(handle)


def _await_answer(berth: Berth, process: subprocess.Popen[bytes]) -> Running | None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        running = find_port(berth, process.pid)
        if running and answers(running):
            return running
        time.sleep(LOOK_SECONDS)
    return None


def _await_started(berth: Berth) -> Running | None:
    """Wait for a server that a command started which did not live to see it listen."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and find_process(berth) is not None:
        if running := find_running(berth):
            return running
        time.sleep(LOOK_SECONDS)
    return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server does: a port whose connections have just ended is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def tell_end(berth: Berth) -> str:
    """Return the last line of a server's log, fit to be shown."""
    try:
        lines = berth.log.read_text(encoding="utf-8", errors="replace").splitlines()
        token = json.loads(berth.config.read_text(encoding="utf-8"))["IdentityProvider"]["token"]
    except (OSError, ValueError, KeyError):
        return "—"
    said = [line.strip() for line in lines if line.strip()]
    return harmless(said[-1].replace(token, "…"))[:200] if said else "—"


def tell_running(desk: Desk) -> Iterator[str]:
    """Yield a line for each server of this desk, without its token."""
    here = berth_here(desk)
    if running := find_running(here):
        yield say(desk.language, "bench.launch_here", port=running.port, pid=running.pid)
    elif pid := find_process(here):
        yield say(desk.language, "bench.launch_starting", pid=pid)
    for info in sorted(own_folder(desk).glob("on-*/runtime/jpserver-*.json")):
        berth = info.parent.parent
        if berth != here.folder:
            host = berth.name.removeprefix("on-")
            yield say(desk.language, "bench.launch_elsewhere", host=host)
    if desk.settings.executor.kind == "slurm":
        from pipelines.bench.on_slurm import Bench

        yield from Bench(desk).tell()


def open_browser(desk: Desk, url: str) -> None:
    """Open an address in this machine's browser: through a file, for it holds the token."""
    import webbrowser
    from html import escape

    page = berth_here(desk).folder / "open.html"
    refresh = f'<meta http-equiv="refresh" content="0; url={escape(url)}">'
    write_atomically(page, f"<!DOCTYPE html><title>Wardbook</title>{refresh}\n")
    webbrowser.open(page.as_uri())
