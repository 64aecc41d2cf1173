"""A table of patients with a small group leaves cut, and what left is remembered."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.world import ANALYST, REVIEWER
from pipelines.leaving import check_payload
from tests.integration.test_story import Scene, open_scene, spf_folder
from tests.tiny_template import notebook
from tests.wards import CODE, COUNTS, FRAME, WARDS
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import Verdict
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult
from wardbook.domain.states import State
from wardbook.messages import say

__all__ = ["spf_folder"]

pytestmark = [
    pytest.mark.xdist_group("cutting"),
    pytest.mark.secure("stays*.csv"),
    pytest.mark.usefixtures("lasting_server"),
]


@pytest.fixture
def scene(tmp_path: Path, spf_folder: Path, story_ledger_url: str) -> Iterator[Scene]:
    with open_scene(tmp_path, spf_folder, story_ledger_url, code=CODE, more=WARDS) as scene:
        yield scene


def shown(scene: Scene, record: Record) -> dict[tuple[str, str], str]:
    folder = scene.house.run_folder(str(record.work.run))
    result = RunResult.read(folder)
    assert result is not None
    where, outputs = read_leaving(folder, result.outputs)
    (wards,) = (output for output in outputs if output.name == "wards")
    with (where / wards.file).open(newline="") as lines:
        return {(row["ward"], row["sex"]): row["n"] for row in csv.DictReader(lines)}


def hidden(scene: Scene, record: Record) -> set[tuple[str, str]]:
    return {place for place, n in shown(scene, record).items() if not n}


def change_notebook(scene: Scene, key: str, code: str) -> None:
    change = {
        "action": "update",
        "file_path": f"requests/{key}/notebook.ipynb",
        "content": notebook(code),
    }
    scene.gitlab(ANALYST).commits.create(
        {"branch": f"request/{key}", "commit_message": "Other table", "actions": [change]}
    )
    scene.tick()


def approve(scene: Scene, key: str) -> Record:
    held = scene.record(key)
    assert held.state is State.HELD
    request = scene.gitlab(REVIEWER).mergerequests.get(held.links.merge_request)
    request.approve(sha=request.sha)
    scene.tick()
    return scene.record(key)


def moves(scene: Scene, key: str) -> list[str]:
    return [event.event for event in scene.house.ledger.events(key)]


def verdicts(record: Record) -> dict[str, Any]:
    return {check.reason: check.verdict for check in record.work.checks if check.output == "wards"}


def test_a_small_group_and_what_would_tell_on_it_are_not_shown(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    record = scene.record(key)
    assert record.state is State.HELD
    assert verdicts(record)["cut"] is Verdict.PASS
    leaving = shown(scene, record)
    hidden = {place for place, n in leaving.items() if not n}
    assert ("A", "M") in hidden
    assert len(hidden) >= 4, "else its row or its column would tell"
    assert leaving["all", "all"] == str(sum(COUNTS.values()))
    assert len(leaving) == 12, "the rows stay, without their figures"


def test_what_was_approved_is_what_the_site_shows_and_the_register_knows(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    record = approve(scene, key)
    assert record.state is State.ANSWERED
    (table,) = scene.house.settings.site.folder.glob("reports/*/*/tables/wards.csv")
    with table.open(newline="") as lines:
        published = {(row["ward"], row["sex"]): row["n"] for row in csv.DictReader(lines)}
    assert published == shown(scene, record)
    from wardbook.disclosure.register import Scope

    (release,) = scene.house.ledger.neighbours(Scope("stays", "n"))
    registered = dict(zip(release.places, release.shown, strict=True))
    assert {place for place, n in registered.items() if n is None} == {
        place for place, n in published.items() if not n
    }


def test_a_release_overtaken_by_another_is_cut_anew_and_asks_for_new_approvals(
    scene: Scene,
) -> None:
    """The other shows what this one hides for a small group's sake, and is safe by itself."""
    key = scene.file()
    scene.tick()
    first = hidden(scene, scene.record(key))
    other = scene.file()
    scene.tick()
    cells = {place: n for place, n in COUNTS.items() if place[0] != "A"}
    cells |= {("B", "all"): 80, ("C", "all"): 80}
    assert first & set(cells), "else it would not matter to the first"
    code = f"""{FRAME}wb.say("answer")
wb.table("counts", pd.DataFrame({{"n": [12]}}))
wb.table("wards", pd.DataFrame(
    [(w, s, n) for (w, s), n in {cells!r}.items()], columns=["ward", "sex", "n"]))"""
    change_notebook(scene, other, code)
    assert approve(scene, other).state is State.ANSWERED
    assert not hidden(scene, scene.record(other))

    again = approve(scene, key)
    assert again.state is State.HELD
    assert "release.overtaken" in moves(scene, key)
    second = hidden(scene, again)
    assert ("A", "M") in second
    assert second - set(cells) > first - set(cells), "what the other shows protects nothing now"
    assert not list(scene.house.settings.site.folder.glob(f"reports/*/{key.lower()}*/index.html"))
    scene.tick()
    assert scene.record(key).state is State.HELD, "the approval was of the evidence before"
    request = scene.gitlab(REVIEWER).mergerequests.get(again.links.merge_request)
    request.unapprove()
    assert approve(scene, key).state is State.ANSWERED


