"""Keys trusted on first use: proposed, confirmed by somebody else, changed, revoked, shared out."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.main import main
from pipelines.demo.world import ANALYST, APPROVER, OFFICER, REVIEWER
from pipelines.keys import confirm_key, reject_key, revoke_key
from pipelines.recipients import HeldKey, KeysHeld, find_recipients
from pipelines.reseal import reseal_for
from tests.acceptance.crash_form import LONG
from tests.factories import make_record, make_request
from tests.integration.test_story import CODE, Scene, open_scene, spf_folder  # noqa: F401
from tests.sample_seal import raw_gpg
from wardbook.audit.account import os_account
from wardbook.domain.pinned import Trust, grouped
from wardbook.domain.record import Approval
from wardbook.domain.states import State
from wardbook.seal import Fingerprint, Keyring, SealProblem, list_key_ids, open_sealed, verify

pytestmark = [pytest.mark.xdist_group("keys_story"), pytest.mark.usefixtures("lasting_server")]
ADA, BOB = "cmoreau", "yhaddad"
KEPT, AGAIN = "already sealed to the present keys", "sealed again, its receipt renewed"
SECRET = "4711"
DECLARED = """
[outputs.patients]
kind = "table"
title = { fr = "Liste", en = "List" }
sensitivity = "sensitive"
channel = "share"
[outputs.patients.columns]
n = { fr = "Nombre", en = "Number" }
"""
LIST = f'{CODE}\nwb.table("patients", pd.DataFrame({{"n": [{SECRET}] * 20}}))'


class Person:
    """Somebody with a GnuPG home of their own, who publishes keys in GitLab."""

    def __init__(self, scene: Scene, name: str, folder: Path) -> None:
        self.scene, self.name = scene, name
        self.home = Keyring(folder / name)

    def make_key(self) -> Fingerprint:
        return self.home.create_signing_key(self.name, f"{self.name}@hopital.example")

    def directory(self) -> Any:
        import gitlab

        token = self.scene.world.token(self.name)
        client = gitlab.Gitlab(self.scene.sandbox.gitlab_url, private_token=token)
        client.auth()
        assert client.user is not None
        return client.user.gpgkeys

    def publish(self, key: Fingerprint) -> None:
        self.directory().create({"key": self.home.export_public(key)})

    def withdraw(self) -> None:
        for key in self.directory().list(get_all=True):
            key.delete()

    def open(self, file: Path, folder: Path) -> str:
        signer = Fingerprint(self.scene.house.settings.seal.signer)
        self.home.import_key(self.scene.house.keyring.export_public(signer))
        open_sealed(file, folder / "opened", self.home, signer)
        return (folder / "opened").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def scene(
    tmp_path_factory: pytest.TempPathFactory,
    spf_folder: Path,  # noqa: F811
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("keys")
    ledger = f"sqlite:///{folder / 'ledger.db'}"
    with open_scene(folder, spf_folder, ledger, code=LIST, more=DECLARED) as scene:
        yield scene


@pytest.fixture
def person(scene: Scene, tmp_path: Path) -> Iterator[Callable[[str], Person]]:
    with ExitStack() as stack:

        def introduce(name: str) -> Person:
            one = Person(scene, name, tmp_path / "homes")
            stack.enter_context(one.home)
            return one

        yield introduce


def released(scene: Scene, *colleagues: str) -> str:
    """File a ticket, run it, and let its outputs out as reviewers would."""
    key = scene.file()
    scene.tick()
    record = scene.record(key)
    assert record.state is State.HELD
    assert record.request is not None
    approval = Approval(REVIEWER, "Rémi Faure", "2026-03-02T12:00:00Z")
    work = replace(record.work, released_by=(approval,), ground="review")
    request = replace(record.request, colleagues=colleagues)
    ledger = scene.house.ledger
    ledger.move(record, State.RELEASED, now=scene.house.now(), work=work, request=request)
    scene.tick()
    return key


def held_for(scene: Scene, name: str) -> HeldKey:
    """Ask for somebody's key as a delivery does, and return why it waits."""
    record = make_record(State.RELEASED, request=replace(make_request(), requester=name))
    with pytest.raises(KeysHeld) as caught:
        find_recipients(scene.house, record)
    (held,) = caught.value.held
    return held


