"""Merges what somebody else pushed: notebooks cell by cell, everything else as git does.

A cell that both sides changed is left to a person, even where they changed different lines of it:
nobody would have seen or run what comes out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from pipelines.bench.git import Git
from pipelines.bench.tree import (
    NOTEBOOK,
    Change,
    Held,
    Person,
    files_at,
    read_at,
    strip,
    write_commit,
)

_STRATEGY = SimpleNamespace(
    merge_strategy="mergetool",
    input_strategy=None,
    output_strategy=None,
    ignore_transients=True,
    log_level="INFO",
)


@dataclass(frozen=True)
class Conflict:
    """A file that both sides changed in the same place; `cells` are ours, from 1."""

    path: str
    cells: tuple[int, ...] = ()


@dataclass(frozen=True)
class Merged:
    """Two commits merged into `commit`; "" where there are `conflicts`."""

    commit: str
    conflicts: tuple[Conflict, ...] = ()


def merge_commits(git: Git, ours: str, theirs: str, message: str, by: Person) -> Merged:
    """Merge two commits into a new one, without moving any branch or touching a file."""
    base = git.ask("merge-base", ours, theirs).decode().strip()
    was, own, other = (files_at(git, commit) for commit in (base, ours, theirs))
    both = [path for path in {*was, *own, *other} if _is_both(was, own, other, path)]
    tree, open_files = _merge_trees(git, ours, theirs)
    changes, conflicts = [], []
    for path in sorted(path for path in both if path.endswith(NOTEBOOK)):
        texts = [read_at(git, commit, path) for commit in (base, ours, theirs)]
        merged = _merge_texts(*texts)
        open_files.discard(path)
        if isinstance(merged, bytes):
            changes.append(Change(path, merged))
        else:
            conflicts.append(Conflict(path, merged))
    conflicts += [Conflict(path) for path in sorted(open_files)]
    if conflicts:
        return Merged("", tuple(conflicts))
    return Merged(write_commit(git, tree, changes, (ours, theirs), message, by))


def _is_both(
    was: Mapping[str, Held], own: Mapping[str, Held], other: Mapping[str, Held], path: str
) -> bool:
    """Tell whether both sides changed a file, each in its own way."""
    return len({was.get(path), own.get(path), other.get(path)}) == 3


def _merge_trees(git: Git, ours: str, theirs: str) -> tuple[str, set[str]]:
    """Return the merged tree as git makes it, and the files in which it has conflicts."""
    # Notebooks are merged here: the clone's own driver would only do the same a second time.
    told = git.ask(
        "-c", "merge.wardbook.driver=true",
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs,
        fine=(1,),
    )  # fmt: skip
    tree, *names = [os.fsdecode(part) for part in told.split(b"\0") if part]
    return tree, set(names)


def _merge_texts(
    base: bytes | None, ours: bytes | None, theirs: bytes | None
) -> bytes | tuple[int, ...]:
    """Return the merged notebook, or our numbers of the cells that both sides changed.

    No cells are named where one side took the notebook away, or it cannot be read.
    """
    stripped = [strip(one) for one in (base, ours, theirs) if one is not None]
    clean = [one for one in stripped if one is not None]
    if len(clean) < 3:
        return ()
    import nbformat

    was, own, other = (nbformat.reads(one.decode(), as_version=4) for one in clean)
    wanted = _choose_cells(was, own, other)
    clashes = [name for name, cell in wanted.items() if cell is _CLASH]
    if clashes:
        return _count(was, own, clashes)
    merged = _merge_notebooks(was, own, other)
    if merged is None or not _is_whole(merged, wanted):
        return ()
    text: bytes | None = strip(nbformat.writes(merged).encode())
    return () if text is None else text


_CLASH = object()


def _choose_cells(was: Any, own: Any, other: Any) -> dict[str, object]:
    """Return each cell as it is to be, by name: None where it goes, _CLASH where both changed."""
    before, ours, theirs = _cells_of(was), _cells_of(own), _cells_of(other)
    chosen: dict[str, object] = {}
    for name in {**before, **ours, **theirs}:
        base, own_cell, other_cell = before.get(name), ours.get(name), theirs.get(name)
        if own_cell in (base, other_cell):
            chosen[name] = other_cell
        else:
            chosen[name] = own_cell if other_cell == base else _CLASH
    return chosen


def _is_whole(merged: Any, wanted: Mapping[str, object]) -> bool:
    """Tell whether each cell is there once, with the changes of both sides: no edit is lost."""
    kept = {name: cell for name, cell in wanted.items() if cell is not None}
    return _cells_of(merged) == kept and len(merged.cells) == len(kept)


def _cells_of(notebook: Any) -> dict[str, object]:
    return {one.id: (one.cell_type, one.source, one.metadata) for one in notebook.cells}


def _count(was: Any, own: Any, names: list[str]) -> tuple[int, ...]:
    """Return the numbers of cells in our notebook; of those we took out, where they stood."""
    numbers = {one.id: number for number, one in enumerate(was.cells, start=1)}
    numbers |= {one.id: number for number, one in enumerate(own.cells, start=1)}
    return tuple(sorted({numbers[name] for name in names if name in numbers}))


def _merge_notebooks(was: Any, own: Any, other: Any) -> Any | None:
    """Return the merged notebook, or None where something but cells is in conflict."""
    from nbdime.merging.decisions import apply_decisions
    from nbdime.merging.notebooks import merge_notebooks

    _, decisions = merge_notebooks(was, own, other, _STRATEGY)
    for one in decisions:
        if not one.conflict:
            continue
        if tuple(one.common_path) != ("cells",):
            return None
        # Cells that both sides put at the same place: theirs first, they were pushed before.
        if one.action == "base":
            one.action = "remote_then_local"
        one.conflict = False
    return apply_decisions(was, decisions)
