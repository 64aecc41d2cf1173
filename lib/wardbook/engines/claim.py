"""Who is executing a run: a lock on its folder, which the kernel releases when the holder dies.

The lock is shared with the process that watches over the notebook's and ends it, so it stands until
all are gone: whoever gets it may empty the folder. The notebook's own process does not hold it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOCK = "lock"
CANCEL = "cancel"


@contextmanager
def claim(folder: Path) -> Iterator[int]:
    """Hold the run's lock, waiting for it if need be; gives its handle for a child to inherit."""
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


@contextmanager
def claim_if_free(folder: Path) -> Iterator[bool]:
    """Hold the run's lock if nobody else does; tells whether it is held now."""
    with (folder / LOCK).open("a") as lock:
        # Who looks (`is_claimed`) shares the lock for an instant: that is nobody's claim.
        while not (mine := _try(lock, fcntl.LOCK_EX)) and _try(lock, fcntl.LOCK_SH):
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield mine


def is_claimed(folder: Path) -> bool:
    """Tell whether some process is executing the run."""
    try:
        with (folder / LOCK).open() as lock:
            return not _try(lock, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _try(lock: IO[str], how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ask_to_cancel(folder: Path) -> None:
    """Leave the wish that this run ends; its engine reads it within a second, also before start."""
    (folder / CANCEL).touch()


def is_cancelled(folder: Path) -> bool:
    """Tell whether somebody wished that this run ends."""
    return (folder / CANCEL).exists()
