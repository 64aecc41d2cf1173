"""Files are written whole or not at all; links and devices are not followed."""

import fcntl
import os
from pathlib import Path

import pytest

from wardbook.seal import SealProblem
from wardbook.seal.files import hash_file, list_files, printable, read_file, write_whole


def test_a_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.gpg"
    with write_whole(target) as file:
        file.write(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "a.gpg"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), write_whole(target) as file:
        file.write(b"new")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_permissions_are_the_callers(tmp_path: Path) -> None:
    with write_whole(tmp_path / "secret", mode=0o600):
        pass
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    dead, living = tmp_path / ".a.gpg.dead.part", tmp_path / ".a.gpg.living.part"
    others = tmp_path / ".b.gpg.dead.part"
    for path in (dead, living, others):
        path.write_bytes(b"x")
    with living.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with write_whole(tmp_path / "a.gpg"):
            pass
    assert {path.name for path in tmp_path.iterdir()} == {"a.gpg", living.name, others.name}


def test_names_with_wildcards_are_taken_literally(tmp_path: Path) -> None:
    (tmp_path / ".a.gpg.dead.part").write_bytes(b"x")
    with write_whole(tmp_path / "[a].gpg"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"[a].gpg", ".a.gpg.dead.part"}


def test_hash_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert hash_file(tmp_path / "f") == (digest, 3)


def test_links_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        for read in (hash_file, read_file):
            with pytest.raises(SealProblem, match=f"{name} is a link or a device"):
                read(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        hash_file(tmp_path / "nothing")


def test_files_are_listed_below_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("x", "a/y", "a/b/.hidden"):
        (tmp_path / name).write_bytes(b"")
    assert list_files(tmp_path) == {"x", "a/y", "a/b/.hidden"}


def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to(tmp_path)
    with pytest.raises(SealProblem, match="out is a link"):
        list_files(tmp_path / "in")


def test_odd_names_are_printable() -> None:
    assert printable(os.fsdecode(b"\x1b[31mr\xff\xe9sum\xc3\xa9\n")) == r"\x1b[31mr\xff\xe9sumé\n"
