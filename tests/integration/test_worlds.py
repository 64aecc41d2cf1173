"""Worlds of the demonstration that tests share: what they copy is what each would make."""

from __future__ import annotations

from pathlib import Path

from pipelines.demo.world import World
from wardbook.seal import Keyring


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes() if file.suffix == ".csv" else b""
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_copied_world_has_what_it_would_have_made(tmp_path: Path) -> None:
    copied, own = World(tmp_path / "copied"), World(tmp_path / "own")
    given = copied.make_data(None)
    made = World.make_data.__wrapped__(own, None)  # type: ignore[attr-defined]
    assert list(given) == list(made)
    assert files_of(copied.folder / "data") == files_of(own.folder / "data")
    assert all(file.is_relative_to(copied.folder) for file in given.values())


def test_each_copy_is_a_world_of_its_own(tmp_path: Path) -> None:
    one, other = World(tmp_path / "one"), World(tmp_path / "other")
    one.make_data(None)["stays"].unlink()
    assert other.make_data(None)["stays"].exists()
    signer, requester = other.make_keys()
    with Keyring(other.folder / "state" / "gnupg") as keyring:
        assert [key.primary.fingerprint for key in keyring.facts()] == [signer]
    assert requester != signer
