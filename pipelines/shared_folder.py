"""The shared folder: is it there, who may read what is put there, and what went wrong, plainly.

Files get their names when they are whole (`wardbook.seal`). A new edition's folder stays closed
until its files have their rights, so that nobody sees them with others meanwhile.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wardbook.errors import Fault
from wardbook.settings import ShareSettings

_REASONS = {
    errno.ENOSPC: "has no room left. Free some, or let it have more",
    errno.EDQUOT: "has no room left for our account. Let it have more",
    errno.EROFS: "can only be read. Mount it for writing",
    errno.EACCES: "does not let our account write. Give it the right",
    errno.EPERM: "does not let our account set rights or group. Let it, or change [share]",
}
_CLOSED = 0o700


@contextmanager
def shared_folder(settings: ShareSettings, folder: Path) -> Iterator[Path]:
    """Open a folder of the share to write into, and give all in it the rights of the settings.

    Args:
        settings: the share's.
        folder: an edition's folder in it; made where it is missing.

    Raises:
        Fault: the share is not mounted, is full, or does not let us write; the delivery is tried
            again.
    """
    require_mounted(settings)
    with tell_plainly(settings.folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            folder.mkdir(mode=_CLOSED if settings.folder_mode else 0o777)
        yield folder
        set_rights(settings, folder)


def require_mounted(settings: ShareSettings) -> None:
    """Require the marker by which the share is known from an empty place to mount it.

    Raises:
        Fault: it is not there.
    """
    if settings.marker and not (settings.folder / settings.marker).is_file():
        raise Fault(
            f"The share {settings.folder} is not mounted, or it is another one: its file "
            f"{settings.marker} is not there. Nothing was written. Mount it, or put that file "
            "there; the delivery is tried again by itself."
        )


def set_rights(settings: ShareSettings, folder: Path) -> None:
    """Give a folder of the share, its files and the folders that lead to it their rights.

    Files first: the folder opens when all is as it should be.
    """
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            _set(file, settings.group, settings.file_mode)
    inside = [one for one in (folder, *folder.parents) if settings.folder in one.parents]
    for one in inside:
        _set(one, settings.group, settings.folder_mode)


def _set(path: Path, group: str, mode: str) -> None:
    if group:
        try:
            shutil.chown(path, group=group)
        except LookupError:
            raise Fault(
                f'[share] group = "{group}": this machine knows no such group. Create it, or '
                "write another one."
            ) from None
    if mode:
        path.chmod(int(mode, 8))  # after the group: changing that takes special bits away


@contextmanager
def tell_plainly(place: Path) -> Iterator[None]:
    """Turn what the system says of a folder into a sentence with what to do.

    Raises:
        Fault: the block raised an OSError; its own message may name files, ours does not.
    """
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, "could not be written. See that it is reachable")
        code = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise Fault(
            f"The share {place} {reason} ({code}); the delivery is tried again by itself."
        ) from None
