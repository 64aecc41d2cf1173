"""`wardbook audit` and `wardbook purge`, as an operator and an inspector call them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import pipelines.purge as purging
from pipelines.audit_heads import seal_log_when_due
from pipelines.cli.main import FAULT, REFUSED, main
from pipelines.demo.world import BOT, PROJECTS
from pipelines.doctor import examine
from pipelines.house import House
from pipelines.story import tick
from tests.desk import Desk
from wardbook.audit.account import os_account
from wardbook.domain.mirror import Side
from wardbook.domain.pinned import Trust
from wardbook.domain.record import Record
from wardbook.domain.run import RunResult, RunSpec
from wardbook.domain.states import State
from wardbook.files import hash_file
from wardbook.seal import Keyring
from wardbook.settings import load_settings

pytestmark = [pytest.mark.xdist_group("audit_commands"), pytest.mark.usefixtures("lasting_server")]
PROJECT = next(iter(PROJECTS.values()))


class Unit:
    """A unit with a key, whose heads go to a folder and to a GitLab project."""

    def __init__(self, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk, self._capsys = desk, capsys
        self.folder = desk.world.folder
        with Keyring(self.folder / "state" / "gnupg") as keyring:
            self.signer = keyring.create_signing_key("Unité", "unite@hopital.example")
            self.key_file = self.folder / "unit.asc"
            self.key_file.write_text(keyring.export_public(self.signer), encoding="utf-8")
        self.heads = self.folder / "elsewhere"
        self.write(f'[audit]\nheads = "elsewhere"\nproject = "{PROJECT}"\n')

    def write(self, more: str) -> None:
        """Add a section to the settings, and let the desk go by them."""
        file = self.desk.world.settings
        text = file.read_text(encoding="utf-8").replace(
            f'signer = "{"0" * 40}"', f'signer = "{self.signer}"'
        )
        file.write_text(text + more, encoding="utf-8")
        self.desk.settings = load_settings(file, {})
        self.desk.house.__exit__()
        self.desk.house = House(self.desk.settings, now=self.desk.house.now)

    def call(self, *arguments: str) -> tuple[int, str]:
        self._capsys.readouterr()
        code = main(["--settings", str(self.desk.world.settings), *arguments])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    def verify_offline(self, export: Path) -> tuple[int, str]:
        """As an inspector does, without the settings."""
        self._capsys.readouterr()
        options = ["--export", str(export), "--heads", str(self.heads)]
        options += ["--key", str(self.key_file), "--fingerprint", str(self.signer)]
        code = main(["--settings", "/nowhere/wardbook.toml", "audit", "verify", *options])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "state" / "ledger.db")


@pytest.fixture
def unit(desk: Desk, capsys: pytest.CaptureFixture[str]) -> Iterator[Unit]:
    unit = Unit(desk, capsys)
    yield unit
    desk.house.__exit__()


def test_heads_are_copied_once_a_day_and_prove_an_export(unit: Unit, tmp_path: Path) -> None:
    desk, export = unit.desk, tmp_path / "log.jsonl"
    key = desk.file(summary="Mme Durand, née le 3 mai 1950")
    assert "audit" not in tick(desk.house).faults
    (head,) = unit.heads.glob("*.json")
    assert (unit.heads / f"{head.name}.asc").exists()
    project = desk.project(BOT)
    committed = project.files.raw(file_path=head.name, ref="main")
    assert committed == head.read_bytes()
    assert seal_log_when_due(desk.house) is None, "once a day is enough"
    desk.later(hours=25)
    assert seal_log_when_due(desk.house) is None, "nothing was written since"
    desk.jira().add_comment(key, "encore une question")
    tick(desk.house)
    assert len(list(unit.heads.glob("*.json"))) == 2
    assert unit.call("audit", "export", "--out", str(export))[0] == 0
    assert "Durand" not in export.read_text(encoding="utf-8")
    code, told = unit.verify_offline(export)
    assert code == 0, told
    assert "2 signed head(s)" in told
    code, told = unit.call("audit", "verify")
    assert code == 0, told
    code, told = unit.call("audit", "show", key)
    assert "ticket.received" in told
    assert "effect.confirmed" in told


@pytest.mark.parametrize(
    ("section", "well"),
    [
        ("", False),
        ('heads = "state/heads"', False),
        ('heads = "elsewhere"', True),
        ('project = "unit/heads"', True),
    ],
)
def test_the_doctor_warns_where_heads_are_copied_nowhere_else(
    desk: Desk, section: str, well: bool
) -> None:
    file = desk.world.settings
    file.write_text(f"{file.read_text(encoding='utf-8')}[audit]\n{section}\n", encoding="utf-8")
    with House(load_settings(file, {})) as house:
        (found,) = [one for one in examine(house) if "audit log" in one.subject]
    assert (found.well, found.grave) == (well, False)
    assert "[audit]" in found.advice


def test_an_inspector_finds_what_the_ledgers_owner_did(unit: Unit, tmp_path: Path) -> None:
    desk, export = unit.desk, tmp_path / "log.jsonl"
    desk.file()
    tick(desk.house)
    unit.call("audit", "export", "--out", str(export))
    lines = export.read_text(encoding="utf-8").splitlines(keepends=True)
    for changed, words in (
        (lines[:-1], "the end of the log is gone"),
        ([*lines[:2], *lines[3:]], "deleted, inserted or reordered"),
        (
            [
                *lines[:2],
                lines[2].replace("platform", "platfurm").replace("requester", "rfaure"),
                *lines[3:],
            ],
            "edited",
        ),
        ([*lines[:2], "\n", *lines[2:]], "not an entry"),
    ):
        export.write_text("".join(changed), encoding="utf-8")
        code, told = unit.verify_offline(export)
        assert code == REFUSED
        assert words in told
    with closing(unit.database()) as database, database:
        database.execute("delete from audit")
    desk.file(summary="une autre")
    desk.later(hours=25)
    assert "begun anew" in tick(desk.house).faults["audit"], "a forged log gets no signature"
    code, told = unit.call("audit", "verify")
    assert code == REFUSED
    assert "of another log" in told
    assert unit.call("audit", "seal")[0] == FAULT


def test_a_forged_or_foreign_head_is_refused(unit: Unit, tmp_path: Path) -> None:
    unit.desk.file()
    tick(unit.desk.house)
    (head,) = unit.heads.glob("*.json")
    head.chmod(0o600)
    honest = head.read_bytes()
    head.write_bytes(honest.replace(b'"sequence": ', b'"sequence": 1'))
    code, told = unit.call("audit", "verify")
    assert code == REFUSED
    assert str(head) in told
    head.write_bytes(honest)
    head.with_name(head.name.replace("0000", "0001", 1)).write_bytes(honest)
    assert unit.call("audit", "verify")[0] == REFUSED
    (empty := tmp_path / "empty").mkdir()
    code, told = unit.call("audit", "verify", "--heads", str(empty))
    assert code == REFUSED
    assert "no signed head" in told


def test_a_command_is_told_with_the_systems_account(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody.else")
    unit.desk.file()
    assert unit.call("sync", "--dry-run")[0] == 0
    entries = unit.desk.house.ledger.audit_entries(events=("command.run",))
    assert entries == []
    assert unit.call("sync")[0] == 0
    (entry,) = unit.desk.house.ledger.audit_entries(events=("command.run",))
    assert (entry.actor, entry.told["command"]) == (os_account(), "sync")
    unit.call("sync")
    assert len(unit.desk.house.ledger.audit_entries(events=("command.run",))) <= 2


def test_the_access_review_tells_who_and_what_is_unused(unit: Unit, tmp_path: Path) -> None:
    parts = "".join(
        f'{part} = "{"0" * 16}"\n' for part in ("shape", "code", "policy", "parameters")
    )
    unit.write(
        '[standing_approvals.hospital_weekly]\nreviewers = ["=cmd|x"]\nuntil = 2020-01-01\n' + parts
    )
    unit.desk.file()
    tick(unit.desk.house)
    ledger, now = unit.desk.house.ledger, unit.desk.house.now()
    for digit, trust in (("A", Trust.CONFIRMED), ("B", Trust.REVOKED), ("C", Trust.PROPOSED)):
        ledger.decide_key("cmoreau", digit * 40, trust, by="hbernard", request="", now=now)
    page, sheet = tmp_path / "access.html", tmp_path / "access.csv"
    code, told = unit.call("audit", "review", "--html", str(page), "--csv", str(sheet))
    assert code == 0, told
    html, csv = page.read_text(encoding="utf-8"), sheet.read_text(encoding="utf-8-sig")
    assert '<html lang="fr">' in html
    assert "Qui peut approuver" in html
    assert str(unit.signer) in html
    assert [digit * 40 in html for digit in "ABC"] == [True, False, False]
    unused = html.partition("Comptes jamais utilisés")[2].partition("<h2>")[0]
    assert "rfaure" in unused, "never approved anything"
    assert "hbernard" not in unused
    assert "\n'=cmd" not in csv
    assert ",=cmd" not in csv
    assert "'=cmd|x" in csv
    code, told = unit.call("audit", "review", "--language", "en")
    assert "Accounts never used" in told


# --- retention -----------------------------------------------------------------------------------


def finish(unit: Unit, key: str, run: str, state: State = State.CLOSED) -> Record:
    """A request at rest with a run that has ended."""
    house = unit.desk.house
    record = house.ledger.record(key)
    assert record is not None
    if record.state is not state:
        record = house.ledger.move(record, state, now=house.now())
    folder = house.run_folder(run)
    (folder / "outputs").mkdir(parents=True)
    spec = RunSpec(run, key, "t", "/t", "python3", "fr", {}, {})
    spec.write(folder)
    RunResult(run, house.now().isoformat(), 1.0).write(folder)
    (folder / "executed.ipynb").write_text(f"durand {run}", encoding="utf-8")
    (folder / "outputs" / "list.csv").write_text(f"nip;age\n{run};3\n", encoding="utf-8")
    for part in ("evidence/report", "leaving", "leaving-a1b2", ".leaving.part", "scratch"):
        (folder / part).mkdir(parents=True)
        (folder / part / "page.html").write_text(f"durand {part}", encoding="utf-8")
    again = house.settings.unit.state / "reproductions" / run
    (again / "run").mkdir(parents=True)
    spec.write(again / "run")
    (again / "differences.csv").write_text("counts,2,1,durand,4711", encoding="utf-8")
    old = house.now().timestamp()
    for made in (folder / "result.json", again):
        os.utime(made, (old, old))
    return record


def standing(unit: Unit, run: str) -> set[str]:
    """What the secure side holds of a run, by folder."""
    state = unit.desk.house.settings.unit.state
    places = {"runs": state / "runs" / run, "reproductions": state / "reproductions" / run}
    return {
        f"{name}/{path.relative_to(place).parts[0]}"
        for name, place in places.items()
        for path in place.rglob("*")
    }


STAYS = {f"runs/{name}" for name in ("leaving", "outputs", "result.json", "spec.json")}


KEPT = "[retention]\nevidence_days = 10\nruns_days = 20\ntexts_days = 30\n"


def test_what_is_over_goes_in_its_order_and_provably(unit: Unit, tmp_path: Path) -> None:
    unit.write(KEPT)
    desk = unit.desk
    key = desk.file(summary="Durand, 1 85 05 78 006 084 36")
    desk.jira().add_comment(key, "le secret de Mme Durand")
    desk.sync()
    record = finish(unit, key, "data-1-aaa")
    folder = desk.house.run_folder("data-1-aaa")
    kept = [
        *(folder / name for name in ("outputs/list.csv", "executed.ipynb", "leaving/page.html")),
        folder / "evidence" / "report" / "page.html",
        desk.house.settings.unit.state / "reproductions" / "data-1-aaa" / "differences.csv",
    ]
    copies = [shutil.copy(file, tmp_path / f"copy-{n}") for n, file in enumerate(kept)]
    assert purging.purge(desk.house, "me") == []
    desk.later(days=11)
    due = purging.plan(desk.house)
    assert {(one.category, one.refusal) for one in due} == {("evidence", ""), ("reproduction", "")}
    purging.purge(desk.house, "me")
    assert standing(unit, "data-1-aaa") == STAYS
    desk.later(days=10)
    assert [one.category for one in purging.purge(desk.house, "me")] == ["run"]
    assert not folder.exists()
    desk.later(days=10)
    twins = desk.house.ledger.twins(key)
    assert twins
    assert [one.category for one in purging.purge(desk.house, "me")] == ["texts"]
    assert desk.house.ledger.twins(key) == twins
    blank = desk.record(key)
    assert blank.ticket.summary == blank.ticket.description == ""
    assert blank.ticket.fingerprint != record.ticket.fingerprint == blank.asked == blank.gated
    assert desk.house.ledger.thread(key, Side.JIRA).remarks == ()
    desk.house.ledger.close()
    for file in (unit.folder / "state").glob("ledger.db*"):
        if file.is_file():
            assert b"Durand" not in file.read_bytes(), file.name
            assert b"185057800608436" not in file.read_bytes().replace(b" ", b"")
    assert purging.purge(desk.house, "me") == [], "once"
    for one in copies:
        code, told = unit.call("audit", "purged", str(one))
        assert code == 0
        assert "data-1-aaa" in told
    assert unit.call("audit", "purged", str(unit.key_file))[0] == REFUSED
    assert unit.call("audit", "verify")[0] == 0
    folder.mkdir()
    code, told = unit.call("audit", "verify")
    assert code == REFUSED
    assert "run data-1-aaa: the log says that it was purged, and it is there" in told


def test_a_reproduction_has_its_own_term_and_goes_with_its_run(unit: Unit) -> None:
    unit.write(KEPT)
    desk = unit.desk
    key = desk.file()
    desk.sync()
    finish(unit, key, "data-1-aaa")
    again = desk.house.settings.unit.state / "reproductions" / "data-1-aaa"
    desk.later(days=15)
    late = desk.house.now().timestamp()
    os.utime(again, (late, late))
    assert [one.category for one in purging.purge(desk.house, "me")] == ["evidence"]
    desk.later(days=6)
    done = [one.category for one in purging.purge(desk.house, "me")]
    assert done == ["reproduction", "run"], "it is not yet over, but what it is of goes"
    assert standing(unit, "data-1-aaa") == set()
    again.mkdir()
    code, told = unit.call("audit", "verify")
    assert (code, "reproduction data-1-aaa" in told) == (REFUSED, True)
    desk.house.note_fact("reproduction.begun", key, run="data-1-aaa")
    assert unit.call("audit", "verify")[0] == 0, "it was made since"


def test_a_version_of_a_template_goes_when_nothing_needs_it(unit: Unit) -> None:
    unit.write(KEPT)
    desk = unit.desk
    folder = desk.house.settings.unit.state / "templates"
    template = next(iter(desk.house.templates.values()))
    old = "0" * 64
    for digest in (template.digest, old):
        shutil.copytree(template.folder, folder / digest / template.spec.name)
        stamp = desk.house.now().timestamp()
        os.utime(folder / digest, (stamp, stamp))
    assert purging.purge(desk.house, "me") == []
    desk.later(days=21)
    (due,) = purging.purge(desk.house, "me")
    assert (due.category, due.name, due.refusal) == ("template", old, "")
    assert [one.name for one in folder.iterdir()] == [template.digest]
    (told,) = purging.list_purged(desk.house)
    assert (told.name, told.done, len(told.digests) > 2) == (old, True, True)
    assert unit.call("audit", "verify")[0] == 0


def test_the_ledger_holds_the_secret_before(unit: Unit) -> None:
    """The look into the database's files would be worth nothing if it found nothing ever."""
    key = unit.desk.file(summary="Durand")
    unit.desk.sync()
    assert key
    unit.desk.house.ledger.close()
    found = [f for f in (unit.folder / "state").glob("ledger.db*") if f.is_file()]
    assert any(b"Durand" in file.read_bytes() for file in found)


