"""The process beside a notebook's: it ends the notebook with all that it started, and tells how.

    engine ── socket ── keeper ── worker (the notebook) ── whatever the notebook starts

When the engine closes the socket, or dies, or the worker ends, the keeper kills every descendant
and tells the worker's status and what was used. It adopts orphans, so nothing escapes it, whatever
session or group it moves to; the worker dies with it. So a run leaves no process behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

from wardbook.domain.run import RunSpec
from wardbook.engines import statuses
from wardbook.engines.processes import adopt_orphans, die_with_parent, kill_descendants


def keep(connection: socket.socket, work: Callable[[], int], spec: RunSpec) -> None:
    """Call `work` in a process of its own, wait for its end, tell the engine, leave nothing.

    Args:
        connection: to the engine; it gets a handle of this process, and later one line of JSON:
            `status` (see `statuses`; negative for a signal), `cpu_seconds` and `peak_mb`.
        work: what the worker does; returns its exit status.
        spec: the run's, to tell an end for want of memory from others.
    """
    adopt_orphans()
    killed_before = _count_killed()
    socket.send_fds(connection, [b"+"], [os.pidfd_open(os.getpid())])
    # A fork begins with the pages of its parent in its account, another program does not.
    forked = spec.kernel == "python3"
    bare_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if forked else 0
    worker = os.fork()
    if worker == 0:
        die_with_parent()
        connection.close()
        statuses.leave(_work(work))
    status = _wait(connection, worker)
    kill_descendants()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_mb = max(0, used.ru_maxrss - bare_kb) >> 10
    if status not in (statuses.ENDED, statuses.CELL_FAILED, statuses.HAND_OVER):
        killed = status == -signal.SIGKILL and _count_killed() > killed_before
        # Whoever is refused memory may end in any way: a signal from a library, an exit of Python.
        if killed or peak_mb > 0.8 * spec.memory_mb:
            status = statuses.OUT_OF_MEMORY
    told = {
        "status": status,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
        "peak_mb": peak_mb,
    }
    with contextlib.suppress(OSError):  # the engine may be gone
        connection.sendall(json.dumps(told).encode() + b"\n")


def _work(work: Callable[[], int]) -> int:
    log = os.dup(2)  # the work will lead the standard handles elsewhere
    try:
        return work()
    except BaseException:
        os.write(log, traceback.format_exc().encode("utf-8", "replace"))
        return statuses.BROKEN


def _wait(connection: socket.socket, worker: int) -> int:
    """Wait until the worker ends or the engine hangs up, and end the worker; return its status."""
    handle = os.pidfd_open(worker)
    poll = select.poll()
    poll.register(connection, select.POLLIN | select.POLLHUP)
    poll.register(handle, select.POLLIN)
    ready = {descriptor for descriptor, _ in poll.poll()}
    if handle not in ready:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])


def _count_killed() -> int:
    """Return how many processes Linux has killed for want of memory since it started."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0
