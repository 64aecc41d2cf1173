"""Submitting to a real GitLab by HTTP: what leaves, what never does, and two people at once."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gitlab
import pytest

from pipelines.bench.desk import BenchRefusal
from pipelines.bench.git import Git
from pipelines.bench.outgoing import SubmitRefused
from pipelines.demo.world import ANALYST, OFFICER, REVIEWER
from tests.bench_people import Scene
from tests.bench_world import BenchWorld
from tests.cut_submits import Cuts
from tests.integration.test_bench_git import told
from wardbook.domain.states import State

pytestmark = pytest.mark.xdist_group("bench")
NIR = "2 55 08 14 168 025 38"
TOKEN = "glpat-" + "Zx81Qw7Lm3Kd9Rt5Vb2N"


def test_what_is_submitted_and_what_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = watch_git(scene.folder, monkeypatch)
    ana = scene.opened()
    before, count = scene.head(), len(scene.commits())
    ana.edit(ana.code[0], "# by day and night")
    ana.run_cells(f"patient {NIR}")
    (ana.place.folder / "words.txt").write_text("wards\n", encoding="utf-8")
    (ana.place.clone / "elsewhere.txt").write_text("not of the request\n", encoding="utf-8")
    on_desk = ana.files()

    done = ana.submit("Count nights too\n\nThey were left out.")

    assert ana.files() == on_desk, "the outputs stay on the screen"
    assert (scene.head(), len(scene.commits())) == (done.commit, count + 1)
    commit = scene.project.commits.get(done.commit)
    assert (commit.author_name, commit.author_email) == ("Ana Lopes", "alopes@hopital.example")
    assert commit.message == "Count nights too\n\nThey were left out."
    assert commit.parent_ids == [before]
    changed = {one["new_path"] for one in commit.diff(get_all=True)}
    assert changed == {ana.path, f"requests/{scene.key}/words.txt"}
    pushed = scene.pushed(ana.path)
    assert "# by day and night" in pushed
    assert NIR not in pushed
    assert {one["execution_count"] for one in code_cells(pushed)} == {None}
    assert ana.standing().changed is False

    (request,) = scene.merge_requests()
    assert (request.web_url, request.author["username"]) == (done.merge_request_url, ANALYST)
    assert (request.state, request.target_branch) == ("opened", "main")
    assert refusal_of(ana.submit) == told(ana, "nothing")

    request.state_event = "close"
    request.save()
    ana.edit(ana.code[0], "# once more")
    assert ana.submit().merge_request_url == request.web_url
    assert [one.state for one in scene.merge_requests()] == ["opened"]

    token = ana.desk.settings.gitlab.token.get_secret_value()
    assert "push -q --no-verify http://" in calls.read_text(encoding="utf-8"), "git was watched"
    assert token not in calls.read_text(encoding="utf-8")
    assert token not in caplog.text
    assert find_in_files(ana.desk.folder, token) == []
    (ana.place.private / "planted").write_text(f"x{token}x", encoding="utf-8")
    assert len(find_in_files(ana.desk.folder, token)) == 1


def watch_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every call of git write its arguments to a file first."""
    calls, own = folder / "calls", folder / "bin" / "git"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\necho "$@" >> "{calls}"\nexec /usr/bin/git "$@"\n', "utf-8")
    own.chmod(own.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(own.parent), prepend=":")
    return calls


def find_in_files(folder: Path, text: str) -> list[Path]:
    files = (one for one in folder.rglob("*") if one.is_file())
    return [one for one in files if text.encode() in one.read_bytes()]


def code_cells(notebook: str) -> list[dict[str, Any]]:
    return [one for one in json.loads(notebook)["cells"] if one["cell_type"] == "code"]


def test_what_must_not_leave_is_refused_with_its_places(scene: Scene) -> None:
    ana = scene.opened()
    before, local = scene.head(), ana.git("rev-parse", "HEAD")
    ana.edit(ana.code[0], f'someone = "{NIR}"')
    helper = ana.place.folder / "helper.py"
    helper.write_text(f'import os\n\nkey = "{TOKEN}"\n', encoding="utf-8")
    (ana.place.folder / "stays.parquet").write_bytes(b"PAR1....PAR1")
    kept = ana.files()

    with pytest.raises(SubmitRefused) as refused:
        ana.submit(f"As for {NIR}")

    found = {(Path(one.path).name, one.kind): one.line for one in refused.value.places}
    assert {("notebook.ipynb", "nir"), ("helper.py", "credential"), ("message", "nir"),
            ("stays.parquet", "data_file")} <= set(found)  # fmt: skip
    assert found["helper.py", "credential"] == 3
    assert str(refused.value) == told(ana, "refused", count=len(refused.value.places))
    assert NIR not in str(refused.value)
    assert (scene.head(), ana.git("rev-parse", "HEAD"), ana.files()) == (before, local, kept)
    assert not ana.git("fsck", "--lost-found", "--no-reflogs"), "not even an object of git's"

    helper.unlink()
    (ana.place.folder / "stays.parquet").unlink()
    ana.put(ana.code[0], ana.sources()[ana.code[0]].replace(NIR, "x"))
    assert ana.submit("Without them").commit == scene.head()