def test_what_must_stay_is_refused(unit: Unit) -> None:
    unit.write(f'{KEPT}legal_hold = ["DATA-1"]\n')
    desk = unit.desk
    held, unsettled = desk.file(), desk.file()
    desk.sync()
    finish(unit, held, "data-1-aaa")
    finish(unit, unsettled, "data-2-bbb", State.PREPARED)
    (desk.house.run_folder("stranger")).mkdir()
    desk.later(days=40)
    found = {(one.category, one.name): one.refusal for one in purging.purge(desk.house, "me")}
    assert found[("run", "data-1-aaa")] == found[("texts", held)] == "legal hold"
    assert found[("run", "data-2-bbb")] == "its request is not settled (prepared)"
    assert all(found.values())
    for run in ("data-1-aaa", "data-2-bbb"):
        assert (desk.house.run_folder(run) / "executed.ipynb").exists()
    assert desk.house.run_folder("stranger").exists()
    assert unit.call("purge", "--dry-run")[0] == 0


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("point", ["begun", "renamed", "half", "deleted"])
def test_a_purge_that_was_killed_goes_on(
    unit: Unit, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit.write(KEPT)
    desk = unit.desk
    key = desk.file()
    desk.sync()
    finish(unit, key, "data-1-aaa")
    folder = desk.house.run_folder("data-1-aaa")
    digest = hashlib.sha256((folder / "outputs" / "list.csv").read_bytes()).hexdigest()
    shutil.rmtree(folder.parents[1] / "reproductions")
    desk.later(days=21)
    real_rename, real_rmtree = Path.rename, purging.shutil.rmtree

    def rename(self: Path, target: Path) -> Path:
        if point == "begun":
            raise _Killed
        return real_rename(self, target)

    def rmtree(path: Path) -> None:
        if point == "half":
            (path / "data-1-aaa" / "result.json").unlink()
        if point == "deleted":
            real_rmtree(path)
        raise _Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        patch.setattr(purging.shutil, "rmtree", rmtree)
        with pytest.raises(_Killed):
            purging.purge(desk.house, "me")
    assert [one.done for one in purging.list_purged(desk.house)] == [False]
    purging.purge(desk.house, "me")
    assert not folder.exists()
    assert not any((unit.folder / "state" / "purging").iterdir())
    purged = purging.list_purged(desk.house)
    assert all(one.done for one in purged)
    assert digest in purged[0].digests
    assert unit.call("audit", "verify")[0] == 0
    assert purging.purge(desk.house, "me") == []


def test_evidence_whose_purge_was_killed_half_way_is_proved_whole(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit.write("[retention]\nevidence_days = 10\n")
    desk = unit.desk
    key = desk.file()
    desk.sync()
    finish(unit, key, "data-1-aaa")
    folder = desk.house.run_folder("data-1-aaa")
    shutil.rmtree(folder.parents[1] / "reproductions")
    digests = {
        hash_file(file) for file in purging._files_of(folder) if "durand" in file.read_text()
    }
    digests.remove(hash_file(folder / "leaving" / "page.html"))
    desk.later(days=11)
    moved, real = [], Path.rename

    def rename(self: Path, target: Path) -> Path:
        if len(moved) == 2:
            raise _Killed
        moved.append(self)
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(_Killed):
            purging.purge(desk.house, "me")
    assert standing(unit, "data-1-aaa") > STAYS
    purging.purge(desk.house, "me")
    assert standing(unit, "data-1-aaa") == STAYS
    purged = purging.list_purged(desk.house)
    assert [one.done for one in purged] == [True, True]
    assert digests == {digest for one in purged for digest in one.digests}


def test_one_that_comes_to_life_again_is_read_again_before_it_is_compared(unit: Unit) -> None:
    unit.write(KEPT)
    desk = unit.desk
    key = desk.file(summary="Une question")
    desk.jira().add_comment(key, "du ticket")
    desk.sync()
    desk.issue(key).notes.create({"body": "de l'unité"})
    desk.later(minutes=10)
    desk.quiet()
    desk.issue(key).state_event = "close"
    issue = desk.issue(key)
    issue.state_event = "close"
    issue.save()
    desk.quiet()
    assert desk.record(key).state is State.CLOSED
    notes, copies = desk.notes(key), desk.copies(key)
    assert notes
    assert copies
    desk.later(days=31)
    assert [one.category for one in purging.purge(desk.house, "me")] == ["texts"]
    desk.issue(key).notes.create({"body": "encore un mot"})
    desk.quiet()
    after = desk.record(key)
    assert (after.purged, after.ticket.summary) == ("", "Une question")
    assert desk.notes(key) == notes
    assert desk.copies(key)[: len(copies)] == copies
    assert len(desk.copies(key)) == len(copies) + 1
    assert desk.issue(key).title.endswith("Une question")


def test_a_purged_request_is_not_run_again(unit: Unit) -> None:
    unit.write(KEPT)
    desk = unit.desk
    key = desk.file()
    desk.sync()
    finish(unit, key, "data-1-aaa")
    desk.later(days=31)
    purging.purge(desk.house, "me")
    code, told = unit.call("retry", key, "--force", "--reason", "x")
    assert code == REFUSED
    assert "purged" in told


def test_the_log_prints_as_json(unit: Unit) -> None:
    unit.desk.file()
    unit.desk.sync()
    _, out = unit.call("audit", "show", "--json")
    assert [json.loads(line)["sequence"] for line in out.splitlines()][:2] == [1, 2]
