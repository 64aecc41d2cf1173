"""The filter of notebooks in real git: add, status, checkout, diff, merge, other people's hooks."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from tests.planted_notebooks import corners
from wardbook.errors import Refusal
from wardbook.stripping import strip_notebook
from wardbook.stripping.clone import set_up_clone

WHO = {
    "GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@unit.invalid", "GIT_COMMITTER_NAME": "x",
    "GIT_COMMITTER_EMAIL": "x@unit.invalid", "GIT_CONFIG_GLOBAL": "/dev/null",
}  # fmt: skip
SEEN = [{"output_type": "stream", "name": "stdout", "text": "12\n"}]


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=os.environ | WHO, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done.stdout if check else done.stdout + done.stderr


def write_run(file: Path, *sources: str) -> None:
    """Write a notebook as JupyterLab leaves it after a run."""
    cells = [corners.code(source, SEEN) | {"id": f"c{n}"} for n, source in enumerate(sources)]
    whole: dict[str, Any] = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    file.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main", "clone")
    folder = tmp_path / "clone"
    (folder / ".gitattributes").write_text("*.ipynb -text -filter binary\n", encoding="utf-8")
    set_up_clone(folder)
    write_run(folder / "n.ipynb", "x = 1\n", "y = 2\n", "z = 3\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "--no-verify", "-m", "Begin")
    return folder


def test_git_holds_the_stripped_form_and_the_analyst_keeps_the_outputs(clone: Path) -> None:
    file = clone / "n.ipynb"
    assert git(clone, "show", "HEAD:n.ipynb") == strip_notebook(file.read_text(encoding="utf-8"))
    assert json.loads(file.read_bytes())["cells"][0]["outputs"] == SEEN
    write_run(file, "x = 1\n", "y = 2\n", "z = 3\n")
    os.utime(file, (1, 1))
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "diff") == ""
    write_run(file, "x = 1\n", "y = 20\n", "z = 3\n")
    told = git(clone, "diff", "--ext-diff", "--textconv")
    assert "\n-y = 2\n+y = 20\n" in told and "outputs" not in told


def test_a_checkout_gives_back_what_git_has(clone: Path) -> None:
    git(clone, "switch", "-q", "-c", "work")
    write_run(clone / "n.ipynb", "x = 5\n", "y = 2\n", "z = 3\n")
    git(clone, "commit", "-q", "--no-verify", "-a", "-m", "Five")
    git(clone, "switch", "-q", "main")
    told = (clone / "n.ipynb").read_text(encoding="utf-8")
    assert told == git(clone, "show", "main:n.ipynb")
    assert git(clone, "status", "--porcelain") == ""


def test_two_people_in_two_cells_are_merged_and_the_merge_is_stripped(clone: Path) -> None:
    git(clone, "switch", "-q", "-c", "work")
    write_run(clone / "n.ipynb", "x = 5\n", "y = 2\n", "z = 3\n")
    git(clone, "commit", "-q", "--no-verify", "-a", "-m", "Five")
    git(clone, "switch", "-q", "main")
    write_run(clone / "n.ipynb", "x = 1\n", "y = 2\n", "z = 7\n")
    git(clone, "commit", "-q", "--no-verify", "-a", "-m", "Seven")
    git(clone, "merge", "-q", "work", "-m", "Merge")
    merged = git(clone, "show", "HEAD:n.ipynb")
    assert strip_notebook(merged) == merged
    assert [c.source for c in nbformat.reads(merged, as_version=4).cells] == [
        "x = 5\n", "y = 2\n", "z = 7\n",
    ]  # fmt: skip


def test_what_is_no_notebook_is_not_added_and_git_says_why(clone: Path) -> None:
    (clone / "n.ipynb").write_text('{"cells": [', encoding="utf-8")
    told = git(clone, "add", "n.ipynb", check=False)
    assert "n.ipynb: this is no notebook: line 1 is no JSON. Open it in Jupyter" in told
    assert git(clone, "diff", "--cached") == ""


def test_a_clone_is_set_up_twice_alike_and_beside_somebodys_own_hooks(clone: Path) -> None:
    before = (clone / ".git" / "config").read_bytes()
    hook = clone / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\ntouch called\n", encoding="utf-8")
    hook.chmod(0o755)
    for _ in range(2):
        set_up_clone(clone)
    assert (clone / ".git" / "config").read_bytes() == before
    write_run(clone / "n.ipynb", "tel = '06 12 34 56 78'\n")
    told = git(clone, "commit", "-a", "-m", "Phone", check=False)
    assert (clone / "called").exists()
    assert "n.ipynb:10 (cell 1): telephone number; take it out" in told
    assert "Mend them and commit again" in told and "34 56" not in told
    with pytest.raises(Refusal, match="was not set up"):
        set_up_clone(clone.parent)


def test_a_stripped_notebook_runs_as_before(clone: Path) -> None:
    write_run(clone / "n.ipynb", "x = 5\n", "print(x + 7)\n")
    stripped = nbformat.reads(strip_notebook((clone / "n.ipynb").read_text()), as_version=4)
    nbformat.validate(stripped)
    done = nbclient.NotebookClient(stripped, kernel_name="python3").execute()
    assert done.cells[1].outputs[0].text == "12\n"
