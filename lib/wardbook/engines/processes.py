"""Processes that end with the one that started them (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
from pathlib import Path

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
    """Kill and reap every descendant of this process, which must have called `adopt_orphans`.

    Only children are looked for: those of an ended child are this process's children next.
    """
    while children := _find_children():
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _find_children() -> list[int]:
    lists = Path("/proc/self/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text(encoding="ascii").split()]


def wait_for_exit(handle: int, seconds: float) -> bool:
    """Wait for the process of a pidfd at most `seconds`; tell whether it has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