def test_a_commit_by_hand_is_looked_at_at_the_push(scene: Scene) -> None:
    ana = scene.opened()
    before = scene.head()
    ana.edit(ana.code[0], f"# {NIR}")
    ana.git("commit", "-qam", "By hand")
    ana.put(ana.code[0], ana.sources()[ana.code[0]].replace(f"\n# {NIR}", "\n# nobody"))
    ana.git("commit", "-qam", "Taken out again")
    kept = ana.files()
    for _ in range(2):
        with pytest.raises(SubmitRefused) as refused:
            ana.submit()
        assert {(one.path, one.kind) for one in refused.value.places} == {(ana.path, "nir")}
        assert (scene.head(), ana.files()) == (before, kept)
    undo = f"git reset --soft {before[:12]}"
    assert undo in str(refused.value)
    ana.git(*undo.split()[1:])
    assert ana.submit().commit == scene.head(), "what the sentence says is a way out"
    assert (ana.files(), len(scene.project.commits.get(scene.head()).parent_ids)) == (kept, 1)

    ana.run_cells()
    ana.git("-c", "filter.wardbook.clean=cat", "commit", "-qam", "With outputs")
    with pytest.raises(SubmitRefused) as refused:
        ana.submit()
    assert {one.kind for one in refused.value.places} >= {"outputs", "execution_count"}
    ana.git("reset", "-q", "--hard", "@{upstream}")
    author = ("-c", "user.name=Mme Jeanne Dupont", "-c", "user.email=j@hopital.example")
    ana.git(*author, "commit", "-q", "--allow-empty", "-m", "Who")
    with pytest.raises(SubmitRefused) as refused:
        ana.submit()
    assert {one.kind for one in refused.value.places} == {"name"}


def test_what_makes_no_sense_is_refused_in_one_sentence(scene: Scene) -> None:
    ana = scene.person(language="fr")
    assert refusal_of(ana.submit) == told(ana, "not_opened")
    ana.open()
    ana.edit(ana.code[0], "# à moi")
    before, kept = scene.head(), ana.files()
    assert refusal_of(lambda: ana.submit("  ")) == told(ana, "no_message")
    for state, code in (
        (State.RELEASED, "leaving"),
        (State.DELIVERED, "leaving"),
        (State.ANSWERED, "answered"),
        (State.REFUSED, "refused"),
        (State.CLOSED, "closed"),
    ):
        late = replace(ana, record=replace(ana.record, state=state))
        assert refusal_of(late.submit) == told(ana, f"too_late_{code}")
    assert (scene.head(), ana.files()) == (before, kept)

    parameters = ana.place.folder / "parameters.json"
    path, content = f"requests/{scene.key}/parameters.json", parameters.read_bytes()
    parameters.unlink()
    sentence = refusal_of(ana.submit)
    assert sentence == told(ana, "needed", path=path)
    ana.git(*sentence.rpartition("git ")[2].split())
    assert parameters.read_bytes() == content, "what the sentence says is a way out"

    link = ana.place.folder / "stays"
    link.symlink_to("/etc/hostname")
    assert refusal_of(ana.submit) == told(ana, "not_plain", path=f"requests/{scene.key}/stays")
    assert link.is_symlink()
    link.unlink()
    assert (scene.head(), ana.files()) == (before, kept)

    ana.notebook.write_text("{", encoding="utf-8")
    with pytest.raises(SubmitRefused) as refused:
        ana.submit()
    assert {one.kind for one in refused.value.places} == {"notebook_broken"}
    assert refusal_of(lambda: ana.compare("version")) == told(ana, "notebook_broken", path=ana.path)
    assert refusal_of(lambda: ana.compare("release")) == told(ana, "no_release")
    assert (scene.head(), ana.notebook.read_text(encoding="utf-8")) == (before, "{")


def refusal_of(act: Callable[[], object]) -> str:
    with pytest.raises(BenchRefusal) as refused:
        act()
    return str(refused.value)