def sealed(scene: Scene, key: str) -> Path:
    (one,) = [d for d in scene.record(key).links.deliverables if d.name == "patients"]
    return Path(one.folder) / one.file


def command(scene: Scene, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Call the command line on the scene's ledger; returns its code and all that it printed."""
    url = scene.house.ledger._engine.url.render_as_string()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WARDBOOK_LEDGER_URL", url)
        code = main(["--settings", str(scene.world.settings), *arguments])
    told = capsys.readouterr()
    return code, told.out + told.err


def trust(scene: Scene, name: str) -> dict[str, Trust]:
    return {key.fingerprint: key.trust for key in scene.house.ledger.keys_of(name)}


def notes(scene: Scene, key: str) -> list[str]:
    issue = scene.gitlab(REVIEWER).issues.get(scene.record(key).links.issue)
    return [n.body for n in issue.notes.list(get_all=True) if "wardbook keys" in n.body]


def receipt(scene: Scene, file: Path) -> Any:
    signer = Fingerprint(scene.house.settings.seal.signer)
    public_key = scene.house.keyring.export_public(signer)
    return verify(file, public_key=public_key, fingerprint=signer, now=scene.house.now()).receipt


@pytest.mark.timeout(1800)  # the long form kills it some fifty times
def test_from_the_first_use_of_a_key_to_its_change(
    scene: Scene,
    person: Callable[[str], Person],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ada, bob = person(ADA), person(BOB)
    old, new = ada.make_key(), ada.make_key()
    ada.publish(old)
    first = released(scene)
    for _ in range(2):
        scene.tick()
    assert scene.record(first).state is State.RELEASED, "an unknown key waits"
    assert not scene.house.settings.share.folder.exists()
    assert trust(scene, ADA) == {old: Trust.PROPOSED}
    (comment,) = scene.comments(first)
    assert grouped(old) in comment
    assert "{{gpg --fingerprint}}" in comment
    assert "`" not in comment, "Jira has another markup for code"
    (note,) = notes(scene, first)
    assert f"wardbook keys confirm {ADA} {old} --by" in note
    assert f"@{REVIEWER}" in note

    confirm_key(scene.house, ADA, old, REVIEWER)
    scene.tick()
    assert scene.record(first).state is State.ANSWERED
    file = sealed(scene, first)
    assert SECRET in ada.open(file, tmp_path)
    answer = scene.comments(first)[-1]
    assert (
        f"gpg --output data-{first.rpartition('-')[2]}-patients.csv --decrypt {file.name}" in answer
    )
    names = " ".join(path.name for path in scene.house.settings.share.folder.rglob("*"))
    assert "patients" not in names
    assert [one.told for one in reseal_for(scene.house, ADA)] == [KEPT]

    ada.withdraw()
    ada.publish(new)
    home = scene.world.folder / "people" / BOB
    with Keyring(home) as keys:
        pinned = Fingerprint(scene.house.settings.seal.recipients[BOB])
        block = keys.export_public(pinned)
    bob.withdraw()
    second = released(scene, BOB)
    assert scene.record(second).state is State.RELEASED, "a changed key is not followed"
    assert trust(scene, ADA) == {old: Trust.CONFIRMED, new: Trust.PROPOSED}
    (comment,) = scene.comments(second)
    assert grouped(new) in comment
    assert old in comment, "the key that is gone is named"

    confirm_key(scene.house, ADA, new, REVIEWER)
    assert trust(scene, ADA) == {old: Trust.FOLLOWED, new: Trust.CONFIRMED}
    scene.tick()
    assert scene.record(second).state is State.RELEASED, "all or nobody: Bob has no key"
    assert len(scene.comments(second)) == 2, "what has changed is told, once"
    bob.directory().create({"key": block})
    scene.tick()
    assert scene.record(second).state is State.ANSWERED
    both = sealed(scene, second)
    assert len(list_key_ids(both)) == 2
    assert SECRET in ada.open(both, tmp_path)
    bob.home = Keyring(home)
    with bob.home:
        assert SECRET in bob.open(both, tmp_path)

    reseal_and_die(scene, file, ada, new, tmp_path)
    assert command(scene, capsys, "keys", "reseal", ADA)[0] == 0
    shown = command(scene, capsys, "audit", "show", first)[1]
    assert "key.held" in shown
    killed = shown.count("deliverable.resealed")
    shutil.rmtree(file.parent)
    shutil.copytree(tmp_path / "backup", file.parent)
    assert command(scene, capsys, "keys", "reseal", ADA)[0] == 0
    shown = command(scene, capsys, "audit", "show", first)[1]
    assert shown.count("deliverable.resealed") == killed + 1, "what changed nothing is not told"
    assert re.search(rf"{os_account()} .*deliverable.resealed .*{new}", shown), shown
    assert command(scene, capsys, "audit", "verify")[0] == 0
    stamps = {path: path.stat().st_mtime_ns for path in file.parent.iterdir()}
    assert [one.told for one in reseal_for(scene.house, ADA)] == [KEPT, KEPT]
    assert {path: path.stat().st_mtime_ns for path in file.parent.iterdir()} == stamps
    shutil.rmtree(scene.house.run_folder(receipt(scene, file).run.key))
    revoke_key(scene.house, ADA, new, REVIEWER)
    waiting = list(reseal_for(scene.house, ADA))
    assert [one.well for one in waiting] == [False, False], "no key to seal to"
    assert {path: path.stat().st_mtime_ns for path in file.parent.iterdir()} == stamps


RESEAL = """
import os, sys
from pathlib import Path
from pipelines.house import House
from pipelines.reseal import reseal_for
from tests.seal_points import arm
from wardbook.settings import load_settings
import gnupg, pydantic
settings, person, point = sys.argv[1:]
with House(load_settings(Path(settings), os.environ)) as house:
    house.ledger.records(), house.keyring
    seen = arm(int(point))
    done = [one.told for one in reseal_for(house, person)]
print(len(seen), *done, sep="\\n")
"""


def reseal_and_die(scene: Scene, file: Path, ada: Person, new: Fingerprint, tmp_path: Path) -> None:
    """Seal again for Ada, killed at every step from the same beginning; then let it end."""
    before, backup = receipt(scene, file), tmp_path / "backup"
    shutil.copytree(file.parent, backup)
    assert before.release.sealed_to[0].fingerprint != new
    counted = run_reseal(scene, 0)
    assert counted.returncode == 0, counted.stderr
    total = int(counted.stdout.split()[0])
    assert AGAIN in counted.stdout
    last = total - 20  # how often others’ locks are waited for differs a little
    few = sorted({*range(total // 2, last, total // 6), last})
    for point in range(1, last, 12) if LONG else few:
        shutil.rmtree(file.parent)
        shutil.copytree(backup, file.parent)
        died = run_reseal(scene, point)
        assert died.returncode == -9, died.stderr
        assert [f for f in file.parent.iterdir() if b"4711" in f.read_bytes()] == []
        assert {one.well for one in reseal_for(scene.house, ADA)} == {True}
        renewed = receipt(scene, file)
        assert {one.fingerprint for one in renewed.release.sealed_to} == {new}
        same = replace(
            renewed,
            subjects=before.subjects,
            release=replace(renewed.release, sealed_to=before.release.sealed_to, replaces=()),
        )
        assert renewed.release.replaces == (before.sha256,)
        assert same == before, "all else is as the old receipt said"
        assert sorted(f.name for f in file.parent.iterdir()) == sorted(
            f.name for f in backup.iterdir()
        )
        assert list((scene.house.settings.unit.state / "reseal").iterdir()) == []
    assert SECRET in ada.open(file, tmp_path)


def run_reseal(scene: Scene, point: int) -> subprocess.CompletedProcess[str]:
    url = scene.house.ledger._engine.url.render_as_string()
    environ = os.environ | {"PYTHONPATH": ":".join(sys.path), "WARDBOOK_LEDGER_URL": url}
    return subprocess.run(
        [sys.executable, "-c", RESEAL, str(scene.world.settings), ADA, str(point)],
        env=environ,
        capture_output=True,
        text=True,
    )


def test_who_may_confirm_what(scene: Scene, person: Callable[[str], Person]) -> None:
    ana = person(ANALYST)
    pinned = ana.make_key()
    ana.publish(pinned)
    assert held_for(scene, ANALYST).proposed == (pinned,)

    def refused(decide: Any, name: str, key: str, by: str) -> str:
        with pytest.raises(SealProblem) as caught:
            decide(scene.house, name, Fingerprint(key), by)
        return caught.value.code

    for decide in (confirm_key, reject_key, revoke_key):
        assert refused(decide, ANALYST, pinned, ANALYST) == "key_not_approver"
        assert refused(decide, ANALYST, pinned, "nobody") == "key_not_approver"
        assert refused(decide, REVIEWER, pinned, REVIEWER) == "key_own"
    for decide in (reject_key, revoke_key):
        assert refused(decide, ANALYST, "A" * 40, REVIEWER) == "key_not_known"
    assert refused(confirm_key, ANALYST, "A" * 40, REVIEWER) == "key_not_listed"
    for short in (pinned[-8:], pinned[-16:], f"0x{pinned[-16:]}", f"0x{pinned}", ANALYST):
        assert refused(confirm_key, ANALYST, short, REVIEWER) == "fingerprint_malformed"
    assert trust(scene, ANALYST) == {pinned: Trust.PROPOSED}


def test_another_persons_key_is_never_proposed(
    scene: Scene, person: Callable[[str], Person]
) -> None:
    """Bob's key is pinned in the settings; the officer's account lists it as their own."""
    officer = person(OFFICER)
    pinned = Fingerprint(scene.house.settings.seal.recipients[BOB])
    with Keyring(scene.world.folder / "people" / BOB) as home:
        block = home.export_public(pinned)
    person(BOB).withdraw()  # GitLab itself takes a key once only
    officer.directory().create({"key": block})
    held = held_for(scene, OFFICER)
    assert (held.problem.code, held.proposed) == ("key_of_another", ())
    with pytest.raises(SealProblem) as caught:
        confirm_key(scene.house, OFFICER, pinned, REVIEWER)
    assert caught.value.code == "key_of_another"
    officer.withdraw()
    own = officer.make_key()
    officer.publish(own)
    assert held_for(scene, OFFICER).proposed == (own,), "control"


def test_the_settings_count_before_the_ledger(
    scene: Scene, person: Callable[[str], Person]
) -> None:
    bob = person(BOB)
    bob.withdraw()
    other = bob.make_key()
    bob.publish(other)
    with pytest.raises(SealProblem) as caught:
        confirm_key(scene.house, BOB, other, REVIEWER)
    assert caught.value.code == "key_in_settings"
    ledger, now = scene.house.ledger, scene.house.now()
    ledger.decide_key(BOB, other, Trust.CONFIRMED, by=REVIEWER, request="", now=now)
    held = held_for(scene, BOB)
    assert held.problem.code == "key_replaced"
    assert scene.house.settings.seal.recipients[BOB] in str(held.problem)


def test_several_keys_rejected_revoked(scene: Scene, person: Callable[[str], Person]) -> None:
    head = person(APPROVER)
    assert held_for(scene, APPROVER).problem.code == "key_none"
    first, second = head.make_key(), head.make_key()
    for one in (first, second):
        head.publish(one)
    held = held_for(scene, APPROVER)
    assert (held.problem.code, set(held.proposed)) == ("keys_proposed", {first, second})
    reject_key(scene.house, APPROVER, first, REVIEWER)
    assert held_for(scene, APPROVER).proposed == (second,)
    confirm_key(scene.house, APPROVER, second, REVIEWER)
    record = make_record(State.RELEASED, request=replace(make_request(), requester=APPROVER))
    (recipient,) = find_recipients(scene.house, record)
    assert recipient.fingerprint == second, "control: it may be used"
    revoke_key(scene.house, APPROVER, second, REVIEWER)
    assert held_for(scene, APPROVER).problem.code == "key_turned_down"
    with pytest.raises(SealProblem, match="revoked"):
        confirm_key(scene.house, APPROVER, second, REVIEWER)
    assert trust(scene, APPROVER) == {first: Trust.REJECTED, second: Trust.REVOKED}


def test_a_revocation_once_listed_holds_whatever_is_listed_later(scene: Scene) -> None:
    """Also when nothing was sealed in between, and the older copy is put back."""
    name = REVIEWER
    with raw_gpg() as gpg:
        pinned = gpg.make_key("Rémi")
        before = gpg.export(pinned)
        gpg.revoke(pinned)
        after = gpg.export(pinned)
    ledger, now = scene.house.ledger, scene.house.now()
    ledger.decide_key(name, pinned, Trust.CONFIRMED, by="x", request="", now=now)
    record = make_record(State.RELEASED, request=replace(make_request(), requester=name))
    listed = [before]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene.house.gitlab, "gpg_keys", lambda _: listed)
        assert find_recipients(scene.house, record)[0].fingerprint == pinned, "control"
        listed[:] = [after]
        assert held_for(scene, name).problem.code == "key_revoked"
        listed[:] = [before]
        assert held_for(scene, name).problem.code in ("key_revoked", "key_turned_down")
        assert trust(scene, name) == {pinned: Trust.REVOKED}


def test_the_commands_list_show_and_decide(
    scene: Scene, person: Callable[[str], Person], capsys: pytest.CaptureFixture[str]
) -> None:
    claire = person("cmoreau")
    claire.withdraw()
    key, other = claire.make_key(), claire.make_key()
    claire.publish(key)
    claire.publish(other)
    before = len(scene.house.ledger.audit_entries())

    def call(*arguments: str) -> tuple[int, str]:
        return command(scene, capsys, "keys", *arguments)

    code, told = call("show", "cmoreau")
    assert (code, grouped(key) in told, "proves nothing" in told) == (0, True, True)
    assert call("confirm", "cmoreau", key[-16:], "--by", REVIEWER)[0] == 1
    assert call("confirm", "cmoreau", grouped(key).lower(), "--by", REVIEWER)[0] == 0
    code, told = call("list", "--json")
    rows = {row["fingerprint"]: row for row in json.loads(told)}
    assert (rows[key]["trust"], rows[key]["by"]) == ("confirmed", REVIEWER)
    assert rows[scene.house.settings.seal.recipients[BOB]]["trust"] == "settings"
    assert call("list")[0] == 0
    assert call("revoke", "cmoreau", key, "--by", REVIEWER)[0] == 0
    assert call("show", "nobody")[0] == 1
    assert held_for(scene, "cmoreau").proposed == (other,)
    held_for(scene, "cmoreau")
    assert call("reject", "cmoreau", other, "--by", REVIEWER)[0] == 0

    log = scene.house.ledger.audit_entries()[before:]
    key_facts = [(e.actor, e.event, e.told) for e in log if e.event.startswith("key.")]
    mine, theirs = ({"person": "cmoreau", "fingerprint": one} for one in (key, other))
    waits = {"person": "cmoreau", "ground": "key_proposed", "proposed": [other]}
    assert key_facts == [
        ("platform", "key.proposed", mine),
        (REVIEWER, "key.confirmed", mine),
        (REVIEWER, "key.revoked", mine),
        ("platform", "key.proposed", theirs),
        ("platform", "key.held", waits),
        (REVIEWER, "key.rejected", theirs),
    ]
    commands = [(e.actor, e.told["command"]) for e in log if e.event == "command.run"]
    assert commands == [(os_account(), f"keys.{one}") for one in ("confirm", "revoke", "reject")]
    code, told = command(scene, capsys, "audit", "show")
    for event in ("key.confirmed", "key.revoked", "key.rejected"):
        assert re.search(rf"{REVIEWER} .*{event} .*cmoreau", told), event
    assert command(scene, capsys, "audit", "verify")[0] == 0
