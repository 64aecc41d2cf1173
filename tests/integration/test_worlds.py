"""Worlds of the demonstration that tests share: what they copy is what each would make."""

from __future__ import annotations

from pathlib import Path

from pipelines.demo.world import World
from tests.worlds import OF_SPF
from wardbook.epidemic.generate import generate_files
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
    found, expected = files_of(copied.folder / "data"), files_of(own.folder / "data")
    assert list(found) == list(expected)
    assert {name for name in found if found[name] != expected[name]} == set(OF_SPF), "shorter"
    assert all(file.is_relative_to(copied.folder) for file in given.values())


def test_each_copy_is_a_world_of_its_own(tmp_path: Path) -> None:
    one, other = World(tmp_path / "one"), World(tmp_path / "other")
    one.make_data(None)["stays"].unlink()
    assert other.make_data(None)["stays"].exists()
    signer, requester = other.make_keys()
    with Keyring(other.folder / "state" / "gnupg") as keyring:
        assert [key.primary.fingerprint for key in keyring.facts()] == [signer]
    assert requester != signer


def test_of_given_files_the_world_makes_its_own(tmp_path: Path) -> None:
    given = tmp_path / "spf"
    given.mkdir()
    stock, flow = generate_files(given, seed=3, days=9)
    stock = stock.rename(given / "hosp_donnees-hospitalieres-covid19.csv")
    flow = flow.rename(given / "hosp_nouveaux.csv")
    made = World(tmp_path / "world").make_data(given)
    assert (made["spf"], made["spf_flux"]) == (stock, flow)
    assert stock.read_bytes().startswith(made["spf_coupe"].read_bytes())
