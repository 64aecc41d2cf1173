"""Which bytes a data source holds now, without reading them again while nobody touched the file.

A file whose signature (size, times, inode, device) is the one under which it was hashed holds the
bytes that were hashed. The trap is known from git as *racily clean*: a file that changes again
within the same tick of its file system's clock keeps its signature. So a digest is trusted only if
it was taken later than any change that could carry the same tick; until then the file is read
again. That is decided on the time of the last change of content or attributes (ctime), which
nobody can set back; `os.utime` can restore an old mtime, not it.

Limits: the file system's clock must not be behind ours by more than `TICK_NS` between two writes of
one tick (a file server far out of step), and a source is one file, not yet a folder.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock

from wardbook.files import hash_file, write_atomically

TICK_NS = 2_000_000_000
"""The coarsest clock of a file system in use (FAT's two seconds), in nanoseconds."""


@dataclass(frozen=True)
class Signature:
    """What the file system says about a file without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path) -> Signature:
        """Ask the file system.

        Raises:
            OSError: the file is not there, or may not be looked at.
        """
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


@dataclass(frozen=True)
class Hashed:
    """A digest, the signature under which it was taken, and when (nanoseconds since 1970)."""

    signature: Signature
    sha256: str
    at_ns: int

    def holds(self, signature: Signature) -> bool:
        """Tell whether a file with this signature holds the bytes that were hashed, for certain."""
        return self.signature == signature and signature.ctime_ns + TICK_NS < self.at_ns


class DataVersions:
    """The digests of data sources, kept in one file for all processes; safe for threads.

    Two processes that write at once lose an entry at worst: that file is read once more.
    """

    def __init__(self, file: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._file = file
        self._clock = clock
        self._lock = Lock()
        self._known = _read(file)

    def look(self, path: Path) -> tuple[Signature, str]:
        """Return a file's signature and the SHA-256 of its bytes, reading it only when it must.

        Raises:
            OSError: the file is not there, is no file, or cannot be read.
        """
        with self._lock:  # the second who asks waits for the first's digest
            signature = Signature.of(path)
            known = self._known.get(str(path))
            if known is None or not known.holds(signature):
                known = self._hash(path)
            return known.signature, known.sha256

    def _hash(self, path: Path) -> Hashed:
        while True:
            at, before = self._clock(), Signature.of(path)
            digest = hash_file(path)
            if Signature.of(path) == before:  # else it was written to meanwhile
                break
        hashed = Hashed(before, digest, at)
        self._known = _read(self._file) | self._known | {str(path): hashed}
        kept = {name: [*astuple(h.signature), h.sha256, h.at_ns] for name, h in self._known.items()}
        with suppress(OSError):  # not kept, it is read again the next time: no harm
            write_atomically(self._file, json.dumps(kept, indent=0))
        return hashed


def _read(file: Path) -> dict[str, Hashed]:
    try:
        raw = json.loads(file.read_bytes())
        return {
            name: Hashed(Signature(*map(int, numbers)), str(digest), int(at))
            for name, (*numbers, digest, at) in raw.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError):
        return {}  # damaged: it is only a memory, and is made again
