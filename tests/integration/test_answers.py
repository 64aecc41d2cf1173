"""The answer on the ticket: its words, its figures, and what holds them back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from markup_texts import faults_for_jira

from pipelines.answer_text import write_answer
from pipelines.channels import valid_receipt
from pipelines.demo.world import REVIEWER
from pipelines.provenance import Finished
from pipelines.steps.answer import compose_answer, tell_by_mail
from pipelines.ticket_channel import JiraAttach
from tests.integration.test_story import Scene, open_scene, spf_folder
from tests.wards import CODE, WARDS
from wardbook.domain.output import Channel
from wardbook.domain.record import Approval, Intent, Outcome, Record
from wardbook.domain.states import State
from wardbook.errors import Fault
from wardbook.settings import MailSettings
from wardbook.template.localised import Localised

__all__ = ["spf_folder"]

pytestmark = [pytest.mark.xdist_group("answers"), pytest.mark.secure("stays*.csv")]

PARAMETERS = """
[parameters.start]
type = "date"
required = false
label = { fr = "Premier jour", en = "First day" }
example = "2026-01-01"
[parameters.who]
type = "text"
required = false
label = { fr = "Pour qui", en = "For whom" }
example = "la cellule de crise"
"""
MARKER = ".wardbook-share"
HOSTILE = "{color:red}h1. [x|javascript:y] !z! ~[~admin]~ *{anchor:wardbook-1}* http://evil.example"


ATTACHED = """
[outputs.attached]
kind = "table"
title = { fr = "Tableau joint", en = "Attached table" }
sensitivity = "internal"
channel = "ticket"
[outputs.attached.columns]
n = { fr = "Nombre", en = "Number" }
"""
ATTACHING = """
wb.table("attached", pd.DataFrame({"n": [34]}))
wb.table("patients", pd.DataFrame({"n": [4711]}))"""
PATIENTS = """
[outputs.patients]
kind = "table"
title = { fr = "Liste", en = "List" }
sensitivity = "sensitive"
channel = "share"
[outputs.patients.columns]
n = { fr = "Nombre", en = "Number" }
"""
HEADLINES = "".join(
    f"""
