"""Dependencies point one way, and what runs beside patients' data imports only the library."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN = {
    "lib/wardbook": {"requests_sync", "pipelines"},
    "requests_sync": {"pipelines"},
    "pipelines": set(),
}
OURS = {"wardbook", "requests_sync", "pipelines"}


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_stands_below_it(room: str, root: Path) -> None:
    files = list((root / room).rglob("*.py"))
    assert files
    for file in files:
        wrong = FORBIDDEN[room] & set(imported(file.read_text(encoding="utf-8")))
        assert not wrong, f"{file.relative_to(root)} imports {wrong}"


def test_the_look_at_imports_finds_one() -> None:
    assert set(imported("def f():\n    from pipelines.house import House")) == {"pipelines"}


def test_notebooks_import_nothing_of_the_platform_but_the_library(root: Path) -> None:
    notebooks = [*root.glob("templates/*/*.ipynb"), *root.glob("notebooks/*.ipynb")]
    assert len(notebooks) >= 3
    for file in notebooks:
        notebook = json.loads(file.read_text(encoding="utf-8"))
        if notebook["metadata"]["kernelspec"]["language"] != "python":
            continue
        cells = notebook["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert not (OURS - {"wardbook"}) & set(imported(code)), file.name


def test_every_room_of_the_house_stands(root: Path) -> None:
    ours = ("templates", "pipelines", "lib", "requests_sync", "tests", "docs")
    for room in (*ours, "notebooks", "site", "slurm"):
        assert any((root / room).iterdir()), room
    assert (root / ".gitlab-ci.yml").is_file()
