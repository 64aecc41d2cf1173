"""How a process that executes a notebook tells its end: exit statuses that nobody else uses.

A status alone proves nothing, for a notebook may end its process with any of them. What counts as
done is done only together with the executed notebook, which is written last.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

ENDED = 80
CELL_FAILED = 81
KERNEL_DIED = 82
OUT_OF_MEMORY = 83
HAND_OVER = 84
BROKEN = 85
MUTE = 86
"""A cell failed and did not say why."""

READY = b"ready"
STALE = b"!"
"""What the fork server says: that it takes orders, and that it would take this one no more."""


def leave(status: int) -> NoReturn:
    """End this process at once; no library's exit handler may hang or write."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    os._exit(status)