[headlines.{name}]
label = {{ fr = "{name}", en = "{name}" }}
output = "{output}"
column = "n"
row = "only"
{where}
"""
    for name, output, where in (
        ("counted", "counts", ""),
        ("small", "wards", 'where = { ward = "A", sex = "M" }'),
        ("all", "wards", 'where = { ward = "all", sex = "all" }'),
    )
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, spf_folder: Path) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("answers")
    more = PARAMETERS + WARDS + ATTACHED + PATIENTS + HEADLINES
    ledger, code = f"sqlite:///{folder / 'l.db'}", CODE + ATTACHING
    clock = Clock()
    with open_scene(folder, spf_folder, ledger, code=code, more=more, now=clock) as scene:
        allow_attachments(scene, 10_000)
        share_with_requester(scene)
        yield scene


class Clock:
    """The present, and as much later as somebody waited."""

    waited = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.waited


def share_with_requester(scene: Scene) -> None:
    """The share has rights and a marker; the requester has the key that the world published."""
    settings = scene.house.settings
    (holder,) = settings.seal.recipients
    share = settings.share.model_copy(
        update={"marker": MARKER, "folder_mode": "2750", "file_mode": "0640"}
    )
    recipients = {"cmoreau": settings.seal.recipients[holder]}
    seal = settings.seal.model_copy(update={"recipients": recipients})
    gitlab = settings.gitlab.model_copy(update={"people": {"cmoreau": holder}})
    changes = {"share": share, "seal": seal, "gitlab": gitlab}
    scene.house.settings = settings.model_copy(update=changes)


def allow_attachments(scene: Scene, most: int) -> None:
    settings = scene.house.settings
    jira = settings.jira.model_copy(update={"attach_max_bytes": most})
    scene.house.settings = settings.model_copy(update={"jira": jira})


@pytest.fixture(scope="module")
def record(scene: Scene) -> Record:
    """An answered request."""
    key = scene.file(parameters=f"start = 2026-03-01\nwho = {HOSTILE}")
    scene.tick()
    held = scene.record(key)
    assert held.state is State.HELD
    # What is about persons takes two approvals of others; that is told elsewhere.
    approval = Approval(REVIEWER, "Rémi Faure", "2026-03-02T12:00:00Z")
    work = replace(held.work, released_by=(approval,), ground="review")
    scene.house.ledger.move(held, State.RELEASED, now=scene.house.now(), work=work)
    scene.tick()
    share = scene.house.settings.share.folder
    assert scene.record(key).state is State.DELIVERED, "the share is not mounted"
    assert scene.comments(key) == []
    assert not share.exists()
    share.mkdir()
    (share / MARKER).touch()
    scene.house.now.waited = timedelta(minutes=1)  # type: ignore[attr-defined]
    scene.tick()
    answered = scene.record(key)
    assert answered.state is State.ANSWERED
    return answered


def text_of(scene: Scene, record: Record) -> str:
    (comment,) = scene.comments(record.key)
    text, _, anchor = comment.rpartition("\n")
    assert re.fullmatch(r"\{anchor:wardbook-[\w.-]+\}", anchor)
    return text


def test_an_answer_in_the_requesters_words(scene: Scene, record: Record) -> None:
    text = text_of(scene, record)
    assert "Votre ticket\u00a0: «\u00a0Petite question\u00a0»" in text
    assert "L’analyse\u00a0: Petit. Combien ?" in text
    assert "* Premier jour\u00a0: 1 mars 2026" in text
    assert "* counted\u00a0: *12*" in text
    delivered = {one.channel: one for one in record.links.deliverables}
    sealed, attached = delivered[Channel.SHARE], delivered[Channel.TICKET]
    assert delivered[Channel.SITE].address in text
    assert f"* Pièce jointe à ce ticket\u00a0: {attached.file}" in text
    assert "un commentaire sur ce ticket" in text
    assert f"{{noformat}}\ngpg --output {sealed.plain_name} --decrypt {sealed.file}\n" in text
    assert "4711" not in text
    assert list(faults_for_jira(text)) == []
    assert list(faults_for_jira(HOSTILE)) != [], "else the judge sees nothing"
    assert "http://evil" not in text, "Jira would make a link of it"
    title = [link["object"]["title"] for link in scene.house.jira.remote_links(record.key)]
    assert f"Rapport · {record.key}" in title


def test_a_cut_figure_is_not_on_the_ticket_and_the_others_are(scene: Scene, record: Record) -> None:
    text = text_of(scene, record)
    assert "* small\u00a0: *masqué* (chiffre non montré" in text
    assert "* all\u00a0: *204*" in text
    assert not re.search(r"(?m)^\* small.*\b4\b", text)


def test_what_is_sealed_stands_in_the_share_with_its_rights(scene: Scene, record: Record) -> None:
    (sealed,) = (d for d in record.links.deliverables if d.channel is Channel.SHARE)
    folder = Path(sealed.folder)
    modes = {file.name: file.stat().st_mode & 0o7777 for file in folder.iterdir()}
    assert len(modes) == 3, "the file, its receipt and its signature"
    assert set(modes.values()) == {0o640}
    assert folder.stat().st_mode & 0o7777 == folder.parent.stat().st_mode & 0o7777 == 0o2750


def test_figures_that_do_not_pass_the_check_are_left_out_and_hold_nothing_up(
    scene: Scene, record: Record, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A label is the template's own; that it is judged shows that what is sent is what is read."""
    tiny = scene.house.templates["tiny"]
    named = Localised(fr="Patient 8123456789", en="Patient 8123456789")
    counted = tiny.spec.headlines["counted"].model_copy(update={"label": named})
    spec = tiny.spec.model_copy(update={"headlines": {**tiny.spec.headlines, "counted": counted}})
    changed = {"tiny": replace(tiny, spec=spec)}
    monkeypatch.setitem(scene.house.__dict__, "templates", changed)
    answer = compose_answer(scene.house, record, "fr")
    assert answer.headlines is None
    text = write_answer(answer, "fr")
    assert "une vérification automatique l’a empêché" in text
    assert not re.search(r"\*(12|204)\*|8123456789", text)
    assert "answered without figures (identifier." in caplog.text
    assert "8123456789" not in caplog.text


def test_a_run_that_is_gone_is_answered_without_figures(scene: Scene, record: Record) -> None:
    folder = scene.house.run_folder(str(record.work.run))
    away = folder.rename(folder.with_name("gone"))
    try:
        answer = compose_answer(scene.house, record, "fr")
    finally:
        away.rename(folder)
    assert answer.headlines is None
    assert answer.asked.parameters[0] == ("Premier jour", "1 mars 2026")
    assert compose_answer(scene.house, record, "fr").headlines, "there they were"


