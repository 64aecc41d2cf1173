"""The shared folder: whole files only, with their rights; full or not mounted, and told so."""

from __future__ import annotations

import errno
import grp
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.shared_folder import require_mounted, shared_folder, tell_plainly
from wardbook.errors import Fault
from wardbook.seal import Fingerprint, Keyring, choose_recipient_key, seal
from wardbook.settings import ShareSettings

pytestmark = pytest.mark.xdist_group("shared_folder")
SIZE = 300_000


def share(folder: Path, **changes: Any) -> ShareSettings:
    return ShareSettings.model_validate({"folder": folder, "url": "file://s"} | changes)


class Watch:
    """A reader that looks into the share whenever this process touches any file."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.looks, self.seen = 0, set[tuple[int, int]]()

    def __call__(self, event: str, _: object) -> None:
        folder = self.folder
        if folder is None or not event.startswith(("open", "os.", "fcntl.", "subprocess.")):
            return
        self.folder = None  # what we do here is not looked at
        try:
            self.looks += 1
            for file in folder.rglob("*"):
                if file.is_file() and not file.name.startswith("."):
                    status = file.stat()
                    self.seen.add((status.st_size, status.st_mode & 0o777))
        finally:
            self.folder = folder


WATCH = Watch()
sys.addaudithook(WATCH)  # it stays for this process, and sleeps while it has no folder


def watch(folder: Path, write: Callable[[Path], None]) -> set[tuple[int, int]]:
    """Return each size and mode that a reader saw of a visible file."""
    WATCH.folder, WATCH.looks, WATCH.seen = folder, 0, set()
    try:
        write(folder)
    finally:
        WATCH.folder = None
    assert WATCH.looks > 1
    return WATCH.seen


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Keyring, Fingerprint]]:
    with Keyring(tmp_path_factory.mktemp("home") / "gnupg") as unit:
        yield unit, unit.create_signing_key("Unit", "unit@hospital.example")


@pytest.fixture
def put(keys: tuple[Keyring, Fingerprint], tmp_path: Path) -> Callable[[Path], None]:
    """Seal a file of random bytes into a folder."""
    unit, signer = keys
    block = unit.export_public(signer)
    to = choose_recipient_key([block], signer, unit, datetime.now(UTC))
    plain = tmp_path / "plain"
    plain.write_bytes(os.urandom(SIZE))

    def write(folder: Path) -> None:
        seal(plain, folder, recipients=[to], signer=signer, keyring=unit, name="a")

    return write


def naive(folder: Path) -> None:
    with (folder / "a.gpg").open("wb") as file:
        file.write(os.urandom(SIZE))
        file.flush()
        with (folder / "a.gpg").open("rb"):
            file.write(os.urandom(SIZE))


def test_a_reader_never_sees_a_part_of_a_file(tmp_path: Path, put: Callable[[Path], None]) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    seen = watch(folder, put)
    (whole,) = folder.iterdir()
    assert {size for size, _ in seen} <= {whole.stat().st_size}
    whole.unlink()
    sizes = {size for size, _ in watch(folder, naive)}
    assert sizes & {0, SIZE}, "the reader sees what a naive writer leaves half done"


def test_files_never_show_with_other_rights_than_theirs(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    settings = share(tmp_path / "share", folder_mode="2750", file_mode="0640", group=group)
    (tmp_path / "share").mkdir(mode=0o755)
    edition = tmp_path / "share" / "data-1" / "abc"
    with shared_folder(settings, edition) as folder:
        (folder / "a.gpg").write_bytes(b"x")
        (folder / "a.gpg").chmod(0o666)
        assert folder.stat().st_mode & 0o777 == 0o700, "closed until its files are as they should"
    assert [(edition / "a.gpg").stat().st_mode & 0o7777] == [0o640]
    assert [one.stat().st_mode & 0o7777 for one in (edition, edition.parent)] == [0o2750] * 2
    assert (edition / "a.gpg").stat().st_gid == os.getgid()
    assert (tmp_path / "share").stat().st_mode & 0o777 == 0o755, "the share itself is not ours"
    with shared_folder(settings, edition) as folder:
        (folder / "b.gpg").write_bytes(b"x")
    assert (edition / "b.gpg").stat().st_mode & 0o777 == 0o640


def test_without_settings_the_system_decides(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with shared_folder(share(tmp_path), tmp_path / "data-1" / "abc") as folder:
            (folder / "a").write_bytes(b"x")
    finally:
        os.umask(before)
    assert [one.stat().st_mode & 0o777 for one in (folder, folder / "a")] == [0o750, 0o640]


def test_a_share_that_is_not_mounted_is_not_written_into(tmp_path: Path) -> None:
    settings = share(tmp_path / "mnt", marker=".wardbook-share")
    for make in (lambda: None, (tmp_path / "mnt").mkdir):
        make()
        with (
            pytest.raises(Fault, match=r"not mounted.*\.wardbook-share is not there"),
            shared_folder(settings, tmp_path / "mnt" / "data-1" / "abc"),
        ):
            raise AssertionError("nobody may write")
        assert not (tmp_path / "mnt" / "data-1").exists()
    (tmp_path / "mnt" / ".wardbook-share").touch()
    require_mounted(settings)
    with shared_folder(settings, tmp_path / "mnt" / "data-1" / "abc") as folder:
        assert folder.is_dir()


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = share(tmp_path, group="no-such-group")
    with (
        pytest.raises(Fault, match='group = "no-such-group"'),
        shared_folder(settings, tmp_path / "data-1" / "abc"),
    ):
        pass


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ENOSPC, "has no room left. Free some"),
        (errno.EDQUOT, "has no room left for our account"),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "does not let our account write"),
        (errno.ESTALE, "See that it is reachable (ESTALE)"),
    ],
)
def test_what_the_system_says_is_told_plainly_and_names_no_file(code: int, told: str) -> None:
    with (
        pytest.raises(Fault, match=re.escape(told)) as caught,
        tell_plainly(Path("/srv/share")),
    ):
        raise OSError(code, os.strerror(code), "/srv/share/DUPONT.csv")
    assert "DUPONT" not in str(caught.value)
    assert "/srv/share" in str(caught.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_named_and_nothing_is_left(
    tmp_path: Path, put: Callable[[Path], None]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    options = f"size={SIZE // 2}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        edition = disk / "data-1" / "abc"
        for _ in range(2):
            with (
                pytest.raises(Fault, match="no room left"),
                shared_folder(share(disk), edition) as folder,
            ):
                put(folder)
            assert list(edition.iterdir()) == []
        subprocess.run(["mount", "-o", f"remount,size={4 * SIZE}", disk], check=True)
        with shared_folder(share(disk), edition) as folder:
            put(folder)
        assert [one.name for one in edition.iterdir()] == ["a.gpg"]
    finally:
        subprocess.run(["umount", disk], check=True)
