"""Review against the sandbox: two people, standing approvals, differences, refusals and reasons."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_story import CODE as REPORT
from test_story import Scene, open_scene, spf_folder

from pipelines.cli.audit import audit
from pipelines.cli.main import Context
from pipelines.cli.review import approvals, review
from pipelines.demo.world import ANALYST, OFFICER, REVIEWER
from pipelines.evidence_page import page_of
from pipelines.house import House
from requests_sync.marks import digest_of_evidence
from tests.tiny_template import notebook
from wardbook.audit.account import os_account
from wardbook.domain.pinned import Trust, grouped
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.files import hash_file
from wardbook.review.standing import parts_of_record
from wardbook.settings import Settings, StandingApproval

pytestmark = [pytest.mark.xdist_group("review"), pytest.mark.usefixtures("lasting_server")]
__all__ = ["spf_folder"]

PATIENTS = """
[sources.stays]
kind = "hospital-stays"
label = { fr = "Séjours", en = "Stays" }
[parameters.ward]
type = "text"
label = { fr = "Service", en = "Ward" }
default = "tous"
example = "tous"
"""
LIST = """
[outputs.stays]
kind = "table"
title = { fr = "Séjours", en = "Stays" }
sensitivity = "sensitive"
channel = "share"
[outputs.stays.columns]
ipp = { fr = "IPP", en = "IPP" }
n = { fr = "Nombre", en = "Number" }
"""
SECRET = "DUPONT-8001234567"
CODE = """import pandas as pd
import wardbook as wb
wb.say("answer")
wb.table("counts", pd.DataFrame({"n": [3]}))
secret = "DUPONT-" + str(8 * 10**9 + 1234567)  # the report shows this code, not what it computes
wb.table("stays", pd.DataFrame({"ipp": [secret], "n": [41]}))"""


COUNTED = """
[outputs.wards]
kind = "table"
title = { fr = "Services", en = "Wards" }
sensitivity = "internal"
channel = "site"
count = "n"
required = false
[outputs.wards.columns]
ward = { fr = "Service", en = "Ward" }
n = { fr = "Nombre", en = "Number" }
"""


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory, spf_folder: Path) -> Iterator[Scene]:
    """A unit whose reports hold a list of persons; each test files its own tickets."""
    folder = tmp_path_factory.mktemp("patients")
    with open_scene(
        folder, spf_folder, f"sqlite:///{folder / 'ledger.db'}", code=CODE, more=PATIENTS + LIST
    ) as scene:
        yield scene


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, spf_folder: Path) -> Iterator[Scene]:
    """A unit whose reports hold no person."""
    folder = tmp_path_factory.mktemp("reports")
    with open_scene(folder, spf_folder, f"sqlite:///{folder / 'ledger.db'}", more=COUNTED) as scene:
        yield scene


def merge_request(scene: Scene, key: str, person: str) -> Any:
    return scene.gitlab(person).mergerequests.get(scene.record(key).links.merge_request)


def approve(scene: Scene, key: str, *people: str) -> None:
    for person in people:
        request = merge_request(scene, key, person)
        request.approve(sha=request.sha)


def notes_on(scene: Scene, key: str, of: str = "merge_request") -> list[str]:
    record, project = scene.record(key), scene.gitlab(REVIEWER)
    if of == "merge_request":
        parent = project.mergerequests.get(record.links.merge_request)
    else:
        parent = project.issues.get(record.links.issue)
    listed = parent.notes.list(iterator=True, sort="asc")
    return [note.body for note in listed if not note.system]


def everything_outside(scene: Scene, key: str) -> str:
    """All that our account wrote on either tracker."""
    return "\n".join([*notes_on(scene, key), *notes_on(scene, key, "issue"), *scene.comments(key)])


def change(scene: Scene, **changes: object) -> None:
    """Change the unit's settings, as a merged change of the file does; its processes go on."""
    changed = House(scene.house.settings.model_copy(update=changes), now=scene.house.now)
    changed.__dict__ |= scene.house.__dict__ | {"settings": changed.settings}
    changed.look_again()
    scene.house = changed


