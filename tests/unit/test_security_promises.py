"""Every promise of docs/security.md names tests, and these exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROW = re.compile(r"^\| (?P<promise>[A-Z][^|]+) \| (?P<tests>\[test_[^|]+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[(?P<name>\w+)\]\(\.\./(?P<path>tests/[\w/]+\.py)\)")


def find_broken(page: str, root: Path) -> list[str]:
    """Return the promises that name no test, and the tests that are not there or hold nothing."""
    promises = page.partition("## Promises")[2].partition("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("| ")][1:]
    broken = [row for row in rows if _ROW.match(row) is None]
    for row in rows:
        for link in _LINK.finditer(row):
            file = root / link["path"]
            if (
                file.stem != link["name"]
                or not file.is_file()
                or "\ndef test_" not in (file.read_text(encoding="utf-8"))
            ):
                broken.append(link["path"])
    return broken


def test_every_promise_is_held_by_tests_that_exist(root: Path) -> None:
    page = (root / "docs" / "security.md").read_text(encoding="utf-8")
    assert len(_ROW.findall(page)) >= 15
    assert find_broken(page, root) == []


@pytest.mark.parametrize(
    "damage",
    [
        ("test_gate.py", "test_gone.py"),
        ("[test_gate]", "[test_other]"),
        ("[test_gate](../tests/unit/test_gate.py)", "nobody"),
        ("tests/unit/test_gate.py", "tests/factories.py"),
    ],
)
def test_a_promise_without_its_test_is_noticed(root: Path, damage: tuple[str, str]) -> None:
    page = (root / "docs" / "security.md").read_text(encoding="utf-8")
    assert damage[0] in page
    assert find_broken(page.replace(*damage, 1), root) != []
