"""The request's files, as they lie on the desk and as git holds them.

What is committed is built from bytes that were read once, stripped and checked: neither the clone's
index nor its filters and hooks have a say in it, so nothing slips in where those were changed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.bench.git import Git
from wardbook.errors import Refusal
from wardbook.files import write_atomically

PLAIN, PROGRAM, NOTHING = "100644", "100755", "000000"
NOTEBOOK = ".ipynb"
BRINGING = "refs/bench/bringing"
"""The commit to which branch and desk are being brought, until they are there."""


class NotPlain(Refusal):
    """Something in the request's folder that is no ordinary file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is a link or a repository of its own. Take it out of the folder.")
        self.path = path


@dataclass(frozen=True)
class Held:
    """A file as a commit holds it."""

    mode: str
    blob: str


@dataclass(frozen=True)
class Change:
    """A file that differs from a commit's: what git is to hold, or None where it is gone."""

    path: str
    content: bytes | None
    mode: str = PLAIN


@dataclass(frozen=True)
class Person:
    """Whose commit it is: the owner of the token, as GitLab knows them."""

    name: str
    email: str


def files_at(git: Git, commit: str, *paths: str) -> dict[str, Held]:
    """Return the files that a commit holds at or below these paths."""
    listed = git.ask(
        "--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths
    )
    found = {}
    for line in _split(listed):
        about, _, path = line.partition("\t")
        mode, _, blob = about.split()
        found[path] = Held(mode, blob)
    return found


def read_at(git: Git, commit: str, path: str) -> bytes | None:
    """Return a file of a commit, or None where it is not in it."""
    held = files_at(git, commit, path).get(path)
    return git.ask("cat-file", "blob", held.blob) if held else None


def strip(content: bytes) -> bytes | None:
    """Return a notebook as git may hold it, or None where it is none."""
    from wardbook.stripping import strip_notebook

    try:
        return strip_notebook(content.decode("utf-8-sig")).encode()
    except (Refusal, UnicodeDecodeError):
        return None


def find_changes(git: Git, commit: str, folder: str) -> list[Change]:
    """Return what differs between a commit and the files of a folder, without what git ignores.

    A notebook that differs by what stripping takes away does not differ. One that cannot be read
    is returned as it is.

    Raises:
        NotPlain: something in the folder is no ordinary file.
    """
    held = files_at(git, commit, f"{folder}/")
    there = git.ask(
        "--literal-pathspecs", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
        "--", folder,
    )  # fmt: skip
    paths = sorted({*held, *_split(there)})
    return [one for path in paths for one in _find_change(git, path, held.get(path))]


def _find_change(git: Git, path: str, held: Held | None) -> Iterator[Change]:
    content = read_plain(git.folder, path)
    mode = held.mode if held else PLAIN
    if content is None:
        if held:
            yield Change(path, None, mode)
        return
    if not is_held(git, path, content, held):
        clean = strip(content) if path.endswith(NOTEBOOK) else None
        yield Change(path, content if clean is None else clean, mode)


def read_plain(root: Path, path: str) -> bytes | None:
    """Return a file of the desk, or None where there is none.

    Raises:
        NotPlain: it is a link or a folder, or lies behind one.
    """
    file = root / path
    if not os.path.lexists(file):
        return None
    if file.is_symlink() or not file.is_file() or file.parent.resolve() != _whole(root, path):
        raise NotPlain(path)
    return file.read_bytes()


def _whole(root: Path, path: str) -> Path:
    return (root.resolve() / path).parent


def is_held(git: Git, path: str, content: bytes, held: Held | None) -> bool:
    """Tell whether git holds this content of a file already, but for what it would not keep."""
    if held is None or blob_of(content) == held.blob:
        return held is not None
    if path.endswith(NOTEBOOK):
        clean = strip(content)
        return clean is not None and clean == strip(git.ask("cat-file", "blob", held.blob))
    told = git.ask("hash-object", "--stdin", f"--path={path}", stdin=content)
    return told.decode().strip() == held.blob


