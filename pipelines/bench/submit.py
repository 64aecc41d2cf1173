"""Submit: what the analyst changed is stripped, checked, committed, pushed, and shown to reviewers.

Each step looks at what is: cut off anywhere, the next submit goes on from there, and nothing is
made twice. Until GitLab has the commit it is on the local branch, and the files stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from pipelines.bench.clone import (
    fetch,
    find_obstacle,
    git_of,
    is_behind,
    last_seen,
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
    upstream_of,
)
from pipelines.bench.desk import Place
from pipelines.bench.git import Git, GitFailed, Trouble
from pipelines.bench.merging import Conflict, merge_commits
from pipelines.bench.outgoing import require_fit, require_fit_to_push
from pipelines.bench.tree import (
    NotPlain,
    Person,
    bring,
    find_changes,
    finish_bringing,
    settle_index,
    write_commit,
)
from pipelines.house import House
from pipelines.steps.prepare import folder_of, open_merge_request
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.errors import Fault, ForeignFault

REQUEST_FILES = ("parameters.json", "request.json")
_TRIES = 3
"""How often somebody else may push between our look and our push."""
_TOO_LATE = {
    State.REFUSED: "refused",
    State.RELEASED: "leaving",
    State.DELIVERED: "leaving",
    State.ANSWERED: "answered",
    State.CLOSED: "closed",
}


@dataclass(frozen=True)
class Submitted:
    """What GitLab has now; `text` says it to the analyst."""

    commit: str
    merge_request_url: str | None
    text: str


@dataclass(frozen=True)
class _Desk:
    """One submit: the house, the place, its clone, and in whose name."""

    house: House
    place: Place
    record: Record
    git: Git
    by: Person

    def say(self, code: str, **values: object) -> str:
        return say_of(self.place, code, **values)


def submit(house: House, place: Place, record: Record, message: str) -> Submitted:
    """Commit what changed in the request's folder, push it, and see to its merge request.

    Args:
        house: the analyst's.
        place: the request's.
        record: as the ledger knows it.
        message: of the commit, the analyst's words.

    Raises:
        SubmitRefused: what would be committed holds what must not be.
        BenchRefusal: there is nothing to submit, it makes no sense now, or GitLab refused it.
        ForeignFault: GitLab does not answer; what was committed is pushed by the next submit.
    """
    require_editable(house, place, record)
    git = git_of(house, place, project_of(place, record))
    if not (place.clone / ".git").exists():
        raise refuse(place, "not_opened")
    if not message.strip():
        raise refuse(place, "no_message")
    with locked(place), telling(place):
        obstacle = find_obstacle(git, place)
        if obstacle is not None:
            raise obstacle
        try:
            by = own_person(house)
        except ForeignFault as fault:
            raise tell(place, trouble_of(fault)) from None
        set_up(git, place, by)
        finish_bringing(git, place.branch)
        return _submit(_Desk(house, place, record, git, by), message)


def require_editable(house: House, place: Place, record: Record) -> None:
    """Refuse where a commit would change nothing any more.

    A recurring request that is answered takes it for its next period; a paused one once its legal
    basis is renewed.

    Raises:
        BenchRefusal: what has to happen first.
    """
    code = _TOO_LATE.get(record.state)
    request = record.request
    recurs = request is not None and request.schedule(house.zone) is not None
    if code and not (record.state is State.ANSWERED and recurs):
        raise refuse(place, f"too_late_{code}")


def _submit(desk: _Desk, message: str) -> Submitted:
    _commit(desk, message)
    upstream, gone = _fetch(desk)
    head = _head(desk)
    ours = gone or not is_behind(desk.git, head, upstream)
    if not ours and not _is_cut_off(desk, upstream):
        raise refuse(desk.place, "nothing")
    merged = False
    if ours:
        head, merged = _push(desk, upstream)
    elif head != upstream:
        bring(desk.git, desk.place.branch, head, upstream)
        head = upstream
    url = _show(desk)
    told = [desk.say("submitted", commit=head[:8])]
    told += [desk.say("submitted_merged")] if merged else []
    told += [desk.say("submitted_restored")] if gone else []
    told += [desk.say(f"submitted_{desk.record.state}")] if desk.record.state in _WAITS else []
    return Submitted(head, url, " ".join(told))


_WAITS = frozenset({State.ANSWERED, State.PAUSED})


def _head(desk: _Desk) -> str:
    return desk.git.ask("rev-parse", "HEAD").decode().strip()


def _commit(desk: _Desk, message: str) -> None:
    """Commit what differs, once it is checked."""
    git, place, head = desk.git, desk.place, _head(desk)
    folder = folder_of(place.key)
    try:
        changes = find_changes(git, head, folder)
    except NotPlain as found:
        raise refuse(place, "not_plain", path=found.path) from None
    notebook = place.notebook(desk.record, desk.house)
    for needed in (notebook, *(place.folder / name for name in REQUEST_FILES)):
        if not needed.is_file():
            raise refuse(place, "needed", path=needed.relative_to(place.clone))
    if not changes:
        settle_index(git, [f"{folder}/"])
        return
    require_fit(desk.house, place, changes, message, desk.by)
    commit = write_commit(git, head, changes, (head,), message, desk.by)
    branch = f"refs/heads/{place.branch}"
    git.ask("update-ref", "-m", "wardbook: submit", branch, commit, head)
    settle_index(git, [f"{folder}/"])


def _fetch(desk: _Desk) -> tuple[str, bool]:
    """Return the commit that GitLab has, "" where its branch is gone, and whether it is."""
    git, place = desk.git, desk.place
    try:
        upstream, gone = fetch(git, place), False
    except GitFailed as failed:
        if failed.trouble is not Trouble.BRANCH_GONE or not last_seen(git, place):
            raise
        upstream, gone = "", True
    if not git.answer("merge-base", last_seen(git, place), "HEAD"):
        raise refuse(place, "other_history")
    return upstream, gone


def _push(desk: _Desk, upstream: str) -> tuple[str, bool]:
    """Push, merging before what somebody else pushed; returns the commit and whether one was."""
    git, place, merged = desk.git, desk.place, False
    for _ in range(_TRIES):
        head = _head(desk)
        require_fit_to_push(desk.house, place, git, head)
        if upstream and not is_behind(git, upstream, head):
            _merge(desk, head, upstream)
            merged, head = True, _head(desk)
            require_fit_to_push(desk.house, place, git, head)
        try:
            refs = f"{head}:refs/heads/{place.branch}"
            git.reach("push", "-q", "--no-verify", git.address, refs)
        except GitFailed as failed:
            if failed.trouble is not Trouble.OVERTAKEN:
                raise
            upstream, _ = _fetch(desk)
            continue
        git.ask("update-ref", upstream_of(place), head)
        return head, merged
    raise tell(place, Trouble.OVERTAKEN)


def _merge(desk: _Desk, head: str, upstream: str) -> None:
    git, place = desk.git, desk.place
    who, when = tell_commit(desk.house, place, git, upstream)
    # Not by whom: somebody's name and title may not stand in a message.
    merged = merge_commits(git, head, upstream, "Merge what was pushed meanwhile", desk.by)
    if merged.conflicts:
        files = ", ".join(_tell_conflict(desk, one) for one in merged.conflicts)
        raise refuse(place, "conflict", who=who, when=when, files=files)
    in_the_way = bring(git, place.branch, head, merged.commit)
    if in_the_way:
        raise refuse(place, "in_the_way_of_merge", who=who, files=", ".join(in_the_way))


def _tell_conflict(desk: _Desk, conflict: Conflict) -> str:
    if not conflict.cells:
        return conflict.path
    cells = ", ".join(map(str, conflict.cells))
    return desk.say("conflict_cells", path=conflict.path, cells=cells)


def _is_cut_off(desk: _Desk, upstream: str) -> bool:
    """Tell whether our last submit ended between its push and its merge request."""
    mine = desk.git.answer("log", "-1", "--format=%ae", upstream) == desk.by.email
    return mine and next(_merge_requests(desk, "opened"), None) is None


def _merge_requests(desk: _Desk, state: str) -> Any:
    project = project_of(desk.place, desk.record)
    query = {"source_branch": desk.place.branch, "state": state, "scope": "all"}
    return iter(desk.house.gitlab.merge_requests(project, **query))


def _show(desk: _Desk) -> str:
    """Return the address of the branch's one merge request, opened where there is none.

    One that was closed is opened again: as long as it is closed, nobody sees the new commit.
    """
    gitlab, project = desk.house.gitlab, project_of(desk.place, desk.record)
    try:
        found = next(_merge_requests(desk, "opened"), None)
        if found is None:
            closed = next(_merge_requests(desk, "closed"), None)
            found = (
                gitlab.reopen_merge_request(project, int(closed["iid"]))
                if closed
                else gitlab.create_merge_request(project, _describe(desk))
            )
    except ForeignFault as fault:
        found = None
        if fault.status == HTTPStatus.CONFLICT:
            found = next(_merge_requests(desk, "opened"), None)
        if found is None:
            text = desk.say("no_merge_request")
            raise ForeignFault(text, fault.status) from None
    return str(found["web_url"])


def _describe(desk: _Desk) -> dict[str, str]:
    """Return the fields of the merge request as the platform itself would open it."""
    unlinked = replace(desk.record, links=replace(desk.record.links, merge_request=None))
    intent = next(open_merge_request(desk.house, unlinked, desk.record.state), None)
    if intent is None:
        raise Fault(f"{desk.place.key} has no merge request to describe.")
    return {
        "source_branch": desk.place.branch,
        "target_branch": desk.house.settings.gitlab.branch,
        "title": str(intent.payload["title"]),
        "description": str(intent.payload["description"]),
    }
