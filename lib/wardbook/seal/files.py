"""Files of a deliverable: written whole or not at all, hashed, listed without following links."""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from wardbook.seal.problems import SealProblem

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def write_whole(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a hidden temporary file beside `path`; it takes that name when the block succeeds.

    What a killed process left of an earlier attempt at the same name is removed first; the
    temporary file of a living process is not touched.

    Args:
        path: the file to make or to replace.
        mode: its permissions, of which the umask takes its share.
    """
    _remove_leftovers(path)
    file = _open_locked(path, mode)
    temporary = Path(file.name)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def hash_file(path: Path) -> tuple[str, int]:
    """Return SHA-256 (hexadecimal) and size in bytes of a regular file that is not a link.

    Raises:
        SealProblem: it is a link, a device or the like (`file_not_regular`).
        OSError: there is no such file, or it may not be read.
    """
    with _open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file that is not a link; raises what `hash_file` raises."""
    with _open_regular(path) as file:
        return file.read()


def list_files(folder: Path) -> set[str]:
    """Return the names, relative and with `/`, of all files below `folder`.

    Raises:
        SealProblem: something there is neither a folder nor a regular file (`file_not_regular`).
    """
    names: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                names |= {f"{entry.name}/{name}" for name in list_files(Path(entry.path))}
            elif entry.is_file(follow_symlinks=False):
                names.add(entry.name)
            else:
                raise SealProblem("file_not_regular", file=printable(entry.path))
    return names


def printable(name: str | Path) -> str:
    """Return a foreign file name fit for a terminal: odd bytes and control characters escaped."""
    try:
        data = os.fsencode(name)
    except UnicodeEncodeError:  # half a character, which no system has in a name
        data = str(name).encode("utf-8", "surrogatepass")
    text = data.decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _open_regular(path: Path) -> BufferedReader:
    try:
        descriptor = os.open(path, _READ)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise SealProblem("file_not_regular", file=printable(path)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SealProblem("file_not_regular", file=printable(path))
    return os.fdopen(descriptor, "rb")


def _open_locked(path: Path, mode: int) -> BinaryIO:
    """Create a temporary file whose lock says that its writer lives."""

    def create(name: str, flags: int) -> int:
        return os.open(name, flags, mode)

    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        file = open(temporary, "xb", opener=create)  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:  # else another process took it for a leftover
            return file
        file.close()


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(FileNotFoundError, BlockingIOError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()
