"""The corpus: small notebooks written as text, several in a file, one file for each theme.

    === name
    what: one line that says what the notebook does
    --- code
    print("first cell")
    --- markdown
    Some *text*.
    --- code {"metadata": {"tags": ["raises-exception"]}}
    1 / 0

Between a name and its first cell stand words about the notebook, each on a line of its own:

    what        what it does (required)
    kernel      the kernel's name; python3 where nothing is said
    hides       which named normalisations it needs, beside those that all have; see `compare.py`
    why         why it needs them (required with `hides`)
    hands over  why the warm engine leaves this notebook to a full kernel
    notebook    JSON: keys of the notebook that replace those of the ordinary one

The JSON behind a cell's type holds keys of the cell, which are merged into it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parent / "notebooks"

_KERNELSPECS = {
    "python3": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
    "ir": {"name": "ir", "display_name": "R", "language": "R"},
}


@dataclass(frozen=True)
class Case:
    """One notebook of the corpus."""

    name: str
    theme: str
    what: str
    kernel: str
    hides: frozenset[str]
    hands_over: str
    text: str

    def __str__(self) -> str:
        return self.name

    def write(self, file: Path) -> None:
        """Write the notebook as nbformat's JSON."""
        file.write_text(self.text, encoding="utf-8")


def read_corpus(folder: Path = NOTEBOOKS) -> dict[str, Case]:
    """Read all notebooks of the corpus by name, in the order of their files.

    Raises:
        ValueError: two notebooks have one name, or a file is not in the format described above.
    """
    cases: dict[str, Case] = {}
    for file in sorted(folder.glob("*.cells")):
        for case in _read_file(file):
            if case.name in cases:
                raise ValueError(f"{file.name}: there are two notebooks named {case.name}")
            cases[case.name] = case
    return cases


def _read_file(file: Path) -> Iterator[Case]:
    # Not splitlines(): a cell may hold any of Unicode's other line ends.
    lines = file.read_text(encoding="utf-8").split("\n")
    for head, body in _split(lines, "=== "):
        cells = list(_split(body, "--- "))
        first = next((n for n, line in enumerate(body) if line.startswith("--- ")), len(body))
        words = _read_words(body[:first], f"{file.name}: {head}")
        yield _make_case(head, file.stem, words, cells)


def _split(lines: list[str], mark: str) -> Iterator[tuple[str, list[str]]]:
    """Give each heading that begins with `mark`, without the mark, and the lines below it."""
    starts = [n for n, line in enumerate(lines) if line.startswith(mark)]
    for start, end in pairwise([*starts, len(lines)]):
        yield lines[start].removeprefix(mark).strip(), lines[start + 1 : end]


def _read_words(lines: list[str], place: str) -> dict[str, str]:
    words = {}
    for line in filter(None, lines):
        word, colon, value = line.partition(": ")
        if not colon or word not in ("what", "kernel", "hides", "why", "hands over", "notebook"):
            raise ValueError(f"{place}: {line!r} is none of the words about a notebook")
        words[word] = value
    if "what" not in words or ("hides" in words) != ("why" in words):
        raise ValueError(f"{place}: 'what', or 'why' beside 'hides', is missing")
    return words


def _make_case(
    name: str, theme: str, words: Mapping[str, str], cells: list[tuple[str, list[str]]]
) -> Case:
    kernel = words.get("kernel", "python3")
    notebook = {
        "cells": [],
        "metadata": {"kernelspec": _KERNELSPECS[kernel]},
        "nbformat": 4,
        "nbformat_minor": 5,
    } | json.loads(words.get("notebook", "{}"))
    has_ids = notebook["nbformat_minor"] >= 5
    notebook["cells"] = [
        _make_cell(head, body, f"cell-{number}" if has_ids else None)
        for number, (head, body) in enumerate(cells, 1)
    ]
    return Case(
        name=name,
        theme=theme,
        what=words["what"],
        kernel=kernel,
        hides=frozenset(words.get("hides", "").split()),
        hands_over=words.get("hands over", ""),
        text=json.dumps(notebook, ensure_ascii=True, indent=1),
    )


def _make_cell(head: str, body: list[str], name: str | None) -> dict[str, Any]:
    kind, _, more = head.partition(" ")
    cell: dict[str, Any] = {
        "cell_type": kind,
        "metadata": {},
        "source": "\n".join(body).strip("\n"),
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    if name:
        cell["id"] = name
    cell |= json.loads(more or "{}")
    return cell
