"""The chain of editions: which one a new receipt names, and what a broken one is called."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.sample_seal import make_deliverable, make_receipt
from tests.tamper_world import NEW, NOW, OLD, World, workshop
from wardbook.seal import (
    Previous,
    Receipt,
    SealProblem,
    Subject,
    find_newest,
    trace,
    write_receipt,
)
from wardbook.seal.signature import sign_detached

THIRD = "00000000000000dd"


@pytest.fixture(scope="module")
def fresh() -> Iterator[Callable[[], World]]:
    with workshop() as maker:
        yield maker


def newest(world: World, run: str = f"stat-7-{THIRD}", ticket: str = "STAT-7") -> str:
    like = make_receipt([Subject("a", "0" * 64, 1)], run=run, ticket=ticket)
    given = {"public_key": world.public, "fingerprint": world.signer, "now": NOW}
    found = find_newest(world.old.parent, like, **given)  # type: ignore[arg-type]
    return found.run if found else ""


def digest(folder: Path) -> str:
    return sha256((folder / "receipt.json").read_bytes()).hexdigest()


def test_a_new_edition_follows_the_one_that_nobody_names(fresh: Callable[[], World]) -> None:
    world = fresh()
    assert newest(world) == f"stat-7-{NEW}"
    assert newest(world, ticket="STAT-9") == "", "of another request"
    assert newest(world, run=f"stat-7-{NEW}") == f"stat-7-{OLD}", "an edition is not its own"
    shutil.rmtree(world.new)
    assert newest(world) == f"stat-7-{OLD}"
    shutil.rmtree(world.old)
    assert newest(world) == ""


def test_a_receipt_that_the_unit_did_not_sign_is_passed_over(fresh: Callable[[], World]) -> None:
    world = fresh()
    named = Previous(f"stat-7-{NEW}", digest(world.new))
    forged = world.old.with_name(THIRD)
    make_deliverable(forged, world.eve, world.eves, run=f"stat-7-{THIRD}", previous=named)
    assert newest(world, run="stat-7-00000000000000ee") == f"stat-7-{NEW}"
    signature = sign_detached((forged / "receipt.json").read_bytes(), world.signer, world.keyring)
    (forged / "receipt.json.asc").write_bytes(signature)
    assert newest(world, run="stat-7-00000000000000ee") == f"stat-7-{THIRD}", "control"


def test_the_history_is_told_from_any_edition(fresh: Callable[[], World]) -> None:
    world = fresh()
    given = {"public_key": world.public, "fingerprint": world.signer, "now": NOW}
    for target in (world.new, world.old, world.old / "index.html"):
        history = trace(target, **given)  # type: ignore[arg-type]
        assert [one.name for one in history.editions] == [NEW, OLD]
        assert (history.problems, history.earlier) == ((), None)
    shutil.rmtree(world.old)
    history = trace(world.new, **given)  # type: ignore[arg-type]
    assert [one.name for one in history.editions] == [NEW]
    assert history.earlier is not None
    assert history.earlier.run == f"stat-7-{OLD}"


def test_an_edition_that_was_sealed_again_keeps_its_place(fresh: Callable[[], World]) -> None:
    world = fresh()
    given = {"public_key": world.public, "fingerprint": world.signer, "now": NOW}
    first = Receipt.from_json((world.old / "receipt.json").read_bytes())
    for _ in range(2):
        again = first.sealed_again(first.subjects[0], ())
        again = replace(again, subjects=first.subjects)
        assert again.release.replaces[-1] == first.sha256
        write_receipt(again, world.old, signer=world.signer, keyring=world.keyring)
        history = trace(world.new, **given)  # type: ignore[arg-type]
        assert [one.name for one in history.editions] == [NEW, OLD]
        assert newest(world) == f"stat-7-{NEW}"
        first = again
    forgetful = replace(first, release=replace(first.release, replaces=("0" * 64,)))
    write_receipt(forgetful, world.old, signer=world.signer, keyring=world.keyring)
    with pytest.raises(SealProblem) as caught:
        trace(world.new, **given)  # type: ignore[arg-type]
    assert caught.value.code == "history_gap", "control"


def test_what_lies_beside_a_downloaded_folder_does_not_matter(fresh: Callable[[], World]) -> None:
    world = fresh()
    downloads = world.folder / "downloads"
    shutil.copytree(world.new, downloads / "report")
    shutil.copytree(world.other, downloads / "another")
    (downloads / "broken").mkdir()
    (downloads / "broken" / "receipt.json").write_text("{}")
    given = {"public_key": world.public, "fingerprint": world.signer, "now": NOW}
    history = trace(downloads / "report", **given)  # type: ignore[arg-type]
    assert [one.name for one in history.editions] == [NEW]
    (downloads / "broken").rename(downloads / THIRD)  # but it does under an edition's name
    assert trace(downloads / "report", **given).problems  # type: ignore[arg-type]