def commit(scene: Scene, key: str, code: str) -> None:
    scene.gitlab(ANALYST).commits.create(
        {
            "branch": f"request/{key}",
            "commit_message": "Mend",
            "actions": [
                {
                    "action": "update",
                    "file_path": f"requests/{key}/notebook.ipynb",
                    "content": notebook(code),
                }
            ],
        }
    )


def test_what_is_about_persons_takes_two_and_no_value_is_on_gitlab(patients: Scene) -> None:
    scene = patients
    key = scene.file()
    scene.tick()
    held = scene.record(key)
    assert held.state is State.HELD
    (evidence,) = notes_on(scene, key)
    assert digest_of_evidence(evidence) == held.work.evidence
    assert "2 approbations" in evidence
    assert f"`{OFFICER}`, `{REVIEWER}`" in evidence
    assert SECRET not in everything_outside(scene, key)
    page = page_of(scene.house.run_folder(str(held.work.run))).read_text(encoding="utf-8")
    assert SECRET in page, "on the secure side the reviewer sees what they judge"
    assert held.request is not None
    (asker,) = held.request.recipients
    told = evidence.partition("\n\n**Scellé")[2].partition("Les cinq causes")[0]
    assert "`stays`" in told.partition("\n")[0]
    assert f"- `{asker}`\u00a0: **pas encore de clé confirmée**" in told
    assert f"<li>{asker} <strong>pas encore de clé confirmée" in page

    approve(scene, key, REVIEWER)
    scene.tick()
    assert scene.record(key).state is State.HELD, "one of two"
    approve(scene, key, OFFICER)
    scene.tick()
    released = scene.record(key)
    assert released.state is not State.HELD
    assert {one.username for one in released.work.released_by} == {REVIEWER, OFFICER}


def test_an_edited_evidence_note_is_no_evidence(patients: Scene) -> None:
    scene, pinned = patients, "AB12" * 10
    key = scene.file()
    asker, now = "cmoreau", scene.house.now()
    scene.house.ledger.decide_key(asker, pinned, Trust.CONFIRMED, by=REVIEWER, request=key, now=now)
    scene.tick()
    request = merge_request(scene, key, "wardbook")
    (note,) = [one for one in request.notes.list(iterator=True) if not one.system]
    before = note.body
    assert f"- `{asker}`\u00a0: la clé qui finit par `AB12 AB12 AB12 AB12`\n" in before
    page = page_of(scene.house.run_folder(str(scene.record(key).work.run)))
    assert f"<li>{asker} <code>{grouped(pinned)}</code>" in page.read_text(encoding="utf-8")
    note.body = before.replace("à relire", "conforme")
    note.save()
    approve(scene, key, REVIEWER, OFFICER)
    scene.tick()
    assert scene.record(key).state is State.HELD
    note.body = before
    note.save()
    later(scene, minutes=3)
    scene.tick()
    assert scene.record(key).state is not State.HELD


def later(scene: Scene, **time: float) -> None:
    """Let our clock go on."""
    now: Callable[[], datetime] = scene.house.now
    scene.house.now = lambda: now() + timedelta(**time)
    scene.house.look_again()


def test_a_reviewers_reason_reaches_the_analyst_and_not_the_ticket(patients: Scene) -> None:
    scene = patients
    key, other = scene.file(), scene.file()
    scene.tick()
    words = "Refus : 1, 5 — la ligne de Mme X est reconnaissable"
    merge_request(scene, key, ANALYST).notes.create({"body": words})
    scene.tick()
    assert scene.record(key).state is State.HELD, "an analyst does not review"
    merge_request(scene, key, REVIEWER).notes.create({"body": words})
    later(scene, minutes=3)  # within a minute nothing shows in its stamp
    approve(scene, other, REVIEWER, OFFICER)
    scene.tick()
    refused = scene.record(key)
    assert refused.state is State.REJECTED
    (told,) = notes_on(scene, key, "issue")
    assert "la ligne de Mme X est reconnaissable" in told
    assert "Rémi Faure" in told
    assert "Petits effectifs" in told and "masquez" in told
    (comment,) = scene.comments(key)
    assert "Mme X" not in comment
    assert "trop peu de patients" in comment
    assert refused.links.deliverables == ()
    assert scene.record(other).state is not State.HELD, "the other request went on"


