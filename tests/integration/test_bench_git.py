"""Opening a request against a real GitLab by HTTP, and everything that is wrong with a clone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.bench.desk import BenchRefusal
from pipelines.bench.workspace import Opened
from pipelines.demo.world import ANALYST
from tests.bench_people import Person, Scene
from tests.small_disk import fill, small_disk
from wardbook.errors import ForeignFault, WardbookError
from wardbook.messages import say

pytestmark = pytest.mark.xdist_group("bench")


def told(person: Person, code: str, **values: object) -> str:
    place = person.place
    about = {"key": place.key, "folder": place.clone, "branch": place.branch, **values}
    return say(place.desk.language, f"bench.git_{code}", **about)


def test_a_clone_goes_forward_past_edits(scene: Scene) -> None:
    ana = scene.opened()
    standing = ana.standing()
    assert (standing.branch, standing.head) == (scene.branch, scene.head())
    assert (standing.changed, standing.ahead, standing.behind, standing.gone) == (
        False,
        0,
        0,
        False,
    )
    assert ana.git("status", "--porcelain") == ""

    ana.run_cells()
    assert ana.standing().changed is False, "outputs are no change"
    ana.edit(ana.code[0], "# mine")
    mine, parameters = ana.notebook.read_bytes(), ana.place.folder / "parameters.json"
    assert ana.standing().changed is True

    aside = parameters.relative_to(ana.place.clone).as_posix()
    newer = parameters.read_text(encoding="utf-8").replace("{\n", "{\n\n", 1)
    commit = scene.push(aside, newer)
    assert ana.open() == Opened()
    assert (ana.standing().head, parameters.read_text(encoding="utf-8")) == (commit, newer)
    assert ana.notebook.read_bytes() == mine

    theirs = scene.pushed(ana.path).replace('"nbformat_minor"', '\n"nbformat_minor"')
    scene.push(ana.path, theirs)
    (warning,) = ana.open().warnings
    assert "Rémi Faure" in warning
    assert "cell by cell" in warning
    assert (ana.notebook.read_bytes(), ana.standing().head) == (mine, commit)
    assert ana.standing().behind == 1


def test_who_has_a_clone_works_on_without_gitlab(scene: Scene) -> None:
    ana = scene.opened()
    ana.edit(ana.code[0], "# mine")
    kept = ana.files()
    nowhere = "http://127.0.0.1:9"
    moved = replace(ana.record.links, project="unite/nowhere")
    cases: dict[str, Callable[[str], Person]] = {
        "unreachable": lambda at: scene.person(at=at, url=nowhere),
        "signed_out": lambda at: scene.person(at=at, token="revoked"),
        "project_gone": lambda at: replace(
            scene.person(at=at), record=replace(ana.record, links=moved)
        ),
    }
    for code, seat in cases.items():
        there = seat(ANALYST)
        assert there.open().warnings[-1] == told(there, f"{code}_kept")
        with pytest.raises(WardbookError) as refused:
            there.submit()
        assert str(refused.value) == told(there, code)
        assert isinstance(refused.value, ForeignFault) == (code == "unreachable")
        assert there.files() == kept

        without = seat("new")
        with pytest.raises(WardbookError) as refused:
            without.open()
        assert str(refused.value) == told(without, code)
    back = scene.person()
    assert back.open() == Opened((told(back, "other_address"),))
    assert back.files() == kept
    back.git("restore", ".")
    assert scene.person(at="new").open() == Opened(), "what a failed opening left is no obstacle"


def test_who_may_only_read_keeps_the_commit(scene: Scene) -> None:
    with_role = scene.project.members_all.list(get_all=True)
    assert "yhaddad" not in {one.username for one in with_role}
    (user,) = scene.project.manager.gitlab.users.list(username="yhaddad")
    scene.project.members.create({"user_id": user.id, "access_level": 20})
    before = scene.head()
    guest = scene.opened("yhaddad")
    guest.edit(guest.code[0], "# a guest's")
    kept = guest.files()
    with pytest.raises(BenchRefusal) as refused:
        guest.submit()
    assert str(refused.value) == told(guest, "forbidden")
    assert guest.files() == kept
    assert "# a guest's" in guest.git("show", "HEAD")
    assert scene.head() == before


def decline_pushes(scene: Scene, says: str) -> Path:
    """Have the server decline every push with these words; returns the hook that does so."""
    repository = scene.world.world.folder / "sandbox" / "repositories" / f"{scene.project.id}.git"
    hook = repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n", "utf-8")
    hook.chmod(0o755)
    return hook


def test_what_the_server_declines_is_told_in_its_words(scene: Scene) -> None:
    hook = decline_pushes(scene, "notebook.ipynb:3: a patient’s number")
    ana = scene.opened()
    ana.edit(ana.code[0], "# declined")
    kept, before = ana.files(), scene.head()
    with pytest.raises(BenchRefusal) as refused:
        ana.submit()
    sentence = told(ana, "declined", told="notebook.ipynb:3: a patient’s number")
    assert (str(refused.value), ana.files(), scene.head()) == (sentence, kept, before)
    hook.unlink()
    assert ana.submit().commit == scene.head(), "the commit was kept"


def test_a_protected_branch_is_told_and_the_commit_kept(scene: Scene) -> None:
    says = "GitLab: You are not allowed to push code to protected branches on this project."
    hook = decline_pushes(scene, says)
    ana = scene.opened()
    ana.edit(ana.code[0], "# behind protection")
    kept, before = ana.files(), scene.head()
    with pytest.raises(BenchRefusal) as refused:
        ana.submit()
    sentence = told(ana, "protected", branch=scene.branch)
    assert (str(refused.value), ana.files(), scene.head()) == (sentence, kept, before)
    hook.unlink()
    assert ana.submit().commit == scene.head(), "the commit was kept"


def test_a_full_disk_under_git_is_told_and_no_edit_is_lost(scene: Scene) -> None:
    ana = scene.opened()
    ana.edit(ana.code[0], "# there is no room for this")
    kept, before = ana.files(), scene.head()
    with small_disk(ana.place.clone / ".git" / "objects") as disk:
        ballast = fill(disk)
        with pytest.raises(BenchRefusal) as refused:
            ana.submit()
        assert str(refused.value) == told(ana, "full", folder=ana.place.clone)
        assert (ana.files(), scene.head()) == (kept, before)
        ballast.unlink()
        assert ana.submit().commit == scene.head()
    assert "# there is no room for this" in scene.pushed(ana.path)


def test_a_branch_that_is_gone_is_restored_by_a_submit(scene: Scene) -> None:
    ana = scene.opened()
    ana.edit(ana.code[0], "# mine, alone")
    kept = ana.files()
    scene.project.branches.delete(scene.branch)
    for _ in range(2):  # the second time, the clone has forgotten what GitLab had
        assert ana.open() == Opened((told(ana, "branch_gone_kept"),))
    assert ana.standing().gone is True
    new = scene.person(at="new", language="fr")
    with pytest.raises(BenchRefusal) as refused:
        new.open()
    assert str(refused.value) == told(new, "branch_gone")
    assert "Faites-la rétablir" in str(refused.value)

    done = ana.submit()
    assert told(ana, "submitted_restored") in done.text
    assert (scene.head(), ana.files()) == (done.commit, kept)
    assert "# mine, alone" in scene.pushed(ana.path)
    assert ana.standing().gone is False
    assert scene.person(at="new").open() == Opened()


def test_a_clone_in_trouble_is_left_as_it_is(scene: Scene) -> None:
    ana = scene.opened()
    line = "# on another branch"
    ana.git("switch", "-q", "-c", "aside")
    ana.edit(ana.code[0], line)
    kept = ana.files()
    refuses(ana, kept, "elsewhere", other="aside")

    ana.git("commit", "-qam", "Aside")
    ana.git("switch", "-q", scene.branch)
    ana.edit(ana.code[0], "# here")
    ana.git("commit", "-qam", "Here")
    ana.git("-c", "merge.wardbook.driver=false", "merge", "-q", "aside", fine=1)
    refuses(ana, ana.files(), "under_way", what="merge")
    ana.git("reset", "-q", "--hard", "@{upstream}")

    lock = ana.place.clone / ".git" / "index.lock"
    lock.touch()
    refuses(ana, ana.files(), "locked", told=lock)
    lock.unlink()
    assert ana.open() == Opened()
    lock = ana.place.clone / ".git" / "refs" / "heads" / f"{scene.branch}.lock"
    lock.touch()
    ana.edit(ana.code[0], "# behind a lock")
    kept = ana.files()
    with pytest.raises(BenchRefusal) as refused:
        ana.submit()
    assert (str(refused.value), ana.files()) == (told(ana, "locked", told=lock), kept)
    lock.unlink()
    assert ana.submit().commit == scene.head()


def refuses(person: Person, kept: dict[str, bytes], code: str, **values: object) -> None:
    """Opening warns, submitting refuses, both in the same words; nothing is touched."""
    assert person.open().warnings == (told(person, code, **values),)
    with pytest.raises(BenchRefusal) as refused:
        person.submit()
    assert str(refused.value) == told(person, code, **values)
    assert person.files() == kept


def test_a_damaged_clone_is_refused_and_its_files_stay(scene: Scene) -> None:
    ana = scene.opened()
    ana.edit(ana.code[0], "# mine")
    kept, inner = ana.files(), ana.place.clone / ".git"

    config = (inner / "config").read_bytes()
    (inner / "config").write_bytes(config + b"\n[core\n")
    refused = refused_to_open(ana)
    assert "is damaged" in refused
    assert "config" in refused
    (inner / "config").write_bytes(config)

    # As after a full disk: the branch's file is empty; or not there at all.
    head = inner / "refs" / "heads" / scene.branch
    head.write_bytes(b"")
    assert "is damaged" in refused_to_open(ana)
    head.unlink()
    assert refused_to_open(ana) == told(ana, "lost", path=ana.path)
    assert ana.files() == kept

    elsewhere = scene.person(at="taken")
    elsewhere.place.clone.mkdir(parents=True)
    (elsewhere.place.clone / "notes.txt").write_text("mine", encoding="utf-8")
    assert refused_to_open(elsewhere) == told(elsewhere, "in_the_way")

    ana.place.clone.rename(ana.place.clone.with_name("before"))
    assert ana.open() == Opened()
    before = Path(str(ana.notebook).replace(str(ana.place.clone), f"{ana.desk.folder}/before"))
    assert before.read_bytes() == kept[str(ana.notebook)]


def refused_to_open(person: Person) -> str:
    with pytest.raises(BenchRefusal) as refused:
        person.open()
    return str(refused.value)
