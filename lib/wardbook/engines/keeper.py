"""The process beside a notebook's: it ends the notebook with all that it started, and tells how.

    engine ── socket ── keeper ── worker (the notebook) ── whatever the notebook starts

Both are forked ahead of the order that they are for, because a fork of all that is loaded takes
longer than many a cell.

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
from wardbook.engines.confinement import Order
from wardbook.engines.processes import adopt_orphans, die_with_parent, kill_descendants

LONGEST_ORDER = 1 << 20


def stand_by(post: socket.socket, work: Callable[[Order], int]) -> None:
    """Fork a worker, wait for the order that it is for, see it through, leave nothing.

    Args:
        post: from the server. An order comes as one packet with handles of the run's connection,
            lock and log. The connection, which is the engine's, gets a handle of this process, and
            later one line of JSON: `status` (see `statuses`; negative for a signal), `cpu_seconds`
            and `peak_mb`. The lock is let go of before that, and never the worker's.
        work: what the worker does with an order; returns its exit status.
    """
    adopt_orphans()
    bare_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    worker = os.fork()
    if worker == 0:
        die_with_parent()
        post.close()
        ours.close()
        statuses.leave(_work(theirs, work))
    theirs.close()
    handle = os.pidfd_open(worker)
    if handle in _wait(post.fileno(), handle):
        return  # somebody killed it: whoever orders shall find us gone
    packet, handles, _, _ = socket.recv_fds(post, LONGEST_ORDER, 3)
    if not packet:
        return
    given, lock, log = handles
    with socket.socket(fileno=given) as connection:
        socket.send_fds(connection, [b"+"], [os.pidfd_open(os.getpid())])
        socket.send_fds(ours, [packet], [log])
        killed_before = _count_killed()
        _print_to(log)
        spec = RunSpec.read(Order.parse(packet).folder)
        status = _end(connection, worker, handle)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        # A fork begins with the pages of its parent in its account, another program does not.
        peak_mb = max(0, used.ru_maxrss - (bare_kb if spec.kernel == "python3" else 0)) >> 10
        if status not in (statuses.ENDED, statuses.CELL_FAILED, statuses.HAND_OVER):
            killed = status == -signal.SIGKILL and _count_killed() > killed_before
            # Whoever is refused memory may end in any way: a library's signal, an exit of Python.
            if killed or peak_mb > 0.8 * spec.memory_mb:
                status = statuses.OUT_OF_MEMORY
        os.close(lock)
        told = {
            "status": status,
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 3),
            "peak_mb": peak_mb,
        }
        with contextlib.suppress(OSError):  # the engine may be gone
            connection.sendall(json.dumps(told).encode() + b"\n")


def _work(post: socket.socket, work: Callable[[Order], int]) -> int:
    with post:
        packet, handles, _, _ = socket.recv_fds(post, LONGEST_ORDER, 1)
    if not packet:
        return statuses.ENDED
    (log,) = handles
    _print_to(log)
    try:
        return work(Order.parse(packet))
    except BaseException:
        # The work may have led the standard handles elsewhere.
        os.write(log, traceback.format_exc().encode("utf-8", "replace"))
        return statuses.BROKEN


def _print_to(log: int) -> None:
    for standard in (1, 2):
        os.dup2(log, standard)


def _end(connection: socket.socket, worker: int, handle: int) -> int:
    """Wait until the worker ends or the engine hangs up, end all, return the worker's status."""
    if handle not in _wait(connection.fileno(), handle):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    kill_descendants()
    return status


def _wait(*handles: int) -> set[int]:
    """Wait until one of the handles can be read or is closed at its other end; return those."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN | select.POLLHUP)
    return {handle for handle, _ in poll.poll()}


def _count_killed() -> int:
    """Return how many processes Linux has killed for want of memory since it started."""
    for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill":
            return int(count)
    return 0
