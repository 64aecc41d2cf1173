"""The story against the sandbox with a template of the test's own: quick, on both ledgers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.demo import opened_world
from pipelines.demo.tickets import DemoTicket, care_fields, fields_of
from pipelines.demo.world import ANALYST, DIRECTION, PROJECTS, REVIEWER, World
from pipelines.house import House, read_clock
from pipelines.steps.run import force_request
from pipelines.story import tick_until_quiet
from tests.tiny_template import TEMPLATE as TINY
from tests.tiny_template import notebook, write_template
from wardbook.domain.record import Record
from wardbook.domain.states import State
from wardbook.epidemic.generate import generate_files
from wardbook.review.standing import parts_of
from wardbook.sandbox import Sandbox
from wardbook.settings import load_settings

pytestmark = [pytest.mark.xdist_group("story"), pytest.mark.usefixtures("lasting_server")]

COUNTS = """
[outputs.counts]
kind = "table"
title = { fr = "Effectifs", en = "Counts" }
sensitivity = "public"
channel = "site"
[outputs.counts.columns]
n = { fr = "Nombre", en = "Number" }
"""
TEMPLATE = TINY + COUNTS
CODE = """import pandas as pd
import wardbook as wb
wb.say("answer")
wb.table("counts", pd.DataFrame({"n": [12]}))"""


class Scene:
    """A unit with one tiny template and one ticket."""

    def __init__(self, world: World, sandbox: Sandbox, house: House) -> None:
        self.world, self.sandbox, self.house = world, sandbox, house

    def file(self, **fields: str) -> str:
        from jira import JIRA

        client = JIRA(
            server=self.sandbox.jira_url, token_auth=self.world.token("cmoreau"), max_retries=0
        )
        ticket = DemoTicket(
            "t", "cmoreau", DIRECTION, "Petite question", "", care_fields("tiny", **fields)
        )
        return str(client.create_issue(fields=fields_of(ticket, "t")).key)

    def edit(self, key: str, fields: dict[str, Any]) -> None:
        from jira import JIRA

        client = JIRA(
            server=self.sandbox.jira_url, token_auth=self.world.token("cmoreau"), max_retries=0
        )
        client.issue(key).update(fields=fields)

    def gitlab(self, person: str) -> Any:
        import gitlab

        client = gitlab.Gitlab(self.sandbox.gitlab_url, private_token=self.world.token(person))
        return client.projects.get(PROJECTS[DIRECTION])

    def tick(self) -> None:
        outcome = tick_until_quiet(self.house)
        assert outcome.faults == {}

    def record(self, key: str) -> Record:
        record = self.house.ledger.record(key)
        assert record is not None
        return record

    def comments(self, key: str) -> list[str]:
        return [comment["body"] for comment in self.house.jira.comments(key)]


@pytest.fixture(scope="session")
def spf_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few days of data, made once: these tests are not about data."""
    folder = tmp_path_factory.mktemp("spf")
    stock, flow = generate_files(folder, seed=1, days=8)
    stock.rename(folder / "hosp_donnees-hospitalieres-covid19.csv")
    flow.rename(folder / "hosp_nouveaux.csv")
    return folder


@contextmanager
def open_scene(
    folder: Path,
    spf: Path,
    ledger: str,
    *,
    standing: bool = False,
    code: str = CODE,
    declared: str = TEMPLATE,
    more: str = "",
    now: Callable[[], datetime] = read_clock,
) -> Iterator[Scene]:
    template = write_template(folder / "templates", code, declared=declared + more)
    texts = '[fr]\nanswer = "Douze."\n[en]\nanswer = "Twelve."\n'
    (template / "texts.toml").write_text(texts, encoding="utf-8")
    with opened_world(folder / "world", spf) as (world, sandbox, _):
        settings = load_settings(world.settings, {"WARDBOOK_LEDGER_URL": ledger})
        unit = settings.unit.model_copy(update={"templates": folder / "templates"})
        changes: dict[str, Any] = {"unit": unit}
        if standing:
            with House(settings.model_copy(update=changes)) as house:
                approval = settings.standing_approvals["hospital_epidemic"]
                tiny = house.templates["tiny"]
                policy = str(house.policy_for("Direction médicale", tiny).reference)
                known = {one.kind: name for name, one in settings.sources.items() if one.default}
                sources = {name: known[one.kind] for name, one in tiny.spec.sources.items()}
                parts = asdict(parts_of(tiny, [policy], {}, sources))
            changes["standing_approvals"] = {"tiny": approval.model_copy(update=parts)}
        with House(settings.model_copy(update=changes), now=now) as house:
            yield Scene(world, sandbox, house)


