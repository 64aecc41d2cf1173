"""Begins a template: a folder that runs, with a table, texts in both languages and tests."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

from wardbook.errors import Refusal
from wardbook.files import write_atomically
from wardbook.template.spec import Template, load_template

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_CELLS = "# %%\n"


class CannotBegin(Refusal):
    """The template cannot be begun there; the message says what to change."""


def begin_template(name: str, catalogue: Path) -> Template:
    """Write a working template into `catalogue/NAME`.

    It counts different patients by ward: replace what it asks, reads, counts and says.

    Raises:
        CannotBegin: the name cannot be one, or is taken.
    """
    folder = require_free_name(name, catalogue)
    skeleton = resources.files(__package__) / "skeleton"
    for file in ("template.toml", "texts.toml", "methods.toml", "README.md"):
        text = (skeleton / file).read_text(encoding="utf-8")
        write_file(folder / file, text.replace("NAME", name))
    cells = (skeleton / "notebook.py.txt").read_text(encoding="utf-8").split(_CELLS)
    write_file(
        folder / "notebook.ipynb", json.dumps(notebook_of(cells), indent=1, ensure_ascii=False)
    )
    test = (skeleton / "tests" / "test_NAME.py.txt").read_text(encoding="utf-8")
    write_file(folder / "tests" / f"test_{name}.py", test.replace("NAME", name))
    return load_template(folder)


def require_free_name(name: str, catalogue: Path) -> Path:
    """Return the folder of a template that is to be begun.

    Raises:
        CannotBegin: the name cannot be one, or is taken.
    """
    if not _NAME.fullmatch(name):
        raise CannotBegin(
            f"{name!r} cannot be a template's name. Use small letters, digits and _, a letter "
            "first, at most 48."
        )
    folder = catalogue / name
    if folder.exists():
        raise CannotBegin(f"{folder} is there already. Choose another name.")
    return folder


def write_file(file: Path, text: str) -> None:
    """Write one file of a template, readable by everybody, with a line's end at its end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, text if text.endswith("\n") else f"{text}\n")
    file.chmod(0o644)


def notebook_of(cells: list[str]) -> dict[str, object]:
    """Return a notebook of code cells as git keeps it: without outputs, counts and metadata."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{number}",
                "metadata": {},
                "outputs": [],
                "source": cell.rstrip("\n").splitlines(keepends=True),
            }
            for number, cell in enumerate(cells, 1)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
