"""Compare: the notebook as it is beside GitLab's version, or beside that of the last release."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.bench.clone import (
    fetch,
    git_of,
    locked,
    project_of,
    refuse,
    tell_commit,
    upstream_of,
)
from pipelines.bench.desk import Place
from pipelines.bench.git import Git, GitFailed
from pipelines.bench.tree import read_at, strip
from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.files import write_atomically
from wardbook.messages import say

Against = Literal["version", "release"]
_RELEASED = ("release.standing", "release.approved")


@dataclass(frozen=True)
class Compared:
    """Two files with the stripped notebooks, and what each is called."""

    base: Path
    remote: Path
    base_label: str
    remote_label: str


def compare_with(house: House, place: Place, record: Record, against: Against) -> Compared:
    """Write an earlier version of the notebook and the present one side by side.

    Args:
        house: the analyst's.
        place: the request's.
        record: as the ledger knows it.
        against: `version`, the one that GitLab has; `release`, the one of which the last edition
            was made that left.

    Raises:
        BenchRefusal: there is none earlier, or the present notebook cannot be read.
    """
    git = git_of(house, place, project_of(place, record))
    if not (place.clone / ".git").exists():
        raise refuse(place, "not_opened")
    notebook = place.notebook(record, house)
    path = notebook.relative_to(place.clone).as_posix()
    with locked(place):
        commit = _find_version(git, place) if against == "version" else _find_release(house, record)
        before = _read(house, git, record, commit, path) if commit else None
        if before is None:
            raise refuse(place, f"no_{against}")
        now = strip(notebook.read_bytes()) if notebook.is_file() else None
        if now is None:
            raise refuse(place, "notebook_broken", path=path)
        folder = place.private / "compare"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        base, remote = folder / f"{against}.ipynb", folder / "now.ipynb"
        write_atomically(base, before)
        write_atomically(remote, now)
        label = _label(house, place, git, commit, against)
    return Compared(base, remote, label, say(place.desk.language, "bench.git_label_now"))


def _find_version(git: Git, place: Place) -> str:
    with suppress(GitFailed):  # without an answer, what GitLab had when it last gave one
        fetch(git, place)
    return git.answer("rev-parse", "-q", "--verify", upstream_of(place))


def _find_release(house: House, record: Record) -> str:
    """Return the commit of the last edition that was delivered, "" where there is none.

    The audit log says of each release which run it let out, and of which commit that was.
    """
    delivered = record.links.deliverables
    if not delivered:
        return ""
    run = delivered[-1].run
    for entry in reversed(house.ledger.audit_entries(record.key, _RELEASED)):
        if entry.told.get("run") == run:
            return str(entry.told.get("commit") or "")
    return str(record.work.commit or "") if record.work.run == run else ""


def _read(house: House, git: Git, record: Record, commit: str, path: str) -> bytes | None:
    """Return a commit's notebook, stripped; GitLab is asked where the clone has not the commit."""
    if git.answer("cat-file", "-t", commit) == "commit":
        content = read_at(git, commit, path)
    else:
        content = house.gitlab.file(str(record.links.project), path, commit)
    return None if content is None else strip(content)


def _label(house: House, place: Place, git: Git, commit: str, against: Against) -> str:
    code, values = f"bench.git_label_{against}", {"commit": commit[:8]}
    if git.answer("cat-file", "-t", commit) != "commit":
        return say(place.desk.language, code, **values, who="", when="").rstrip(" ,·")
    who, when = tell_commit(house, place, git, commit)
    return say(place.desk.language, code, **values, who=who, when=when)