BY_HAND = """
[outputs.totals]
kind = "table"
title = { fr = "Services", en = "Wards" }
sensitivity = "public"
channel = "site"
required = false
dimensions = ["ward"]
count = "n"
population = "stays"
[outputs.totals.columns]
ward = { fr = "Service", en = "Ward" }
n = { fr = "Patients", en = "Patients" }
note = { fr = "Note", en = "Note" }
"""


def test_a_table_that_a_person_lets_out_counts_for_later_ones(
    tmp_path: Path, spf_folder: Path
) -> None:
    """Nothing is told of one of its columns, so that nobody but a person can let it out."""
    totals = f"""{FRAME}wb.say("answer")
wb.table("counts", pd.DataFrame({{"n": [12]}}))
by_ward = frame.groupby("ward", as_index=False).n.sum().assign(note="-")
wb.table("totals", by_ward)"""
    crossed = f"""{FRAME}wb.say("answer")
wb.table("counts", pd.DataFrame({{"n": [12]}}))
wb.table("wards", frame)"""
    wards = WARDS.replace('channel = "site"', 'channel = "site"\nrequired = false', 1)
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    with open_scene(
        tmp_path,
        spf_folder,
        ledger,
        code=totals,
        more=wards.replace('total = { ward = "all", sex = "all" }', "") + BY_HAND,
    ) as scene:
        later = scene.file()
        scene.tick()
        change_notebook(scene, later, crossed)
        assert hidden(scene, scene.record(later)) == {("A", "M")}, "nothing else left yet"
        key = scene.file()
        scene.tick()
        held = {check.reason for check in scene.record(key).work.checks if check.output == "totals"}
        assert "columns_untold" in held
        assert approve(scene, key).state is State.ANSWERED
        again = approve(scene, later)
        assert again.state is State.HELD
        assert "release.overtaken" in moves(scene, later)
        assert hidden(scene, again) > {("A", "M")}


ALONE = """
name = "tiny"
version = "1"
title = { fr = "Petit", en = "Tiny" }
question = { fr = "Combien ?", en = "How many?" }
"""


def comment(rows: list[tuple[str, str, object]]) -> str:
    lines = "".join(f"|{ward}|{sex}|{n}|\n" for ward, sex, n in rows)
    return f"Voici le tableau :\n\n||ward||sex||n||\n{lines}"


def series(rows: list[tuple[str, str, object]]) -> bytes:
    fields = [{"name": name} for name in ("ward", "sex", "n")]
    frame = {"schema": {"fields": fields}, "data": {"values": list(zip(*rows, strict=True))}}
    return json.dumps({"results": {"A": {"frames": [frame]}}}).encode()


def assert_payloads_are_judged(scene: Scene, record: Record) -> None:
    """What was cut may not leave by another way; what is shown may."""
    table = shown(scene, record)
    left: list[tuple[str, str, object]] = [(*place, n) for place, n in table.items() if n]
    empty: list[tuple[str, str, object]] = [(*place, n) for place, n in table.items() if not n]
    whole: list[tuple[str, str, object]] = [("A", "M", COUNTS["A", "M"])]
    for write in (comment, series):
        for rows, reasons in (
            (left + empty, {"artefact.clean"}),
            (left + whole, {"artefact.unexplained", "artefact.small_counts"}),
        ):
            checks = check_payload(scene.house, record, "wards", write(rows))
            assert {check.reason for check in checks} == reasons, write
            passes = all(check.verdict is Verdict.PASS for check in checks)
            assert passes is (reasons == {"artefact.clean"})


def test_a_standing_approval_lets_a_cut_table_out_and_tells_what_was_cut(
    tmp_path: Path, spf_folder: Path
) -> None:
    code = CODE.replace('wb.table("counts", pd.DataFrame({"n": [12]}))', "")
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    with open_scene(
        tmp_path, spf_folder, ledger, standing=True, code=code, declared=ALONE, more=WARDS
    ) as scene:
        key = scene.file()
        scene.tick()
        record = scene.record(key)
        assert record.state is State.ANSWERED
        assert record.work.ground == "standing"
        assert verdicts(record)["cut"] is Verdict.PASS
        gone = hidden(scene, record)
        assert ("A", "M") in gone
        (table,) = scene.house.settings.site.folder.glob("reports/*/*/tables/wards.csv")
        with table.open(newline="") as lines:
            left = {(row["ward"], row["sex"]) for row in csv.DictReader(lines) if not row["n"]}
        assert left == gone
        told = say("fr", "check.cut", cells=len(gone), of=12)
        page = table.parent.parent / "index.html"
        text = page.read_text(encoding="utf-8")
        assert told in text
        assert_payloads_are_judged(scene, record)
        assert text.count(">masqué<") == len(gone)
