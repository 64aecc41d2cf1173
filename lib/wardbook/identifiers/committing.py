"""Asks a repository what it is about to take in, and judges it: before a commit, at a push."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wardbook.identifiers.allowances import Allowances
from wardbook.identifiers.commits import (
    Objection,
    check_files,
    check_link,
    check_message,
    check_object,
)
from wardbook.identifiers.context import Context
from wardbook.identifiers.repository import FOLDER, LINK, MODULE, Entry, Range, Repository


def check_staged(
    repository: Repository, allowances: Allowances, context: Context
) -> tuple[Objection, ...]:
    """Return what must not be in the next commit."""
    staged = repository.staged()
    return _sort(
        [
            *_check_entries(repository, staged, allowances, context),
            *check_message(repository.branch(), repository.branch(), context),
        ]
    )


def check_range(
    repository: Repository, wanted: Range, allowances: Allowances, context: Context
) -> tuple[Objection, ...]:
    """Return what must not be in the history of what commits of a range bring.

    Looked at are files and their names, links, messages, authors, tags, notes, and the names of
    the branches and tags that they are pushed to.
    """
    found = _check_entries(repository, repository.brought(wanted), allowances, context)
    return _sort([*found, *_check_records(repository, wanted, context)])


def _sort(found: list[Objection]) -> tuple[Objection, ...]:
    return tuple(sorted(set(found)))


def _check_entries(
    repository: Repository, entries: Sequence[Entry], allowances: Allowances, context: Context
) -> Iterator[Objection]:
    yield from check_files(repository.contents(entries), allowances, context)
    modes = {one.path: one.mode for one in entries}
    links = [one for one in entries if one.mode == LINK]
    for path, target in repository.contents(links):
        yield from check_link(path, target.decode(errors="replace"))
    for path, mode in modes.items():
        if mode == MODULE:
            yield Objection(path, 1, "submodule")
        if mode in (MODULE, FOLDER):
            yield from check_files([(path, b"")], allowances, context)


def _check_records(repository: Repository, wanted: Range, context: Context) -> Iterator[Objection]:
    for kind, name, content in repository.records(wanted):
        if kind == "blob":
            yield from check_files([(name, content)], Allowances(), context)
        else:
            yield from check_object(name, content.decode(errors="replace"), context)
    for name, revision in zip(wanted.names, wanted.revisions, strict=True):
        yield from check_message(name, name, context)
        if wanted.known and repository.peel(revision) != "commit":
            yield Objection(name, 0, "no_commit")
