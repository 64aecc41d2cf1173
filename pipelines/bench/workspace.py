"""Where the analyst works: a clone of the service's repository on the request's branch.

What is not committed is never touched, and what GitLab does not answer keeps nobody from working on
what is there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipelines.bench.clone import (
    fetch,
    find_obstacle,
    git_of,
    is_behind,
    locked,
    own_person,
    project_of,
    refuse,
    say_of,
    set_up,
    tell,
    tell_commit,
    telling,
    trouble_of,
)
from pipelines.bench.desk import Place
from pipelines.bench.git import Git, GitFailed, Trouble
from pipelines.bench.tree import (
    NOTEBOOK,
    PLAIN,
    PROGRAM,
    Held,
    NotPlain,
    blob_of,
    bring,
    files_at,
    finish_bringing,
    is_held,
    read_plain,
    strip,
)
from pipelines.house import House
from pipelines.steps.prepare import folder_of
from wardbook.domain.record import Record
from wardbook.errors import ForeignFault

_BEARABLE = frozenset(
    {
        Trouble.BRANCH_GONE,
        Trouble.PROJECT_GONE,
        Trouble.SIGNED_OUT,
        Trouble.FORBIDDEN,
        Trouble.UNREACHABLE,
    }
)
# What the filter says is asked in this process: starting it takes longer than all the rest.
_UNFILTERED = ("-c", "filter.wardbook.clean=", "-c", "filter.wardbook.required=false")


@dataclass(frozen=True)
class Opened:
    """A request on the desk; `warnings` are sentences for the analyst."""

    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """How the clone stands to GitLab when it was last asked.

    `branch` is "" where a commit is checked out instead; `changed` says that a file of the
    request's folder is not as in the last commit; `ahead` and `behind` count commits; `gone` says
    that GitLab has the branch no more.
    """

    branch: str
    head: str
    changed: bool
    ahead: int
    behind: int
    gone: bool


def open_workspace(house: House, place: Place, record: Record) -> Opened:
    """Clone the request's branch, or fetch it and go forward to it.

    Raises:
        BenchRefusal: there is no clone and none can be made, or the clone is broken.
        ForeignFault: there is no clone, and GitLab does not answer.
    """
    git = git_of(house, place, project_of(place, record))
    with locked(place), telling(place):
        known = _begin(git, place)
        if known and find_obstacle(git, place) is None:
            finish_bringing(git, place.branch)
        try:
            other = set_up(git, place, own_person(house))
            upstream = fetch(git, place)
        except (ForeignFault, GitFailed) as failed:
            trouble = failed.trouble if isinstance(failed, GitFailed) else trouble_of(failed)
            if trouble not in _BEARABLE or not known:
                raise tell(place, trouble, getattr(failed, "told", "")) from None
            return Opened((say_of(place, f"{trouble}_kept"),))
        if not known:
            _check_out(git, place, upstream)
        told = (say_of(place, "other_address"),) if other and known else ()
        return Opened(told + _go_forward(house, git, place, upstream))


def _begin(git: Git, place: Place) -> bool:
    """Make an empty clone where there is none; returns whether a commit is checked out in it."""
    inner = place.clone / ".git"
    if not inner.exists():
        if place.clone.exists() and any(place.clone.iterdir()):
            raise refuse(place, "in_the_way")
        place.clone.mkdir(parents=True, exist_ok=True)
    if not (inner / "HEAD").exists() or not (inner / "config").exists():
        git.ask("init", "-q", "--template=", "-b", place.branch)
    if git.ask("rev-parse", "--is-inside-work-tree").strip() != b"true":
        raise tell(place, Trouble.BROKEN)
    return bool(git.answer("rev-parse", "-q", "--verify", "HEAD"))


def _check_out(git: Git, place: Place, upstream: str) -> None:
    """Lay out a commit for the first time; a file that stands there and differs is not touched."""
    for path, held in files_at(git, upstream).items():
        if os.path.lexists(place.clone / path) and not _is_as(git, path, held):
            raise refuse(place, "lost", path=path)
    quiet = ("-c", "core.hooksPath=/dev/null", "checkout", "-q", "-f")
    git.ask(*quiet, "-B", place.branch, upstream)


def _is_as(git: Git, path: str, held: Held) -> bool:
    try:
        content = read_plain(git.folder, path)
    except NotPlain:
        return held.mode not in (PLAIN, PROGRAM)
    return content is not None and is_held(git, path, content, held)


def _go_forward(house: House, git: Git, place: Place, upstream: str) -> tuple[str, ...]:
    obstacle = find_obstacle(git, place)
    if obstacle is not None:
        return (str(obstacle),)
    head = git.ask("rev-parse", "HEAD").decode().strip()
    if is_behind(git, upstream, head):
        return ()
    if not git.answer("merge-base", head, upstream):
        raise refuse(place, "other_history")
    if is_behind(git, head, upstream) and not bring(git, place.branch, head, upstream):
        return ()
    who, when = tell_commit(house, place, git, upstream)
    return (say_of(place, "both_moved", who=who, when=when),)


def standing_of(place: Place) -> Standing:
    """Return how the clone stands, without asking GitLab.

    Raises:
        BenchRefusal: there is no clone, or it is broken.
    """
    if not (place.clone / ".git").exists():
        raise refuse(place, "not_opened")
    git = Git(place.clone, "", "")
    with telling(place):
        told = git.ask(
            *_UNFILTERED, "--literal-pathspecs", "status", "--porcelain=v2", "--branch", "-z",
            "--untracked-files=all", "--no-renames", "--", folder_of(place.key),
        )  # fmt: skip
        lines = [os.fsdecode(part) for part in told.split(b"\0") if part]
        about = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# "))
        changed = any(_is_changed(git, line) for line in lines if not line.startswith("# "))
    ahead, behind = about.get("branch.ab", "+0 -0").split()
    branch = about.get("branch.head", "")
    return Standing(
        branch="" if branch == "(detached)" else branch,
        head=about.get("branch.oid", "").removeprefix("(initial)"),
        changed=changed,
        ahead=int(ahead),
        behind=-int(behind),
        gone="branch.upstream" in about and "branch.ab" not in about,
    )


def _is_changed(git: Git, line: str) -> bool:
    """Tell whether a line of git's status is about more than what stripping takes away."""
    kind, *rest = line.split(" ", 8)
    if kind != "1" or not rest[-1].endswith(NOTEBOOK):
        return True
    head, path = rest[5], rest[-1]
    try:
        content = read_plain(git.folder, path)
    except NotPlain:
        return True
    clean = strip(content) if content is not None else None
    if clean is None or head == "0" * 40:
        return True
    return blob_of(clean) != head and clean != strip(git.ask("cat-file", "blob", head))