def test_two_people_are_merged_cell_by_cell(scene: Scene) -> None:
    ana, remi = scene.opened(), scene.opened(REVIEWER)
    first, second = ana.code[:2]
    remi.edit(first, "# Rémi's")
    remi.append("remi", "print('Rémi')")
    remi.submit("Rémi's turn")
    ana.edit(second, "# Ana's")
    ana.append("ana", "print('Ana')")
    ana.run_cells()

    done = ana.submit("Ana's turn")

    assert told(ana, "submitted_merged") in done.text
    sources = [("".join(one["source"])) for one in json.loads(scene.pushed(ana.path))["cells"]]
    assert sources[first].endswith("# Rémi's")
    assert sources[second].endswith("# Ana's")
    assert sources[-2:] == ["print('Rémi')", "print('Ana')"]
    assert ana.sources() == sources, "what GitLab has lies on the desk"
    assert len(scene.project.commits.get(done.commit).parent_ids) == 2
    assert len(scene.merge_requests()) == 1

    # The same cell, if only another line of it: a person decides.
    assert remi.open().warnings == ()
    remi.put(first, f"# Rémi's first line\n{remi.sources()[first]}")
    remi.submit("Rémi again")
    ana.edit(first, "# Ana's last line")
    kept, before = ana.files(), scene.head()
    for _ in range(2):
        sentence = refusal_of(lambda: ana.submit("Ana again"))
        assert "Rémi Faure pushed changes to the same cells as yours" in sentence
        assert f"{ana.path} (cell {first + 1})" in sentence
        assert (scene.head(), ana.files()) == (before, kept)
    assert ana.git("log", "-1", "--format=%s") == "Ana again", "the commit is kept, once"
    assert ana.git("rev-list", "--count", "HEAD", "--not", "--remotes") == "1"

    compared = ana.compare("version")
    base = json.loads(compared.base.read_text(encoding="utf-8"))
    now = json.loads(compared.remote.read_text(encoding="utf-8"))
    assert "".join(base["cells"][first]["source"]) == remi.sources()[first]
    assert "".join(now["cells"][first]["source"]) == ana.sources()[first]
    assert f"{before[:8]} · Rémi Faure" in compared.base_label
    ana.put(first, remi.sources()[first])
    assert ana.submit("Theirs first").commit == scene.head()
    assert ana.sources()[first] == remi.sources()[first]


def test_overtaken_between_look_and_push(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    ana, remi = scene.opened(), scene.opened(REVIEWER)
    first, second = ana.code[:2]
    reach, turns = Git.reach, []

    def reach_late(git: Git, *arguments: str) -> bytes:
        mine = git.folder == ana.place.clone and arguments[0] == "push"
        if mine and len(turns) < limit:
            turns.append(len(turns))
            remi.open()
            remi.edit(second, f"# {len(turns)} faster")
            remi.submit("Faster")
        return reach(git, *arguments)

    monkeypatch.setattr(Git, "reach", reach_late)
    limit = 1
    ana.edit(first, "# overtaken once")
    assert told(ana, "submitted_merged") in ana.submit().text
    limit = 4
    ana.edit(first, "# overtaken each time")
    edited = ana.sources()[first]
    assert refusal_of(ana.submit) == told(ana, "overtaken")
    assert ana.sources()[first] == edited
    limit = 0
    ana.submit()
    pushed = scene.pushed(ana.path)
    for line in ("overtaken once", "overtaken each time", *(f"{n} faster" for n in (1, 2, 3, 4))):
        assert pushed.count(f"# {line}") == 1, line


def test_cut_off_anywhere_and_submitted_again(scene: Scene) -> None:
    cuts = Cuts(scene)
    steps = cuts.count()
    assert steps > 30
    # Every step: python -m tests.cut_submits
    assert [cuts.judge(at) for at in (steps // 2, steps - 2)] == [[], []]
    assert cuts.judge(2 * steps) == ["was not cut off"], "the count knows the last step"


def test_production_takes_a_submit_as_any_commit(
    bench_world: BenchWorld, tmp_path: Path, lasting_server: None
) -> None:
    scene = Scene(bench_world, bench_world.prepare("wards"), tmp_path)
    ana = scene.opened()
    ana.edit(ana.code[0], "# by day and night")
    done = ana.submit()

    held = bench_world.lead(scene.key, State.HELD)

    assert (held.work.commit, held.links.merge_request_url) == (done.commit, done.merge_request_url)
    (request,) = scene.merge_requests()
    evidence = "\n".join(note.body for note in request.notes.list(get_all=True))
    assert done.commit[:8] in evidence
    assert held.work.checks
    assert [one.output for one in held.work.checks if f"`{one.output}`" not in evidence] == []

    with bench_world.open_house() as house:
        needed = house.circumstances.panel_of(held).needed
    for person in (REVIEWER, OFFICER)[:needed]:
        approve(scene, person, done.commit)
    delivered = bench_world.lead(scene.key, State.ANSWERED)
    assert delivered.links.deliverables
    late = replace(ana, record=delivered)
    late.edit(late.code[0], "# too late")
    kept = late.files()
    assert refusal_of(late.submit) == told(late, "too_late_answered")
    compared = late.compare("release")
    assert done.commit[:8] in compared.base_label
    base, now = (one.read_text(encoding="utf-8") for one in (compared.base, compared.remote))
    assert base == scene.pushed(late.path)
    assert ("# too late" in base, "# too late" in now) == (False, True)
    assert (late.files(), scene.head()) == (kept, done.commit)
    for house in scene.houses:
        house.__exit__()


def approve(scene: Scene, person: str, commit: str) -> None:
    token = scene.world.world.token(person)
    client = gitlab.Gitlab(scene.world.sandbox.gitlab_url, private_token=token)
    project = client.projects.get(scene.project.id, lazy=True)
    project.mergerequests.get(scene.merge_requests()[0].iid).approve(sha=commit)
