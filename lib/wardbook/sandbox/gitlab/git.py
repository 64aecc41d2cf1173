"""Git plumbing over one bare repository. Every write ends in one atomic update of refs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}
ZERO = "0" * 40
FIELDS = ("%H", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")


class GitError(Exception):
    """Git refused; the text is what it said."""


@dataclass(frozen=True)
class Commit:
    """A commit; dates are ISO 8601 with zone."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored: str
    committer_name: str
    committer_email: str
    committed: str
    message: str


@dataclass(frozen=True)
class Entry:
    """An entry of a tree."""

    mode: str
    type: str
    sha: str
    path: str


@dataclass(frozen=True)
class Person:
    """Who wrote a commit."""

    name: str
    email: str

    def line(self, seconds: int) -> bytes:
        """Return the person and the time as fast-import reads them."""
        clean = [
            "".join(c for c in text if c not in "<>\n\0") or "unknown"
            for text in (self.name, self.email)
        ]
        return f"{clean[0]} <{clean[1]}> {seconds} +0000".encode()


@dataclass(frozen=True)
class Change:
    """One path's new content, or None where it is deleted."""

    path: str
    content: bytes | None
    mode: str = "100644"


class Repository:
    """One bare repository."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git and return what it printed.

        Every argument that may come from a client is a full ref name, a checked id, or follows
        `--`, so none is read as an option.

        Raises:
            GitError: git failed.
        """
        done = subprocess.run(
            ["git", "--git-dir", str(self.path), *arguments],
            input=stdin,
            capture_output=True,
            env={**ENVIRONMENT, **(extra or {})},
            check=False,
        )
        if done.returncode:
            raise GitError(done.stderr.decode(errors="replace").strip() or "git failed")
        return done.stdout

    def create(self) -> None:
        """Make an empty repository whose default branch is `main`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.run("init", "--quiet", "--bare", "--initial-branch=main", str(self.path))
        self.run("config", "http.receivepack", "true")

    def resolve(self, revision: str) -> str | None:
        """Return the commit id that a branch, tag or id means."""
        if not revision or "\0" in revision or "\n" in revision:
            return None
        names = [f"refs/heads/{revision}", f"refs/tags/{revision}"]
        if all(c in "0123456789abcdef" for c in revision) and 7 <= len(revision) <= 40:
            names.append(revision)
        if revision == "HEAD":
            names = ["HEAD"]
        for name in names:
            try:
                spec = f"{name}^{{commit}}"
                return self.run("rev-parse", "--quiet", "--verify", spec).decode().strip()
            except GitError:
                continue
        return None

    def branches(self) -> dict[str, str]:
        """Return every branch with its commit id, by name."""
        out = self.run("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/")
        rows = (line.split(" ", 1) for line in out.decode().splitlines())
        return {ref.removeprefix("refs/heads/"): sha for sha, ref in rows}

    def branch(self, name: str) -> str | None:
        """Return the commit id of a branch."""
        if not is_branch_name(name):
            return None
        try:
            spec = f"refs/heads/{name}"
            return self.run("rev-parse", "--quiet", "--verify", spec).decode().strip()
        except GitError:
            return None

    def move(self, branch: str, new: str, old: str) -> None:
        """Set a branch, only if it still is at `old` (`ZERO`: only if it is not there).

        Raises:
            GitError: it is elsewhere, or the name clashes with another branch.
        """
        self.run("update-ref", f"refs/heads/{branch}", new, old)

    def delete_branch(self, name: str, old: str) -> None:
        """Delete a branch, only if it still is at `old`."""
        self.run("update-ref", "-d", f"refs/heads/{name}", old)

    def log(
        self, revision: str, *, path: str | None = None, limit: int = -1, skip: int = 0
    ) -> list[Commit]:
        """Return the commits of a checked revision or range, newest first."""
        form = "%x00".join(FIELDS) + "%x01"
        where = ["--", path] if path else ["--"]
        out = self.run(
            "log", f"--format={form}", f"--max-count={limit}", f"--skip={skip}", revision, *where
        )
        return [read_commit(part) for part in out.decode(errors="replace").split("\x01\n") if part]

    def count(self, revision: str, path: str | None = None) -> int:
        """Return how many commits a checked revision or range has."""
        where = ["--", path] if path else ["--"]
        return int(self.run("rev-list", "--count", revision, *where))

    def commit(self, sha: str) -> Commit:
        """Return one commit."""
        return self.log(sha, limit=1)[0]

    def tree(self, sha: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """Return the entries of a commit's folder; directories too when recursive."""
        where = [path.rstrip("/") + "/"] if path else []
        options = ["-r", "-t"] if recursive else []
        out = self.run(
            "--literal-pathspecs", "ls-tree", "-z", "--full-tree", *options, sha, "--", *where
        )
        entries = []
        for line in out.decode(errors="replace").split("\0")[:-1]:
            meta, _, name = line.partition("\t")
            mode, kind, blob = meta.split()
            entries.append(Entry(mode, kind, blob, name))
        return entries

    def entry(self, sha: str, path: str) -> Entry | None:
        """Return one file of a commit, by its path."""
        out = self.run("--literal-pathspecs", "ls-tree", "-z", "--full-tree", sha, "--", path)
        for line in out.decode(errors="replace").split("\0")[:-1]:
            meta, _, name = line.partition("\t")
            mode, kind, blob = meta.split()
            if name == path and kind == "blob":
                return Entry(mode, kind, blob, name)
        return None

    def blob(self, sha: str) -> bytes:
        """Return the content of a blob."""
        return self.run("cat-file", "blob", sha)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the last common commit."""
        try:
            return self.run("merge-base", one, other).decode().strip()
        except GitError:
            return None

    def is_ancestor(self, one: str, other: str) -> bool:
        """Tell whether `one` is `other` or lies behind it."""
        return self.merge_base(one, other) == one

    def diff(self, old: str, new: str) -> bytes:
        """Return the patch between two commits, with renames."""
        return self.run(
            "-c", "core.quotePath=false", "diff-tree", "-r", "-M", "-p", "--full-index", old, new
        )

    def numbers(self, sha: str) -> tuple[int, int]:
        """Return how many lines a commit adds and deletes."""
        out = self.run("show", "--format=", "--numstat", "--no-renames", sha)
        rows = [line.split(b"\t") for line in out.splitlines() if line]
        counted = [(r[0], r[1]) for r in rows if r[0] != b"-"]
        return sum(int(a) for a, _ in counted), sum(int(d) for _, d in counted)

    def write(
        self,
        branch: str,
        parent: str | None,
        changes: Sequence[Change],
        message: str,
        author: Person,
        seconds: int,
    ) -> str:
        """Commit `changes` on top of `parent`, set the branch to it, and return the commit's id.

        One `git fast-import`: killed before its end, nothing of it is seen.
        """
        parts = [f"commit refs/heads/{branch}\nmark :1\n".encode()]
        parts += [word + author.line(seconds) + b"\n" for word in (b"author ", b"committer ")]
        parts.append(data(message.encode()))
        if parent:
            parts.append(f"from {parent}\n".encode())
        for change in changes:
            if change.content is None:
                parts.append(b"D " + quote(change.path) + b"\n")
            else:
                parts.append(f"M {change.mode} inline ".encode() + quote(change.path) + b"\n")
                parts.append(data(change.content))
        parts.append(b"\nget-mark :1\ndone\n")
        out = self.run("fast-import", "--quiet", "--done", stdin=b"".join(parts))
        return out.decode().strip()

    def merge(self, target: str, source: str, message: str, person: Person, seconds: int) -> str:
        """Make the commit that merges two commits, without moving any branch; return its id.

        Raises:
            GitError: they conflict.
        """
        tree = self.run("merge-tree", "--write-tree", target, source).decode().splitlines()[0]
        return self.commit_tree(tree, [target, source], message, person, seconds)

    def commit_tree(
        self, tree: str, parents: Sequence[str], message: str, person: Person, seconds: int
    ) -> str:
        """Make a commit of a tree, without moving any branch; return its id."""
        who: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            who |= {
                f"GIT_{role}_NAME": person.name,
                f"GIT_{role}_EMAIL": person.email,
                f"GIT_{role}_DATE": f"{seconds} +0000",
            }
        options = [part for parent in parents for part in ("-p", parent)]
        out = self.run("commit-tree", tree, *options, stdin=message.encode(), extra=who)
        return out.decode().strip()

    def conflicts(self, target: str, source: str) -> bool:
        """Tell whether two commits cannot be merged."""
        try:
            self.run("merge-tree", "--write-tree", target, source)
        except GitError:
            return True
        return False


def read_commit(text: str) -> Commit:
    """Parse one commit of our `log` format."""
    sha, parents, an, ae, at, cn, ce, ct, message = text.split("\0")
    return Commit(sha, tuple(parents.split()), an, ae, at, cn, ce, ct, message.rstrip("\n"))


def data(content: bytes) -> bytes:
    """Return fast-import's form of a run of bytes."""
    return b"data %d\n%b\n" % (len(content), content)


def quote(path: str) -> bytes:
    """Return fast-import's form of a path."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode()


def is_branch_name(name: str) -> bool:
    """Tell whether git accepts the name of a branch; `git check-ref-format` states the rules."""
    if not name or name.startswith(("-", "/")) or name == "HEAD":
        return False
    if any(ord(c) < 33 or c in "~^:?*[\\\x7f" for c in name) or ".." in name or "@{" in name:
        return False
    return all(
        part and not part.startswith(".") and not part.endswith(".lock") for part in name.split("/")
    ) and not name.endswith(".")


def is_file_path(path: str) -> bool:
    """Tell whether a path may be committed: relative, no dots-only parts, no `.git`."""
    parts = path.split("/")
    return "\0" not in path and all(
        part not in ("", ".", "..") and part.lower() != ".git" for part in parts
    )
