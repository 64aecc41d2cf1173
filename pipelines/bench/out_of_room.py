"""A disk that is full, told in one sentence; what the analyst wrote stays as it was."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.bench.desk import BenchRefusal, Desk
from wardbook.messages import say

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_IN_A_LOG = (b"No space left on device", b"Disk quota exceeded", b"File too large")
"""What the system says of the same, wherever Python, R or a library repeats it."""


@contextmanager
def telling_no_room(desk: Desk) -> Iterator[None]:
    """Tell the analyst of what cannot be written.

    Raises:
        BenchRefusal: for every OSError; one without room has a sentence of its own.
    """
    try:
        yield
    except OSError as error:
        raise BenchRefusal(tell_error(desk, error)) from None


def tell_error(desk: Desk, error: OSError) -> str:
    """Return the sentence for an error of the file system."""
    if error.errno in _NO_ROOM:
        return tell_no_room(desk)
    reason = error.strerror or type(error).__name__
    return say(desk.language, "bench.trial_not_written", folder=desk.private, reason=reason)


def tell_no_room(desk: Desk) -> str:
    """Return the sentence for a full disk."""
    return say(desk.language, "bench.trial_disk_full", folder=desk.private)


def ran_out_of_room(run: Path) -> bool:
    """Tell whether a failed run met a full disk, by what it left; values of data are not read."""
    for name in ("log.txt", "executed.ipynb"):
        try:
            content = (run / name).read_bytes()
        except OSError:
            continue
        if any(words in content for words in _IN_A_LOG):
            return True
    return False