def test_a_closed_merge_request_takes_its_closers_last_words(patients: Scene) -> None:
    scene = patients
    key = scene.file()
    scene.tick()
    request = merge_request(scene, key, REVIEWER)
    request.notes.create({"body": "/shrug\nIl manque les effectifs"})
    request.state_event = "close"
    request.save()
    scene.tick()
    assert scene.record(key).state is State.REJECTED
    assert "Il manque les effectifs" in notes_on(scene, key, "issue")[0]
    assert "demande une correction" in scene.comments(key)[0]

    commit(scene, key, CODE.replace("[3]", "[4]"))
    request.state_event = "reopen"
    request.save()
    scene.tick()
    assert scene.record(key).state is State.HELD, "mended, and shown anew"
    assert "Rien n’a encore été diffusé" in notes_on(scene, key)[-1]


def test_a_rules_refusal_names_rule_output_and_remedy(patients: Scene) -> None:
    key = patients.file()
    patients.tick()
    commit(patients, key, "\n".join(line for line in CODE.splitlines() if "stays" not in line))
    patients.tick()
    assert patients.record(key).state is State.REJECTED
    (told,) = notes_on(patients, key, "issue")
    assert "`stays`" in told
    assert "`complete`" in told
    assert "À faire" in told
    assert patients.record(key).links.deliverables == ()
    assert "pas assez décrite" in patients.comments(key)[0]


# --- standing approvals ---------------------------------------------------------------------------


def grant(scene: Scene, key: str, **changes: object) -> dict[str, StandingApproval]:
    record = scene.record(key)
    parts = parts_of_record(record, scene.house.templates["tiny"])
    assert parts is not None
    given = {"reviewers": (REVIEWER,), "until": date(2099, 1, 1), **asdict(parts)}
    return {key: StandingApproval.model_validate(given | changes)}


def rerun(scene: Scene, key: str) -> Record:
    from pipelines.steps.run import force_request

    force_request(scene.house, scene.record(key), "analyst", "another period")
    scene.tick()
    return scene.record(key)


@pytest.fixture
def answered(reports: Scene) -> tuple[Scene, str]:
    """A report on public data that was reviewed and answered once."""
    key = reports.file()
    reports.tick()
    approve(reports, key, REVIEWER)
    reports.tick()
    assert reports.record(key).state is State.ANSWERED
    return reports, key


def test_a_granted_report_leaves_by_itself_until_something_ends_it(
    answered: tuple[Scene, str],
) -> None:
    scene, key = answered
    soon = scene.house.today + timedelta(days=7)
    change(scene, standing_approvals=grant(scene, key, until=soon))
    rerun(scene, key)
    again = rerun(scene, key)
    assert again.state is State.ANSWERED
    assert again.work.ground == "standing"
    assert [one.username for one in again.work.released_by] == [REVIEWER]
    assert len(notes_on(scene, key)) == 1, "nobody had to look"
    told = [note for note in notes_on(scene, key, "issue") if "autorisation permanente" in note]
    assert len(told) == 1, "its end is told once, ahead of time"
    assert soon.isoformat() in told[0]

    change(scene, standing_approvals=grant(scene, key, parameters="0" * 16))
    held = rerun(scene, key)
    assert held.state is State.HELD
    note = notes_on(scene, key)[-1]
    assert "Les paramètres ou les sources ont changé." in note
    assert str(again.work.run) in note, "compared with what left last"
    assert "`counts` : identique" in note.replace("\u00a0", " ")
    events = [event for event in scene.house.ledger.events(key) if event.event == "release.held"]
    assert events[-1].detail["obstacles"] == ["parameters"]


