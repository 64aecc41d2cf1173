"""Merges what somebody else pushed: notebooks cell by cell, everything else as git does."""

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

# What both sides changed is left to a person; what nobody wrote is not asked about.
_STRATEGY = SimpleNamespace(
    merge_strategy="mergetool",
    input_strategy=None,
    output_strategy=None,
    ignore_transients=True,
    log_level="INFO",
)


@dataclass(frozen=True)
class Merged:
    """Two commits merged into `commit`; "" where `conflicts` names files, and their cells."""

    commit: str
    conflicts: tuple[str, ...] = ()


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
            conflicts.append(path + (f" ({', '.join(map(str, merged))})" if merged else ""))
    conflicts += sorted(open_files)
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
    told = git.ask(
        "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, fine=(1,)
    )
    tree, *names = [os.fsdecode(part) for part in told.split(b"\0") if part]
    return tree, set(names)


def _merge_texts(
    base: bytes | None, ours: bytes | None, theirs: bytes | None
) -> bytes | tuple[int, ...]:
    """Return the merged notebook, or the cells (from 1) that both sides changed.

    No cells are named where one side took the notebook away, or it cannot be read.
    """
    stripped = [strip(one) for one in (base, ours, theirs) if one is not None]
    clean = [one for one in stripped if one is not None]
    if len(clean) < 3:
        return ()
    import nbformat
    from nbdime.merging.notebooks import merge_notebooks

    merged, decisions = merge_notebooks(
        *(nbformat.reads(one.decode(), as_version=4) for one in clean), _STRATEGY
    )
    open_ones = [one for one in decisions if one.conflict]
    if open_ones:
        return tuple(sorted({_cell_of(one) for one in open_ones} - {0}))
    text: bytes | None = strip(nbformat.writes(merged).encode())
    return () if text is None else text


def _cell_of(decision: Any) -> int:
    path = tuple(decision.common_path)
    if len(path) > 1 and path[0] == "cells":
        return int(path[1]) + 1
    keys = [
        one.key
        for diff in (decision.local_diff, decision.remote_diff)
        for one in diff or ()
        if path == ("cells",)
    ]
    return int(min(keys)) + 1 if keys else 0
