"""Which bytes a source holds, found without reading it again; never a digest that is not true."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest

from wardbook import data_versions
from wardbook.data_versions import TICK_NS, DataVersions, Signature
from wardbook.files import hash_file

SECOND = 1_000_000_000


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose bytes were read."""
    read: list[Path] = []

    def reading(path: Path) -> str:
        read.append(path)
        return hash_file(path)

    monkeypatch.setattr(data_versions, "hash_file", reading)
    return read


def later() -> int:
    """A clock that is past any doubt about a file that was written just now."""
    return time.time_ns() + 2 * TICK_NS


def test_a_thousand_looks_read_a_file_once_and_so_does_the_next_process(
    tmp_path: Path, reads: list[Path]
) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one")
    versions = DataVersions(tmp_path / "versions.json", later)
    assert {versions.look(file)[1] for _ in range(1000)} == {sha(b"one")}
    assert DataVersions(tmp_path / "versions.json", later).look(file)[1] == sha(b"one")
    assert reads == [file]


def test_threads_that_ask_at_once_wait_for_one_reading(tmp_path: Path, reads: list[Path]) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one" * 1_000_000)
    versions = DataVersions(tmp_path / "versions.json", later)
    threads = [threading.Thread(target=versions.look, args=(file,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads == [file]


def test_a_touched_file_is_read_again_and_holds_the_same(tmp_path: Path, reads: list[Path]) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one")
    versions = DataVersions(tmp_path / "versions.json", later)
    before, digest = versions.look(file)
    os.utime(file, ns=(1, 1))
    after, again = versions.look(file)
    assert (digest, before.mtime_ns) != (again, after.mtime_ns)
    assert digest == again
    assert len(reads) == 2


def test_other_bytes_of_the_same_size_under_the_old_mtime_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one")
    versions = DataVersions(tmp_path / "versions.json", later)
    before, _ = versions.look(file)
    time.sleep(0.02)  # a tick of the file system's clock: ctime is another one
    with file.open("r+b") as handle:
        handle.write(b"two")
    os.utime(file, ns=(before.mtime_ns, before.mtime_ns))
    after, digest = versions.look(file)
    assert digest == sha(b"two")
    for part in ("size", "mtime_ns", "inode", "device"):
        assert getattr(before, part) == getattr(after, part), "ctime alone can tell"
    assert before.ctime_ns != after.ctime_ns


class CoarseClock:
    """A file system that stamps in whole seconds, and the time of day."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000 * SECOND
        self._stamps: dict[Path, int] = {}
        monkeypatch.setattr(Signature, "of", self._signature)

    def write(self, file: Path, content: bytes) -> None:
        file.write_bytes(content)
        self._stamps[file] = self.now - self.now % SECOND

    def _signature(self, file: Path) -> Signature:
        stamp = self._stamps[file]
        return Signature(file.stat().st_size, stamp, stamp, 1, 1)

    def __call__(self) -> int:
        return self.now


def write_look_write(tmp_path: Path, clock: CoarseClock) -> str:
    """A file is hashed between two writes of the same tick; then time goes by."""
    file = tmp_path / "spf.csv"
    versions = DataVersions(tmp_path / "versions.json", clock)
    clock.write(file, b"one")
    clock.now += SECOND // 10
    assert versions.look(file)[1] == sha(b"one")
    clock.now += SECOND // 10
    before = Signature.of(file)
    clock.write(file, b"two")
    assert Signature.of(file) == before, "the second write left no trace"
    clock.now += 60 * SECOND
    return versions.look(file)[1]


def test_a_file_that_changes_within_the_tick_in_which_it_was_hashed_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_look_write(tmp_path, CoarseClock(monkeypatch)) == sha(b"two")


def test_without_the_guard_the_old_digest_would_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_versions, "TICK_NS", -SECOND)
    assert write_look_write(tmp_path, CoarseClock(monkeypatch)) == sha(b"one")


def test_what_could_be_racy_is_read_again_only_until_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[Path]
) -> None:
    clock = CoarseClock(monkeypatch)
    file = tmp_path / "spf.csv"
    versions = DataVersions(tmp_path / "versions.json", clock)
    clock.write(file, b"one")
    versions.look(file)
    clock.now += 60 * SECOND
    for _ in range(5):
        versions.look(file)
    assert len(reads) == 2


def test_writes_and_looks_in_quick_turn_on_this_file_system_never_lie(tmp_path: Path) -> None:
    file = tmp_path / "spf.csv"
    versions = DataVersions(tmp_path / "versions.json")
    for number in range(300):
        content = f"{number:04}".encode()
        file.write_bytes(content)
        assert versions.look(file)[1] == sha(content)


def test_a_file_that_is_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one")
    read: list[str] = []

    def interrupted(path: Path) -> str:
        digest = hash_file(path)
        if not read:
            path.write_bytes(b"three")
        read.append(digest)
        return digest

    monkeypatch.setattr(data_versions, "hash_file", interrupted)
    signature, digest = DataVersions(tmp_path / "versions.json").look(file)
    assert (signature.size, digest) == (5, sha(b"three"))


def test_a_damaged_memory_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one")
    for damage in ("", "[]", "{", '{"/x": [1]}', '{"/x": 3}'):
        (tmp_path / "versions.json").write_text(damage)
        assert DataVersions(tmp_path / "versions.json", later).look(file)[1] == sha(b"one")


def test_a_memory_that_cannot_be_written_is_no_missing_file(tmp_path: Path) -> None:
    file = tmp_path / "spf.csv"
    file.write_bytes(b"one")
    versions = DataVersions(tmp_path / "no such folder" / "versions.json", later)
    assert versions.look(file)[1] == sha(b"one")


def test_a_missing_file_and_a_folder_are_not_versions(tmp_path: Path) -> None:
    versions = DataVersions(tmp_path / "versions.json")
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(OSError):
            versions.look(path)
