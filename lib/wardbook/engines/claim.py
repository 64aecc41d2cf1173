"""Who is executing a run: a lock on its folder, which the kernel releases when the holder dies.

The lock is shared with the process that watches over the notebook's and ends it, so it stands until
all are gone: whoever gets it may empty the folder. The notebook's own process does not hold it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def is_claimed(folder: Path) -> bool:
    """Tell whether some process is executing the run."""
    try:
        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def ask_to_cancel(folder: Path) -> None:
    """Leave the wish that this run ends; its engine reads it within a second, also before start."""
    (folder / CANCEL).touch()


def is_cancelled(folder: Path) -> bool:
    """Tell whether somebody wished that this run ends."""
    return (folder / CANCEL).exists()
