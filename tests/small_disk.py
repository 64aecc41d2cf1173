"""A disk that is really full: a small file system of its own, written to until nothing goes in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, megabytes: int = 4) -> Iterator[Path]:
    """Lay a small file system over a folder, with what is in it; afterwards it is as before."""
    if os.geteuid() != 0:
        pytest.skip("a full disk: mounting a small one needs root")
    size = f"size={megabytes}m,mode=0700"
    beside = shutil.copytree(folder, folder.with_name(f"{folder.name}-beside"))
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a full disk: {mounted.stderr.strip()}")
    try:
        shutil.copytree(beside, folder, dirs_exist_ok=True)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write until there is no room for a single octet; returns what has to go."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return ballast
