"""The terminal: as wide as it is; wide enough for our tables where output goes to a file."""

from __future__ import annotations

import sys

from rich.console import Console

_FILE_WIDTH = 170


def open_console(*, stderr: bool = False) -> Console:
    """Return a console on standard output, or on standard error."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _FILE_WIDTH)
