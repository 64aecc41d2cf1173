"""Private folders for GnuPG's sockets and throwaway key rings, none of which stays for ever.

A folder is locked as long as its owner lives; a killed process leaves it unlocked, and the next one
that starts removes it. No plaintext is ever in one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wardbook.errors import EnvironmentFault

PREFIX = "wb-gpg-"
_LONGEST_SOCKET = len(f"/{PREFIX}12345678/S.gpg-agent.browser")
_SOCKET_PATH_LIMIT = 106  # bytes: sun_path less its end, less the one that libassuan leaves free
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class ScratchFolder:
    """A private folder whose sockets' paths fit, in the runtime folder where there is one.

    Raises:
        EnvironmentFault: no temporary folder has a path that is short enough.
    """

    def __init__(self) -> None:
        base = next(_fitting_bases(), None)
        if base is None:
            raise EnvironmentFault(
                "no temporary folder is writable and short enough for GnuPG's sockets: "
                "set TMPDIR to a folder with a path below 60 bytes"
            )
        self.path, self._lock = _make_locked(base)

    def __enter__(self) -> ScratchFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the folder and let go of it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep_scratch() -> None:
    """Remove the folders of processes that were killed."""
    for base in set(_bases()):
        for folder in Path(base).glob(f"{PREFIX}????????"):
            with suppress(OSError), _opened(folder) as handle:
                if os.fstat(handle).st_uid == os.geteuid():
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)


def _bases() -> Iterator[str]:
    for base in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"):  # noqa: S108
        if base:
            yield base


def _fitting_bases() -> Iterator[str]:
    for base in _bases():
        fits = len(os.fsencode(base)) + _LONGEST_SOCKET <= _SOCKET_PATH_LIMIT
        if fits and os.access(base, os.W_OK | os.X_OK):
            yield base


def _make_locked(base: str) -> tuple[Path, int | None]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
        try:
            handle = os.open(path, _OPEN_FOLDER)
        except FileNotFoundError:
            continue  # another process took it for a leftover
        fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(path.lstat().st_mode):
                return path, handle
        os.close(handle)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, _OPEN_FOLDER)
    try:
        yield handle
    finally:
        os.close(handle)
