"""Every request that the two servers answered (or were made not to answer), in order.

One JSON line per request, appended in one write: it outlives the process, and another process
reads it at `/_sandbox/journal`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class JournalEntry:
    """One request. `status` is 0 when the connection was cut; `wrote`: the state was changed."""

    server: str
    method: str
    path: str
    query: str
    account: str | None
    status: int
    wrote: bool
    fault: str | None


class Journal:
    """The list of requests; iterate over it, take its length, clear it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def append(self, entry: JournalEntry) -> None:
        """Add one request."""
        line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
        with self._lock, self._path.open("ab") as file:
            file.write(line.encode())

    def entries(self) -> list[JournalEntry]:
        """Return all requests; a last line that a kill cut short is left out."""
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().split(b"\n")[:-1]
        return [JournalEntry(**json.loads(line)) for line in lines]

    def writes(self, server: str | None = None) -> list[JournalEntry]:
        """Return the requests that changed something, those of one server when it is named."""
        return [e for e in self.entries() if e.wrote and server in (None, e.server)]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._path.unlink(missing_ok=True)

    def __iter__(self) -> Iterator[JournalEntry]:
        return iter(self.entries())

    def __len__(self) -> int:
        return len(self.entries())
