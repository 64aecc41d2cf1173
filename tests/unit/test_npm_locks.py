"""What npm installs is exact, the same from every registry, and read by Debian's npm 9."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = [ROOT / "lab/package-lock.json", ROOT / "tests/node/package-lock.json"]


def find_troubles(lock: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for place, told in lock["packages"].items():
        if place and "integrity" not in told:
            yield place, "no hash"
        if "resolved" in told:
            yield place, "an address of a registry"
        # npm 9 does not read a lock that has both these and overrides.
        if place and told.get("name", place) not in place:
            yield place, "another package under this name"


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.parent.name)
def test_a_lock_is_exact_and_of_no_registry(file: Path) -> None:
    lock = json.loads(file.read_text())
    assert len(lock["packages"]) > 100
    assert list(find_troubles(lock)) == []


def test_each_trouble_would_be_noticed() -> None:
    lock = {
        "packages": {
            "": {"name": "wardbook-bench"},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/b": {"integrity": "sha512-", "resolved": "somewhere"},
            "node_modules/c": {"integrity": "sha512-", "name": "else"},
        }
    }
    assert [place for place, _ in find_troubles(lock)] == [
        "node_modules/a", "node_modules/b", "node_modules/c",
    ]  # fmt: skip


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: file.parent.name)
def test_no_package_is_asked_for_twice(file: Path) -> None:
    keys: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys.extend(key for key, value in pairs if isinstance(value, str))
        return dict(pairs)

    asked = json.loads(file.with_name("package.json").read_text(), object_pairs_hook=collect)
    named = [key for group in ("devDependencies", "dependencies") for key in asked.get(group, ())]
    assert named
    assert [key for key in named if keys.count(key) > 1] == []
