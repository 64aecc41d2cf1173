"""The clone on the desk: how it is set up, what may be under way in it, what troubles mean."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus

from pipelines.bench.desk import BenchRefusal, Place
from pipelines.bench.git import Git, GitFailed, Trouble
from pipelines.bench.tree import Person
from pipelines.house import House
from wardbook.domain.record import Record
from wardbook.errors import ForeignFault
from wardbook.files import write_atomically
from wardbook.messages import say

EXCLUDED = (".bench", ".ipynb_checkpoints")
KEPT_BEFORE_GONE = "refs/bench/gone"
_UNDER_WAY = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


def project_of(place: Place, record: Record) -> str:
    """Return the project of a request that was prepared.

    Raises:
        BenchRefusal: it has no branch yet.
    """
    if record.links.project is None or record.links.branch is None:
        raise refuse(place, "not_prepared")
    return record.links.project


def git_of(house: House, place: Place, project: str) -> Git:
    """Return git in the request's clone."""
    token = house.settings.gitlab.token.get_secret_value()
    return Git(place.clone, house.gitlab.clone_address(project), token)


def upstream_of(place: Place) -> str:
    """Return the name under which the clone keeps what GitLab had when last looked at."""
    return f"refs/remotes/origin/{place.branch}"


def last_seen(git: Git, place: Place) -> str:
    """Return the commit that GitLab had when it last had the branch, "" where none is known."""
    names = (upstream_of(place), KEPT_BEFORE_GONE)
    known = (git.answer("rev-parse", "-q", "--verify", name) for name in names)
    return next(filter(None, known), "")


def own_person(house: House) -> Person:
    """Return the owner of the token.

    Raises:
        ForeignFault: GitLab did not say.
    """
    user = house.gitlab.own_user
    nobody = f"{user['username']}@users.noreply.{house.settings.gitlab.host}"
    email = user.get("commit_email") or user.get("email") or nobody
    return Person(str(user.get("name") or user["username"]), str(email))


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Let nobody else work on this clone: two clicks are two threads."""
    place.private.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (place.private / "git.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def telling(place: Place) -> Iterator[None]:
    """Turn git's troubles into sentences for the analyst."""
    try:
        yield
    except GitFailed as failed:
        raise tell(place, failed.trouble, failed.told) from None


def tell(place: Place, trouble: Trouble, told: str = "") -> BenchRefusal | ForeignFault:
    """Return a trouble as what is told of it."""
    text = say_of(place, trouble, told=told)
    return ForeignFault(text) if trouble is Trouble.UNREACHABLE else BenchRefusal(text)


def trouble_of(fault: ForeignFault) -> Trouble:
    """Return what an answer of GitLab's interface would be as a trouble of git's."""
    match fault.status:
        case HTTPStatus.UNAUTHORIZED:
            return Trouble.SIGNED_OUT
        case HTTPStatus.FORBIDDEN:
            return Trouble.FORBIDDEN
        case HTTPStatus.NOT_FOUND:
            return Trouble.PROJECT_GONE
        case _:
            return Trouble.UNREACHABLE


def refuse(place: Place, code: str, **values: object) -> BenchRefusal:
    """Return a refusal with the message `bench.git_CODE`."""
    return BenchRefusal(say_of(place, code, **values))


def say_of(place: Place, code: str, **values: object) -> str:
    """Return the message `bench.git_CODE` about a place, in the analyst's language."""
    told = {"key": place.key, "folder": place.clone, "branch": place.branch, **values}
    return say(place.desk.language, f"bench.git_{code}", **told)


def find_obstacle(git: Git, place: Place) -> BenchRefusal | None:
    """Return why nothing may be merged or committed in the clone just now."""
    inner = place.clone / git.answer("rev-parse", "--git-dir")
    for name, what in _UNDER_WAY:
        if (inner / name).exists():
            return refuse(place, "under_way", what=what)
    branch = git.answer("symbolic-ref", "--short", "-q", "HEAD")
    if branch != place.branch:
        return refuse(place, "elsewhere", other=branch or "HEAD")
    lock = inner / "index.lock"
    if lock.exists():
        return refuse(place, "locked", told=lock)
    return None


def set_up(git: Git, place: Place, by: Person) -> bool:
    """Set the clone up, or up again; what is right already is left as it is.

    Returns:
        Whether the clone had another repository's address.
    """
    from wardbook.stripping.clone import set_up_clone

    fetched = f"+refs/heads/{place.branch}:{upstream_of(place)}"
    wanted = {
        "remote.origin.url": git.address,
        "remote.origin.fetch": fetched,
        f"branch.{place.branch}.remote": "origin",
        f"branch.{place.branch}.merge": f"refs/heads/{place.branch}",
        "user.name": by.name,
        "user.email": by.email,
    }
    present = _read_settings(git)
    for name, value in wanted.items():
        if present.get(name) != [value]:
            git.ask("config", "--local", "--replace-all", name, value)
    _exclude(place)
    set_up_clone(place.clone)
    return present.get("remote.origin.url", [git.address]) != [git.address]


def _read_settings(git: Git) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in git.ask("config", "--local", "--list", "-z").decode(errors="replace").split("\0"):
        name, _, value = line.partition("\n")
        found.setdefault(name, []).append(value)
    return found


def _exclude(place: Place) -> None:
    file = place.clone / ".git" / "info" / "exclude"
    present = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    missing = [name for name in EXCLUDED if name not in present]
    if missing:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, "\n".join([*present, *missing]) + "\n", mode=0o644)


def fetch(git: Git, place: Place) -> str:
    """Fetch the request's branch, and return the commit that GitLab has.

    Raises:
        GitFailed: it did not come; where the branch is gone, the clone says so from then on.
    """
    upstream = upstream_of(place)
    refs = f"+refs/heads/{place.branch}:{upstream}"
    try:
        git.reach("fetch", "-q", "--no-tags", "--no-write-fetch-head", git.address, refs)
    except GitFailed as failed:
        last = git.answer("rev-parse", "-q", "--verify", upstream)
        if failed.trouble is Trouble.BRANCH_GONE and last:
            git.ask("update-ref", KEPT_BEFORE_GONE, last)
            git.ask("update-ref", "-d", upstream)
        raise
    return git.ask("rev-parse", upstream).decode().strip()


def is_behind(git: Git, one: str, other: str) -> bool:
    """Tell whether a commit is another one or lies behind it."""
    return one == other or git.answer("merge-base", one, other) == one


def tell_commit(house: House, place: Place, git: Git, commit: str) -> tuple[str, str]:
    """Return who made a commit and when, in the unit's time zone."""
    name, _, at = git.answer("log", "-1", "--format=%an%x00%cI", commit).partition("\0")
    form = "%d/%m/%Y %H:%M" if place.desk.language == "fr" else "%Y-%m-%d %H:%M"
    return name, datetime.fromisoformat(at).astimezone(house.zone).strftime(form)
