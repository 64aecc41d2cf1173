"""What a notebook's process prints, as messages of the Jupyter protocol, without a thread.

Two ways lead to a cell's stream: Python's own `sys.stdout` and `sys.stderr`, and the file handles 1
and 2, to which subprocesses and C libraries write. The handles lead to a file without a name; it
is read on whenever Python itself writes or flushes, so that both ways keep their order.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from threading import Thread, current_thread
from typing import Any

from jupyter_client.session import Session

from wardbook.engines import statuses
from wardbook.engines.statuses import leave

_BLOCK = 1 << 20
_STARTED_BY = "_wardbook_started_by"


class CapturedStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a notebook: what is written becomes `stream` messages.

    Text is kept until it is flushed, as ipykernel does, so that a thousand prints are one message.
    Each text belongs to the cell that its writer was started by.
    """

    encoding = "UTF-8"

    def __init__(
        self, session: Session, channel: Any, name: str, handle: int, folder: Path
    ) -> None:
        self.name = name
        self._session, self._channel = session, channel
        self._owner = os.getpid()
        self._kept: list[tuple[Mapping[str, Any], str]] = []
        self._parent: ContextVar[Mapping[str, Any]] = ContextVar(f"parent of {name}")
        self.latest: Mapping[str, Any] = {}
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._read_to = 0
        # What was the handle before stays the answer of `fileno`, as in ipykernel: a subprocess
        # that is given `sys.stdout` writes to the log, not into the notebook.
        self._log = os.dup(handle)
        file, name_of_file = tempfile.mkstemp(dir=folder)
        os.close(file)
        self._written = os.open(name_of_file, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        Path(name_of_file).unlink()
        os.dup2(self._written, handle)

    def fileno(self) -> int:
        """Return the handle of the run's log."""
        return self._log

    def isatty(self) -> bool:
        """Return False: nobody sits before it."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def set_parent(self, parent: Mapping[str, Any]) -> None:
        """From now on the present thread, and those it starts, write for this request's cell."""
        self.latest = parent["header"]
        self._parent.set(self.latest)

    def _find_parent(self) -> Mapping[str, Any]:
        """Return the cell that the present task, or the present thread, was started by."""
        started_by = getattr(current_thread(), _STARTED_BY, self.latest)
        return self._parent.get(started_by)

    def write(self, text: str) -> int:
        """Keep the text for the next flush; returns the number of characters."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._owner:  # a child that was forked by a cell: its memory is its own
            os.write(self._written, text.encode("utf-8", "replace"))
            return len(text)
        self._take_written()
        self._kept.append((self._find_parent(), text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        """Write each line as it is."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Send what is kept: one message for each cell that it belongs to."""
        if os.getpid() != self._owner:
            return
        self._take_written()
        kept, self._kept = self._kept, []
        while kept:
            parent = kept[0][0]
            text = "".join(part for of, part in kept if of is parent)
            kept = [(of, part) for of, part in kept if of is not parent]
            if text:
                content = {"name": self.name, "text": text}
                try:
                    self._session.send(self._channel, "stream", content, {"header": parent})
                except UnicodeEncodeError:  # what ipykernel does then is its own affair
                    leave(statuses.HAND_OVER)

    def _take_written(self) -> None:
        """Take over what was written to the handle itself since the last look."""
        if os.fstat(self._written).st_size == self._read_to:
            return
        while block := os.pread(self._written, _BLOCK, self._read_to):
            self._read_to += len(block)
            self._kept.append((self.latest, self._decode(block)))


def capture_streams(session: Session, channel: Any, folder: Path) -> None:
    """Make both standard streams of this process a notebook's; temporary files go to `folder`."""
    sys.stdout.flush()
    sys.stderr.flush()
    streams = (
        CapturedStream(session, channel, "stdout", 1, folder),
        CapturedStream(session, channel, "stderr", 2, folder),
    )
    sys.stdout, sys.stderr = streams
    start = Thread.start

    def start_for_its_cell(thread: Thread) -> None:
        setattr(thread, _STARTED_BY, streams[0].latest)
        start(thread)

    Thread.start = start_for_its_cell  # type: ignore[method-assign, assignment]  # as ipykernel does