@pytest.mark.parametrize("figures", [False, True])
def test_a_mail_has_links_and_figures_only_where_the_unit_says_so(
    scene: Scene, record: Record, figures: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"host": "smtp.invalid", "sender": "unit@hospital.example", "figures": figures}
    mail = MailSettings.model_validate(given)
    settings = scene.house.settings.model_copy(update={"mail": mail})
    monkeypatch.setattr(scene.house, "settings", settings)
    text = tell_by_mail(scene.house, compose_answer(scene.house, record, "fr"), "fr")
    assert ("- counted\u00a0: 12" in text) is figures
    assert ("- small\u00a0: masqué" in text) is figures
    report = next(d for d in record.links.deliverables if d.channel is Channel.SITE)
    assert "patients" not in text, "what is sealed is not named"
    assert f"- Rapport en ligne\u00a0: {report.address}" in text
    assert "Petite question" not in text


def attachments(scene: Scene, record: Record) -> dict[str, list[bytes]]:
    """What is on the ticket, as anybody may download it, by name."""
    import requests

    found: dict[str, list[bytes]] = {}
    for one in scene.house.jira.attachments(record.key):
        token = scene.world.token("cmoreau")
        answer = requests.get(
            one["content"], headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        found.setdefault(one["filename"], []).append(answer.content)
    return found


def attach_again(scene: Scene, record: Record, attempts: int) -> Outcome:
    intent = Intent("x", "jira.attach", {"output": "attached"}, attempts=attempts)
    effect = JiraAttach(scene.house)
    found = effect.find(intent, record) if attempts else None
    return found or effect.do(intent, record)


def test_an_output_is_on_the_ticket_with_its_receipt(
    scene: Scene, record: Record, tmp_path: Path
) -> None:
    (attached,) = (d for d in record.links.deliverables if d.channel is Channel.TICKET)
    there = attachments(scene, record)
    name = attached.file
    assert set(there) == {name, f"{name}.receipt.json", f"{name}.receipt.json.asc"}
    assert b"34" in there[name][0]
    for file, (content,) in there.items():
        (tmp_path / file).write_bytes(content)
    assert valid_receipt(scene.house, tmp_path / name, str(record.work.run)) is not None
    (tmp_path / name).write_bytes(there[name][0] + b"\n")
    assert valid_receipt(scene.house, tmp_path / name, str(record.work.run)) is None
    issue = scene.gitlab(REVIEWER).issues.get(record.links.issue)
    copied = [note.body for note in issue.notes.list(get_all=True) if name in note.body]
    assert copied == [], "what we attach is not copied back to the issue"


def test_after_a_crash_nothing_is_attached_twice(scene: Scene, record: Record) -> None:
    before = attachments(scene, record)
    assert attach_again(scene, record, attempts=1).links
    assert attachments(scene, record) == before
    for one in scene.house.jira.attachments(record.key):  # it broke off after the first file
        if not one["filename"].endswith(".asc"):
            scene.house.jira._client._session.delete(one["self"])
    assert len(attachments(scene, record)) == 1
    assert attach_again(scene, record, attempts=1).links
    assert attachments(scene, record) == before
    attach_again(scene, record, attempts=0)
    twice = attachments(scene, record)
    assert {len(contents) for contents in twice.values()} == {2}, "Jira itself keeps all"


def test_what_may_not_be_attached_is_not_and_the_answer_says_so(
    scene: Scene, record: Record
) -> None:
    before = attachments(scene, record)
    allow_attachments(scene, 1)
    try:
        outcome = attach_again(scene, record, attempts=0)
    finally:
        allow_attachments(scene, 10_000)
    assert "larger than attach_max_bytes" in outcome.detail["skipped"]
    assert outcome.links == {}
    assert attachments(scene, record) == before
    rest = tuple(d for d in record.links.deliverables if d.channel is not Channel.TICKET)
    alone = replace(record, links=replace(record.links, deliverables=rest))
    assert compose_answer(scene.house, alone, "fr").unattached == ("Tableau joint",)
    assert compose_answer(scene.house, record, "fr").unattached == ()


def test_a_file_that_changed_after_its_check_is_not_attached(scene: Scene, record: Record) -> None:
    done = Finished.of(scene.house, record)
    file = done.outputs / done.output("attached").file
    content, before = file.read_bytes(), attachments(scene, record)
    file.write_bytes(b"n\n=1+1\n")
    try:
        with pytest.raises(Fault, match="formula"):
            attach_again(scene, record, attempts=0)
    finally:
        file.write_bytes(content)
    assert attachments(scene, record) == before
