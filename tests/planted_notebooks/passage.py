"""The way of a notebook from an analyst's clone to the server, by real git, and those around it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.planted_notebooks.plain import compact, read_everything
from tests.planted_notebooks.planting import (
    ANALYST,
    BROKEN,
    PLUMBED,
    RECORD,
    UNFILTERED,
    UNHOOKED,
    Case,
)

ROOT = Path(__file__).resolve().parents[2]
WHO = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
PERSON = ("-c", "user.name=Analyst", "-c", "user.email=analyst@unit.invalid")
MARK = re.compile(r"n\d{4}")
SHA = re.compile(r"\b([0-9a-f]{8})(?:[0-9a-f]{32})?\b")
BATCH = 60


@dataclass
class Passage:
    """What became of the cases: numbers of those that were refused, and where."""

    refused: dict[int, str] = field(default_factory=dict)
    said: dict[int, str] = field(default_factory=dict)


class World:
    """A server that checks what it receives, and three clones of it.

    The analyst's is set up; so is that of somebody in a hurry, who leaves out the hooks; the third
    never was: it has neither filter nor hooks.

    `guarded=False` is plain git; `stripper` is a filter of somebody else's instead of ours.
    """

    def __init__(self, folder: Path, *, guarded: bool = True, stripper: str = "") -> None:
        self.folder, self.guarded = folder, guarded
        folder.mkdir(parents=True, exist_ok=True)
        self.server = folder / "server.git"
        self.git(folder, "init", "-q", "--bare", "-b", "main", str(self.server))
        self.clone, self.hurried = folder / "clone", folder / "hurried"
        self.bare = folder / "bare"
        self.git(folder, "clone", "-q", str(self.server), str(self.clone))
        (self.clone / "README.md").write_text("Unit\n", encoding="utf-8")
        self.git(self.clone, "checkout", "-q", "-B", "main")
        self.git(self.clone, "add", "README.md")
        self.git(self.clone, "commit", "-q", "-m", "Begin")
        self.git(self.clone, "push", "-q", "origin", "main")
        for clone in (self.hurried, self.bare):
            self.git(folder, "clone", "-q", str(self.server), str(clone))
        for clone in (self.clone, self.hurried):
            if guarded:
                self._run([*PROGRAM, "check-commit", "--install"], clone)
            elif stripper:
                self._use(clone, stripper)
        if guarded:
            hook = self.server / "hooks" / "pre-receive"
            shipped = (ROOT / "hooks" / "pre-receive").read_text(encoding="utf-8")
            hook.write_text(shipped.replace("exec wardbook", f"exec {shlex.join(PROGRAM)}"))
            hook.chmod(0o755)

    def _use(self, clone: Path, stripper: str) -> None:
        self.git(clone, "config", "filter.other.clean", stripper)
        (clone / ".git" / "info" / "attributes").write_text("*.ipynb filter=other\n")

    def git(self, folder: Path, *arguments: str, given: str = "", check: bool = True) -> str:
        done = self._run(["git", *PERSON, *arguments], folder, given=given, check=check)
        return done.stdout + done.stderr if done.returncode else done.stdout

    def tries(self, folder: Path, *arguments: str) -> str | None:
        """Return what git says where it refuses, None where it does not."""
        done = self._run(["git", *PERSON, *arguments], folder, check=False)
        return None if done.returncode == 0 else done.stdout + done.stderr

    def _run(
        self, command: list[str], folder: Path, *, given: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=folder, env=os.environ | WHO, capture_output=True, text=True, input=given,
            errors="replace",
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{shlex.join(command)[:300]}: {done.stdout}{done.stderr}")
        return done

    def send(self, cases: Iterable[Case]) -> Passage:
        """Send each case its way; returns what was refused."""
        passage, listed = Passage(), list(cases)
        analyst = [one for one in listed if one.way == ANALYST]
        for first in range(0, len(analyst), BATCH):
            self._send_as_analyst(analyst[first : first + BATCH], passage)
        self._send_unlooked(self.hurried, [one for one in listed if one.way == UNHOOKED], passage)
        open_ones = [one for one in listed if one.way in (UNFILTERED, PLUMBED)]
        self._send_unlooked(self.bare, open_ones, passage)
        return passage

    def _send_as_analyst(self, cases: list[Case], passage: Passage) -> None:
        """Add, commit and push; what git refuses is left out, and the rest tried again."""
        clone = self.clone
        files = {one.path: one for one in cases if one.group != RECORD}
        for one in files.values():
            _write(clone / one.path, one.content)
        waiting = dict(files)
        for one in files.values():
            # One that cannot be read stops the whole `git add`: those likely to come alone.
            if one.group == BROKEN and (told := self.tries(clone, "add", "-f", "--", one.path)):
                self._blame(told, waiting, "git add", passage)
                del waiting[one.path]
        while waiting and (told := self.tries(clone, "add", "-f", "--", *waiting)):
            one = self._blame(told, waiting, "git add", passage)
            del waiting[one.path]
        self._commit(waiting, passage)
        for one in cases:
            if one.group == RECORD:
                self._send_record(clone, one, passage)

    def _commit(self, waiting: dict[str, Case], passage: Passage) -> None:
        clone = self.clone
        while waiting and (told := self.tries(clone, "commit", "-q", "-m", "Work on notebooks")):
            for number in self._marks(told):
                found = [path for path, one in waiting.items() if one.number == number]
                for path in found:
                    passage.refused[number], passage.said[number] = "git commit", told
                    self.git(clone, "rm", "-q", "-f", "--cached", "--", path)
                    del waiting[path]
                assert found, told
        if told := self.tries(clone, "push", "-q", "origin", "main"):
            raise AssertionError(f"the commit's check and the push's disagree: {told}")

    def _blame(self, told: str, waiting: dict[str, Case], by: str, passage: Passage) -> Case:
        marks = self._marks(told)
        one = next(one for one in waiting.values() if one.number in marks)
        passage.refused[one.number], passage.said[one.number] = by, told
        return one

    def _marks(self, told: str) -> set[int]:
        marks = {int(mark[1:]) for mark in MARK.findall(told)}
        assert marks, told
        return marks

    def _send_record(self, clone: Path, one: Case, passage: Passage) -> None:
        """Commit on a branch of its own with a plant beside the files, and push."""
        told = self._make_record(clone, one, bypass=False)
        by = "git commit"
        if told is None:
            by = "git push"
            told = self.tries(clone, "push", "-q", "origin", *self._refs_of(one))
        if told is not None:
            passage.refused[one.number], passage.said[one.number] = by, told
            self._forget(clone, one)
        self.git(clone, "checkout", "-q", "-f", "main")

    def _forget(self, clone: Path, one: Case) -> None:
        for ref in self._refs_of(one):
            self.git(clone, "update-ref", "-d", ref, check=False)

    def _refs_of(self, one: Case) -> list[str]:
        named = {"branch": f"refs/heads/{one.mark}/{_as_name(one)}",
                 "tag": f"refs/tags/{one.mark}/{_as_name(one)}",
                 "tag's message": f"refs/tags/{one.mark}",
                 "note": f"refs/notes/{one.mark}"}  # fmt: skip
        plain = [] if one.corner == "branch" else [f"refs/heads/{one.mark}"]
        return [*plain, *([named[one.corner]] if one.corner in named else [])]

    def _make_record(self, clone: Path, one: Case, *, bypass: bool) -> str | None:
        text = one.plants[0].text.replace("\n", " ")
        force = ("--no-verify",) if bypass else ()
        branch = self._refs_of(one)[0] if one.corner == "branch" else one.mark
        self.git(clone, "checkout", "-q", "-f", "-B", branch.removeprefix("refs/heads/"), "main")
        _write(clone / one.path, one.content)
        self.git(clone, "add", "--", one.path)
        if one.corner == "link":
            link = clone / f"{one.mark}-link"
            link.symlink_to(_as_name(one))
            self.git(clone, "add", "--", link.name)
        author = f"{text.replace('<', '').replace('>', '')} <x@unit.invalid>"
        extra = ("--author", author) if one.corner == "author" else ()
        message = f"Work {text}" if one.corner == "message" else "Work"
        told = self.tries(clone, "commit", "-q", *force, *extra, "-m", message)
        if told is None and one.corner == "header":
            raw = self.git(clone, "cat-file", "commit", "HEAD")
            raw = raw.replace("\n\n", f"\nseen {text}\n\n", 1)
            sha = self.git(clone, "hash-object", "-t", "commit", "-w", "--stdin", given=raw)
            self.git(clone, "update-ref", f"refs/heads/{one.mark}", sha.strip())
        elif told is None and one.corner in ("tag", "tag's message"):
            name = self._refs_of(one)[1].removeprefix("refs/tags/")
            self.git(clone, "tag", *(() if one.corner == "tag" else ("-a", "-m", text)), name)
        elif told is None and one.corner == "note":
            self.git(clone, "notes", "--ref", one.mark, "add", "-m", text, "HEAD")
        return told

    def _send_unlooked(self, clone: Path, cases: list[Case], passage: Passage) -> None:
        """Commit each on a branch of its own, push all; what the server names is left out."""
        refs: dict[int, list[str]] = {}
        commits: dict[str, int] = {}
        by_number = {one.number: one for one in cases}
        for one in cases:
            if told := self._commit_unlooked(clone, one):
                passage.refused[one.number], passage.said[one.number] = "git add", told
                continue
            refs[one.number] = self._refs_of(one)
            for ref in refs[one.number]:
                for sha in self.git(clone, "rev-list", "--objects", ref, "^main").split("\n"):
                    commits[sha[:8]] = one.number
                commits[self.git(clone, "rev-parse", ref).strip()[:8]] = one.number
        while refs and (told := self._push(clone, list(refs.values()))):
            numbers = {commits[sha] for sha in SHA.findall(told) if sha in commits}
            numbers |= {int(mark[1:]) for mark in MARK.findall(told)} & set(by_number)
            numbers &= set(refs)
            for number in numbers or list(refs):
                # Where what is told names none, each is tried alone.
                alone = told if numbers else self._push(clone, [refs[number]])
                del refs[number]
                if alone:
                    passage.refused[number], passage.said[number] = "the server", alone

    def _push(self, clone: Path, refs: list[list[str]]) -> str | None:
        wanted = [ref for some in refs for ref in some]
        told = self.tries(clone, "push", "-q", "--no-verify", "origin", *wanted)
        # The server's list of refs names them all; only what the hook says counts.
        return None if told is None else "\n".join(
            line for line in told.splitlines() if line.startswith("remote: ")
        )  # fmt: skip

    def _commit_unlooked(self, clone: Path, one: Case) -> str | None:
        if one.group == RECORD:
            return self._make_record(clone, one, bypass=True)
        if one.way == PLUMBED:
            self._plumb(clone, one)
            return None
        self.git(clone, "checkout", "-q", "-f", "-B", one.mark, "main")
        _write(clone / one.path, one.content)
        told = self.tries(clone, "add", "-f", "--", one.path)
        if told is None:
            self.git(clone, "commit", "-q", "--no-verify", "--allow-empty", "-m", "Work")
        else:
            (clone / one.path).unlink()
        return told

    def _plumb(self, clone: Path, one: Case) -> None:
        source = clone / ".git" / "planted"
        source.write_bytes(one.content)
        blob = self.git(clone, "hash-object", "-w", "--no-filters", str(source)).strip()
        self.git(clone, "read-tree", "main")
        entry = f"100644,{blob},{one.path}"
        self.git(clone, "update-index", "--add", "--cacheinfo", entry)
        tree = self.git(clone, "write-tree").strip()
        sha = self.git(clone, "commit-tree", "-p", "main", "-m", "Work", tree).strip()
        self.git(clone, "update-ref", f"refs/heads/{one.mark}", sha)

    def readings(self) -> str:
        """Return all that is in the server's and the careful clone's history, read every way."""
        told: list[str] = []
        for folder in (self.server, self.clone):
            told += (compact(text) for text in self._read_history(folder))
        return "\n".join(told)

    def paths(self) -> set[str]:
        """Return the marks of files that arrived at the server."""
        return set(MARK.findall(self.git(self.server, "log", "--all", "--format=", "--name-only")))

    def _read_history(self, folder: Path) -> Iterator[str]:
        yield from read_everything(self.git(folder, "for-each-ref").encode())
        # At the server everything counts that is stored; in a clone what its branches hold.
        listed = self.git(folder, "rev-list", "--objects", "--all")
        shas = {line.split(" ")[0] for line in listed.splitlines()}
        yield from read_everything(listed.encode())
        if folder == self.server:
            stored = self.git(folder, "cat-file", "--batch-all-objects", "--batch-check")
            shas |= {line.split(" ")[0] for line in stored.splitlines()}
        done = subprocess.run(
            ["git", "cat-file", "--batch"], cwd=folder, input="\n".join(sorted(shas)).encode(),
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        while done:
            head, _, done = done.partition(b"\n")
            kind, size = head.split()[1:]
            content, done = done[: int(size)], done[int(size) + 1 :]
            if kind == b"tree":
                content = content.replace(b"\0", b"\n")
            yield from read_everything(content)


PROGRAM = ["/usr/bin/env", f"PYTHONPATH={ROOT / 'lib'}:{ROOT}", sys.executable, "-m",
           "pipelines.cli"]  # fmt: skip


def _as_name(one: Case) -> str:
    return re.sub(r"[^\w@.-]+", "_", one.plants[0].text)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
