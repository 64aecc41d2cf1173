"""Folders that appear whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wardbook.report.problem import ReportProblem

PART = ".part"
"""Ending of the hidden folders that were under way when a process was killed."""


@contextmanager
def whole_folder(destination: Path) -> Iterator[Path]:
    """Give a hidden folder beside `destination`; it gets that name when the block ends well.

    After an exception nothing stands; after a kill, at most the hidden folder.

    Raises:
        ReportProblem: `destination` exists.
    """
    if destination.exists() or destination.is_symlink():
        raise ReportProblem(f"{destination}: exists already. Choose another folder or remove it.")
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = Path(
        tempfile.mkdtemp(dir=destination.parent, prefix=f".{destination.name}.", suffix=PART)
    )
    try:
        yield part
        part.rename(destination)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def list_files(folder: Path) -> list[str]:
    """Return the relative names of all files in `folder`, sorted.

    Raises:
        ReportProblem: something in it is neither a folder nor a plain file, such as a link.
    """
    names = []
    for entry in folder.rglob("*"):
        if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
            raise ReportProblem(f"{entry}: a report holds plain files only. Remove it.")
        if entry.is_file():
            names.append(entry.relative_to(folder).as_posix())
    return sorted(names)