def run_command(scene: Scene, command: Any, *arguments: str) -> tuple[int, str]:
    class Here(Context):
        def settings(self) -> Settings:
            return scene.house.settings

    done = CliRunner().invoke(
        command, arguments, obj=Here(Path(), {}), standalone_mode=False, catch_exceptions=False
    )
    return int(done.return_value), done.output


def test_the_commands_show_what_waits_and_what_stands(answered: tuple[Scene, str]) -> None:
    scene, key = answered
    code, text = run_command(scene, review, key)
    assert (code, "evidence" in text) == (0, True)
    assert f"approved  {REVIEWER}: counts" in text
    run = str(scene.record(key).work.run)
    (shown,) = scene.house.ledger.audit_entries(key, events=("evidence.shown",))
    digest = hash_file(page_of(scene.house.run_folder(run)))
    assert (shown.actor, shown.told) == (os_account(), {"run": run, "sha256": digest})
    assert run_command(scene, review, "DATA-99")[0] == 1

    until = ("--until", "2099-01-01")
    for nobody in (ANALYST, "cmoreau"):
        assert run_command(scene, approvals, "--grant", key, "--reviewer", nobody, *until)[0] == 1
    code, text = run_command(scene, approvals, "--grant", key, "--reviewer", REVIEWER, *until)
    assert code == 0
    granted = tomllib.loads(text)["standing_approvals"]
    (drafted,) = scene.house.ledger.audit_entries(key, events=("standing.drafted",))
    assert drafted.actor == os_account(), "and not for those who were turned away"
    assert drafted.told == {"run": run, "reviewers": [REVIEWER], "until": "2099-01-01"}
    change(
        scene,
        standing_approvals={
            name: StandingApproval.model_validate(one) for name, one in granted.items()
        },
    )
    code, text = run_command(scene, approvals)
    assert (code, REVIEWER in text, re.search(rf"{key}.*yes", text) is not None) == (0, True, True)
    code, text = run_command(scene, audit, "show", key)
    assert "evidence.shown" in text
    assert f"standing.drafted     reviewers {REVIEWER}, run {run}" in text
    commands = scene.house.ledger.audit_entries(events=("command.run",))
    assert [entry.told["command"] for entry in commands][-2:] == ["review", "approvals"]
    assert run_command(scene, audit, "verify")[0] == 0
    change(scene, standing_approvals=grant(scene, key, code="0" * 16))
    code, text = run_command(scene, approvals)
    assert (code, "no: code" in text) == (1, True)


# --- since the last release -----------------------------------------------------------------------


def test_a_small_move_since_the_last_release_is_found_and_counted(
    answered: tuple[Scene, str],
) -> None:
    scene, key = answered
    source = 'wb.table("wards", pd.DataFrame({"ward": ["URO", "ORL"], "n": [41, %s]}))'
    for number in (40, 43):
        rerun(scene, key)
        commit(scene, key, f"{REPORT}\n{source % number}")
        scene.tick()
        held = scene.record(key)
        assert held.state is State.HELD
        approve(scene, key, REVIEWER)
        scene.tick()
    note = notes_on(scene, key)[-1].replace("\u00a0", " ")
    assert "`wards` : 0 ligne(s) apparue(s), 0 disparue(s), 1 cellule(s) modifiée(s)" in note
    assert "colonnes touchées : `n`" in note
    assert "1 effectif(s) modifié(s) de moins de 11" in note
    assert "Code du carnet : 1 ligne(s) ajoutée(s), 1 retirée(s)" in note
    assert not re.search(r"\b43\b", note)
    assert re.search(r"\b41\b|\b11\b", note), "the look would find one"
