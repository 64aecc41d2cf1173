"""Processes that end with the one that started them (Linux)."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (prctl(2), child subreaper)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends (prctl(2), parent death signal)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def kill_descendants() -> None:
    """Kill every descendant of this process; needs `adopt_orphans` to find detached ones."""
    import psutil

    me = psutil.Process()
    while descendants := me.children(recursive=True):
        for process in descendants:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        # Ended children must be reaped to leave the list; grandchildren become children.
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def end_at_hangup(handle: int, end: Callable[[], None]) -> None:
    """Call `end` in a thread as soon as the other side of the pipe `handle` is closed.

    The other side is closed by the parent's wish or, by the kernel, at its death.
    """

    def wait() -> None:
        os.read(handle, 1)
        end()

    threading.Thread(target=wait, daemon=True, name="end at hangup").start()


def wait_for_exit(handle: int, seconds: float) -> bool:
    """Wait for the process of a pidfd at most `seconds`; tell whether it has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