@pytest.fixture
def scene(tmp_path: Path, spf_folder: Path, story_ledger_url: str) -> Iterator[Scene]:
    with open_scene(tmp_path, spf_folder, story_ledger_url) as scene:
        yield scene


def test_held_approved_answered_then_edited_and_answered_anew(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    held = scene.record(key)
    assert held.state is State.HELD, "no standing approval: a reviewer has to look"
    project = scene.gitlab(REVIEWER)
    request = project.mergerequests.get(held.links.merge_request)
    evidence = [note.body for note in request.notes.list(iterator=True) if not note.system]
    assert len(evidence) == 1
    assert str(held.work.run) in evidence[0]
    request.approve(sha=request.sha)
    scene.tick()
    answered = scene.record(key)
    assert answered.state is State.ANSWERED
    assert answered.work.released_by[0].username == REVIEWER
    assert scene.house.jira.status(key) == ("Résolu", True)
    assert len(scene.comments(key)) == 1
    issue = project.issues.get(answered.links.issue)
    assert issue.state == "closed"
    assert "state::answered" in issue.labels

    scene.edit(key, {"description": "Et pour la Corse ?"})
    scene.tick()
    again = scene.record(key)
    assert again.revision == 2
    assert again.links.issue == answered.links.issue, "the same issue, brought up to date"
    issue = project.issues.get(answered.links.issue)
    assert "Corse" in issue.description
    assert issue.state == "opened"


def test_what_would_leave_is_read_and_stops_a_standing_approval(
    tmp_path: Path, spf_folder: Path
) -> None:
    ledger = f"sqlite:///{tmp_path / 'l.db'}"
    code = CODE.replace("[12]", "['=1+1']")
    with open_scene(tmp_path, spf_folder, ledger, standing=True, code=code) as scene:
        key = scene.file()
        scene.tick()
        record = scene.record(key)
        assert record.state is State.HELD
        found = {check.reason: check.output for check in record.work.checks}
        assert found["artefact.formula"] == "report"
        request = scene.gitlab(REVIEWER).mergerequests.get(record.links.merge_request)
        notes = "".join(note.body for note in request.notes.list(iterator=True))
        assert "formules" in notes
        assert "=1+1" not in notes
        left = list(scene.house.run_folder(str(record.work.run)).glob("leaving-*"))
        assert left == []


def test_a_report_that_changed_after_its_check_never_leaves(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    key = scene.file()
    scene.tick()
    held = scene.record(key)
    executed = scene.house.run_folder(str(held.work.run)) / "executed.ipynb"
    text = executed.read_text(encoding="utf-8")
    assert "Douze." in text
    executed.write_text(text.replace("Douze.", "Douze.\u200b"), encoding="utf-8")
    request = scene.gitlab(REVIEWER).mergerequests.get(held.links.merge_request)
    request.approve(sha=request.sha)
    scene.tick()
    assert "not the one that was checked (artefact.invisible_text)" in caplog.text
    assert scene.record(key).state is not State.ANSWERED
    assert not list(scene.house.settings.site.folder.glob("reports/*/*/index.html"))


def test_a_comment_of_the_requester_is_no_new_request(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    before = scene.record(key)
    scene.house.jira.add_comment(key, "Merci !")
    scene.tick()
    after = scene.record(key)
    assert after.ticket.updated != before.ticket.updated
    read = {name: getattr(before, name) for name in ("ticket", "review", "view", "compared")}
    assert replace(after, **read) == before


def test_an_analyst_mends_the_branch_and_an_old_approval_does_not_count(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    held = scene.record(key)
    reviewer = scene.gitlab(REVIEWER)
    scene.gitlab(ANALYST).commits.create(
        {
            "branch": f"request/{key}",
            "commit_message": "Count better",
            "actions": [
                {
                    "action": "update",
                    "file_path": f"requests/{key}/notebook.ipynb",
                    "content": notebook(CODE.replace("12", "13")),
                }
            ],
        }
    )
    request = reviewer.mergerequests.get(held.links.merge_request)
    request.approve()
    scene.tick()
    again = scene.record(key)
    assert again.state is State.HELD, "the approval came before the new run's evidence"
    assert again.work.run != held.work.run
    assert not again.work.unchanged
    request = reviewer.mergerequests.get(held.links.merge_request)
    head = request.sha
    request.unapprove()
    request.approve(sha=head)
    scene.tick()
    assert scene.record(key).state is State.ANSWERED


def test_the_analyst_who_wrote_a_commit_may_not_release_it(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    scene.gitlab(REVIEWER).commits.create(
        {
            "branch": f"request/{key}",
            "commit_message": "My own change",
            "actions": [{"action": "create", "file_path": "note.md", "content": "x"}],
        }
    )
    scene.tick()
    request = scene.gitlab(REVIEWER).mergerequests.get(scene.record(key).links.merge_request)
    request.approve(sha=request.sha)
    scene.tick()
    assert scene.record(key).state is State.HELD


def test_a_closed_merge_request_turns_the_result_down(scene: Scene) -> None:
    key = scene.file()
    scene.tick()
    request = scene.gitlab(REVIEWER).mergerequests.get(scene.record(key).links.merge_request)
    request.state_event = "close"
    request.save()
    scene.tick()
    assert scene.record(key).state is State.REJECTED
    assert len(scene.comments(key)) == 1
    assert not (scene.house.settings.site.folder / "reports").exists()


def test_a_refused_ticket_is_read_again_when_it_is_edited(scene: Scene) -> None:
    key = scene.file(reference="")
    scene.tick()
    assert scene.record(key).state is State.REFUSED
    assert scene.house.jira.status(key) == ("En attente du demandeur", False)
    assert scene.record(key).links.issue is None
    reference = scene.house.settings.jira.fields.reference
    scene.edit(key, {reference: "NOTE-1"})
    scene.tick()
    assert scene.record(key).state is State.HELD
    assert scene.house.jira.status(key) == ("En cours", False)


def test_a_refusal_calls_the_fields_as_jira_does(scene: Scene) -> None:
    key = scene.file(purpose="Recherche", approver="alopes")
    scene.edit(key, {"components": []})
    scene.tick()
    (comment,) = scene.comments(key)
    names = scene.house.jira.field_names()
    ids = scene.house.settings.jira.fields
    assert names["components"] != "Composants (service)", "else our own word would pass for theirs"
    for identity in ("components", ids.legal_basis, ids.ethics, ids.dpo):
        assert f"«\u00a0{names[identity]}\u00a0»" in comment
    assert "Nadia Petit" in comment, "a person's name, not the account"
    assert scene.record(key).links.issue is None


def test_jira_away_is_told_and_the_rest_goes_on(scene: Scene) -> None:
    from wardbook.sandbox import Fault

    scene.file()
    scene.sandbox.faults.add(Fault("jira", "503"))
    outcome = tick_until_quiet(scene.house)
    assert "jira" in outcome.faults
    assert "HTTP 503" in outcome.faults["jira"]
    scene.sandbox.faults.clear()
    scene.tick()
    assert scene.house.ledger.counts() == {State.HELD: 1}


def test_a_standing_approval_lets_the_unchanged_report_out(
    tmp_path: Path, spf_folder: Path
) -> None:
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_scene(tmp_path, spf_folder, ledger, standing=True) as scene:
        key = scene.file()
        scene.tick()
        answered = scene.record(key)
        assert answered.state is State.ANSWERED
        assert answered.work.ground == "standing"


def test_a_failed_run_is_tried_again_when_asked(tmp_path: Path, spf_folder: Path) -> None:
    flag = tmp_path / "disk-is-back"
    code = f"import pathlib\nassert pathlib.Path({str(flag)!r}).exists(), 'DUPONT'\n{CODE}"
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_scene(tmp_path, spf_folder, ledger, code=code) as scene:
        key = scene.file()
        scene.tick()
        assert scene.record(key).state is State.FAILED
        scene.tick()
        assert scene.record(key).revision == 1, "nothing changed: nothing is tried"
        for expected, comments in ((State.FAILED, 2), (State.HELD, 2)):
            force_request(scene.house, scene.record(key), "analyst", "the disk is back")
            scene.tick()
            assert scene.record(key).state is expected
            assert len(scene.comments(key)) == comments
            flag.touch()
        assert "DUPONT" not in "".join(scene.comments(key))