def blob_of(content: bytes) -> str:
    """Return the name that git gives to this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def write_commit(
    git: Git, tree: str, changes: Iterable[Change], parents: Sequence[str], message: str, by: Person
) -> str:
    """Make a commit of a tree with changes, without moving any branch; returns its name."""
    lines = []
    for one in changes:
        blob = "0" * 40 if one.content is None else _store(git, one.path, one.content)
        lines.append(f"{'0' if one.content is None else one.mode} {blob}\t{one.path}\0")
    with TemporaryDirectory() as scratch:
        own = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        git.ask("read-tree", tree, extra=own)
        told = os.fsencode("".join(lines))
        git.ask("update-index", "-z", "--index-info", stdin=told, extra=own)
        made = git.ask("write-tree", extra=own).decode().strip()
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", by.name), ("EMAIL", by.email))
    }
    options = [part for parent in parents for part in ("-p", parent)]
    encoding = ("-c", "i18n.commitEncoding=UTF-8")
    text = message.strip() + "\n"
    commit = git.ask(*encoding, "commit-tree", made, *options, stdin=text.encode(), extra=who)
    return commit.decode().strip()


def _store(git: Git, path: str, content: bytes) -> str:
    # A notebook is stripped already; of other files git changes line ends where the project says.
    how = "--no-filters" if path.endswith(NOTEBOOK) else f"--path={path}"
    return git.ask("hash-object", "-w", "--stdin", how, stdin=content).decode().strip()


def bring(git: Git, branch: str, old: str, new: str) -> list[str]:
    """Bring branch and desk from one commit to another; edits that are not committed stay.

    Returns:
        The files that are not as in the old commit although the new one changes them: then nothing
        was done.
    """
    moved = _differences(git, old, new)
    in_the_way = [path for path, (was, now) in moved.items() if not _is_free(git, path, was, now)]
    if in_the_way:
        return in_the_way
    # Files first: cut off here, the next call goes on; the other way round they would take back
    # what the new commit brings.
    git.ask("update-ref", BRINGING, new)
    for path, (_, now) in moved.items():
        _lay_out(git, path, now)
    git.ask("update-ref", "-m", "wardbook: bring", f"refs/heads/{branch}", new, old)
    settle_index(git, list(moved))
    git.ask("update-ref", "-d", BRINGING)
    return []


def finish_bringing(git: Git, branch: str) -> None:
    """Go on where `bring` was cut off, unless a file was edited since: then it is an edit."""
    new = git.answer("rev-parse", "-q", "--verify", BRINGING)
    if not new:
        return
    old = git.ask("rev-parse", "HEAD").decode().strip()
    if git.answer("merge-base", old, new) == old:
        bring(git, branch, old, new)
    settle_index(git, ["."])
    git.ask("update-ref", "-d", BRINGING)


def settle_index(git: Git, paths: Sequence[str]) -> None:
    """Let the index hold of these files or folders what the branch holds."""
    if paths:
        told = os.fsencode("\0".join(paths))
        git.ask(
            "--literal-pathspecs", "reset", "-q", "--no-refresh",
            "--pathspec-from-file=-", "--pathspec-file-nul",
            stdin=told,
        )  # fmt: skip


def _differences(git: Git, old: str, new: str) -> dict[str, tuple[Held, Held]]:
    parts = _split(git.ask("diff-tree", "-r", "-z", "--raw", "--no-renames", old, new))
    found = {}
    for about, path in zip(parts[::2], parts[1::2], strict=True):
        was, now, before, after, _ = about.removeprefix(":").split()
        found[path] = (Held(was, before), Held(now, after))
    return found


def _is_free(git: Git, path: str, was: Held, now: Held) -> bool:
    """Tell whether a file may be replaced: it is as it was, or already as it is to be."""
    if not {was.mode, now.mode} <= {PLAIN, PROGRAM, NOTHING}:
        return False
    try:
        content = read_plain(git.folder, path)
    except NotPlain:
        return False
    if content is None:
        return NOTHING in (was.mode, now.mode)
    return any(is_held(git, path, content, one) for one in (was, now) if one.mode != NOTHING)


def _lay_out(git: Git, path: str, now: Held) -> None:
    file = git.folder / path
    if now.mode == NOTHING:
        file.unlink(missing_ok=True)
        with suppress(OSError):
            file.parent.rmdir()
        return
    how = ("blob",) if path.endswith(NOTEBOOK) else ("--filters", f"--path={path}")
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o755 if now.mode == PROGRAM else 0o644
    write_atomically(file, git.ask("cat-file", *how, now.blob), mode=mode)


def _split(listed: bytes) -> list[str]:
    return [os.fsdecode(part) for part in listed.split(b"\0") if part]
