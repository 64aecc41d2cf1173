"""Reads from a git repository what is about to be committed, merged or received."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wardbook.errors import EnvironmentFault, Refusal

ZERO = "0" * 40


@dataclass(frozen=True)
class Range:
    """Commits: those of revisions as git writes them; or of them only what no branch has yet."""

    revisions: tuple[str, ...]
    unknown_only: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """The range as git's arguments; no revision is taken for an option."""
        known = ("--not", "--all", "--not") if self.unknown_only else ()
        return (*known, "--end-of-options", *self.revisions, "--")


class Repository:
    """The git repository at a folder, also within a hook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def staged_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of what the next commit adds or changes."""
        listed = self._ask(
            "diff", "--cached", "--name-only", "--no-renames", "--diff-filter=ACMT", "-z"
        )
        for path in _split(listed):
            yield path, self._ask("show", f":{path}")

    def new_files(self, wanted: Range) -> Iterator[tuple[str, bytes]]:
        """Yield path and content of every version of a file that commits of a range bring.

        What one commit adds and the next removes is among them: it would be in the history.
        """
        objects = self._ask("rev-list", "--objects", *wanted.arguments)
        for line in objects.decode(errors="surrogateescape").splitlines():
            sha, _, path = line.partition(" ")
            if path and self._ask("cat-file", "-t", sha).strip() == b"blob":
                yield path, self._ask("cat-file", "blob", sha)

    def messages(self, wanted: Range) -> Iterator[tuple[str, str]]:
        """Yield the short name and the message of every commit of a range."""
        told = self._ask("log", "--format=%h%x00%B%x00", "-z", *wanted.arguments)
        parts = told.decode(errors="replace").split("\0")
        for place in range(0, len(parts) - 2, 3):
            yield parts[place], parts[place + 1]

    def read(self, place: str) -> bytes | None:
        """Return the content of `REVISION:PATH`, or None where there is none."""
        try:
            return self._ask("show", "--end-of-options", place)
        except Refusal:
            return None

    def hooks_folder(self) -> Path:
        """Return the folder of hooks, as git is configured."""
        told = self._ask("rev-parse", "--git-path", "hooks").decode().strip()
        return self.folder / told

    def _ask(self, *arguments: str) -> bytes:
        # An argument list, never a shell; a revision that begins with "-" is refused before.
        try:
            done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True)
        except FileNotFoundError:
            raise EnvironmentFault("git is not installed: apt-get install git") from None
        if done.returncode != 0:
            told = done.stderr.decode(errors="replace").strip().splitlines()
            raise Refusal(f"git {arguments[0]}: {told[-1] if told else 'failed'}")
        return done.stdout


def _split(listed: bytes) -> list[str]:
    return [path.decode(errors="surrogateescape") for path in listed.split(b"\0") if path]


def read_received(lines: Sequence[str]) -> Range:
    """Return what a push brings, from the lines of git's pre-receive hook.

    A deleted branch brings nothing.
    """
    new = (line.split(" ", 2)[1] for line in lines)
    return Range(tuple(sha for sha in new if sha != ZERO), unknown_only=True)
