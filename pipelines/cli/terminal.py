"""The terminal: its width, and signs of life while something takes long."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment

from pipelines.cli.plain import harmless

_FILE_WIDTH = 170


class _Console(Console):
    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is shown; only rich's own styles reach the terminal as codes."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))


def open_console(*, stderr: bool = False) -> Console:
    """Return a console; wide enough for our tables where output goes to a file."""
    stream = sys.stderr if stderr else sys.stdout
    return _Console(stderr=stderr, width=None if stream.isatty() else _FILE_WIDTH)


def catch_stop() -> threading.Event:
    """Return an event that SIGTERM and Ctrl-C set from now on, in the place of ending us."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def wait_for_stop(stop: threading.Event) -> None:
    """Wait until `stop` is set."""
    # Timed: a signal that the system hands to another thread does not wake this one.
    while not stop.wait(0.5):
        pass


@contextmanager
def working(doing: str) -> Iterator[None]:
    """Show what is being done, and for how long already, on standard error.

    On a terminal a moving line that vanishes at the end; elsewhere one line at the start.
    """
    if not sys.stderr.isatty():
        print(f"{doing} …", file=sys.stderr, flush=True)
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(doing, total=None)
        yield
