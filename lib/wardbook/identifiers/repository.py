"""Reads from a git repository what is about to be committed, merged or received."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from wardbook.errors import EnvironmentFault, Refusal

GIT = ("git", "--no-replace-objects")
"""Somebody may push refs/replace/ first, by which git shows another commit than the pushed one."""

LINK, MODULE, FOLDER = "120000", "160000", "040000"


@dataclass(frozen=True)
class Range:
    """Commits: those of revisions as git writes them; or of them only what is not known yet.

    Args:
        revisions: as git writes them.
        known: git's options for what is known: `--all` at a server, `--remotes` in a clone.
        names: of the branches and tags that they come for.
    """

    revisions: tuple[str, ...]
    known: str = ""
    names: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """The range as git's arguments; no revision is taken for an option."""
        known = ("--not", self.known, "--not") if self.known else ()
        return (*known, "--end-of-options", *self.revisions, "--")


@dataclass(frozen=True)
class Entry:
    """A file, link, folder or submodule that a commit adds or changes."""

    path: str
    mode: str
    sha: str


class Repository:
    """The git repository at a folder, also within a hook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def staged(self) -> tuple[Entry, ...]:
        """Return what the next commit adds or changes."""
        return tuple(_read_raw(self._ask("diff", "--cached", *RAW)))

    def brought(self, wanted: Range) -> tuple[Entry, ...]:
        """Return every version of everything that commits of a range bring.

        What one commit adds and the next removes is among them: it would be in the history. A
        merge brings what is in none of its parents.
        """
        shown = ("--format=", "--no-show-signature", "--root", "-c", "-t")
        told = self._ask("log", *shown, *RAW, *wanted.arguments)
        return tuple(dict.fromkeys(_read_raw(told)))

    def contents(self, entries: Iterable[Entry]) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of files and links; folders and submodules have none."""
        files = [one for one in entries if one.mode not in (MODULE, FOLDER)]
        for one, (_, content) in zip(files, self._objects(file.sha for file in files), strict=True):
            yield one.path, content

    def records(self, wanted: Range) -> Iterator[tuple[str, str, bytes]]:
        """Yield kind, name and content of the commits and tags of a range, as git stores them.

        So are the files that no commit names: a tag may stand for a file or a folder alone.
        """
        listed = self._ask("rev-list", "--objects", *wanted.arguments).splitlines()
        shas = [line.partition(b" ")[0].decode() for line in listed]
        if not shas:
            return
        given = "\n".join(shas).encode() + b"\n"
        kinds = self._ask("cat-file", "--batch-check=%(objecttype)", given=given).decode().split()
        named = {entry.sha for entry in self.brought(wanted)}
        asked = [
            sha
            for sha, kind in zip(shas, kinds, strict=True)
            if kind in ("commit", "tag") or (kind == "blob" and sha not in named)
        ]
        for sha, (kind, content) in zip(asked, self._objects(iter(asked)), strict=True):
            yield kind, f"{kind} {sha[:8]}", content

    def peel(self, revision: str) -> str:
        """Return the kind of what a branch or tag stands for in the end: a `commit`, or not."""
        return self._ask("cat-file", "-t", f"{revision}^{{}}").decode().strip()

    def branch(self) -> str:
        """Return the name of the branch that is checked out, "" where there is none."""
        try:
            return self._ask("symbolic-ref", "--quiet", "HEAD").decode(errors="replace").strip()
        except Refusal:
            return ""

    def read(self, place: str) -> bytes | None:
        """Return the content of `REVISION:PATH`, or None where there is none."""
        try:
            return self._ask("show", "--end-of-options", place)
        except Refusal:
            return None

    def _objects(self, shas: Iterator[str]) -> Iterator[tuple[str, bytes]]:
        """Yield kind and content of objects, from one process for all."""
        process = subprocess.Popen(
            [*GIT, "cat-file", "--batch"],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        asked, told = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        with process:
            for sha in shas:
                asked.write(f"{sha}\n".encode())
                asked.flush()
                head = told.readline().split()
                if len(head) != 3:
                    raise Refusal(f"git cat-file: {sha[:8]} is missing. Run git fsck.")
                yield head[1].decode(), told.read(int(head[2]))
                told.read(1)

    def _ask(self, *arguments: str, given: bytes | None = None) -> bytes:
        # An argument list, never a shell; a revision that begins with "-" is refused before.
        try:
            done = subprocess.run(
                [*GIT, *arguments], cwd=self.folder, capture_output=True, input=given
            )
        except FileNotFoundError:
            raise EnvironmentFault("git is not installed: apt-get install git") from None
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise Refusal(f"git {arguments[0]}: {told[-1] if told else 'failed'}")
        return done.stdout


RAW = ("--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", "-z")


def _read_raw(told: bytes) -> Iterator[Entry]:
    """Read git's raw form: `:MODE MODE SHA SHA STATUS`, with as many colons as parents; then path.

    What it deletes is left out.
    """
    parts = iter(told.split(b"\0"))
    for part in parts:
        head = part.lstrip(b"\n")
        if not head.startswith(b":"):
            continue
        parents = len(head) - len(head.lstrip(b":"))
        fields = head[parents:].decode().split(" ")
        path = next(parts).decode(errors="surrogateescape")
        if not _is_nothing(fields[2 * parents + 1]):
            yield Entry(path, fields[parents], fields[2 * parents + 1])


def read_pushed(lines: Sequence[str], known: str) -> Range:
    """Return what a push brings, from the lines of git's hook pre-receive or pre-push.

    `known` is git's option for what is there already. A deleted branch brings nothing.
    """
    # OLD NEW NAME before receiving; LOCAL-NAME NEW NAME OLD before sending.
    rows = [line.split(" ") for line in lines if line.count(" ") >= 2]
    brought = [row for row in rows if not _is_nothing(row[1])]
    return Range(tuple(row[1] for row in brought), known, tuple(row[2] for row in brought))


def _is_nothing(sha: str) -> bool:
    return not sha.strip("0")
