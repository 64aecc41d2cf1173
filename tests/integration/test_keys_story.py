"""Keys trusted on first use: proposed, confirmed by somebody else, changed, revoked, shared out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.demo.world import REVIEWER
from pipelines.keys import confirm_key, reject_key, revoke_key
from pipelines.recipients import find_recipients
from pipelines.reseal import reseal_for
from tests.integration.test_story import CODE, Scene, open_scene, spf_folder  # noqa: F401
from wardbook.domain.pinned import Trust, grouped
from wardbook.domain.record import Approval, Deliverable
from wardbook.domain.states import State
from wardbook.seal import Fingerprint, Keyring, SealProblem, list_key_ids, open_sealed, verify

pytestmark = pytest.mark.xdist_group("story")
ADA, BOB = "cmoreau", "yhaddad"
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


@pytest.fixture
def scene(tmp_path: Path, spf_folder: Path) -> Iterator[Scene]:  # noqa: F811
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_scene(tmp_path, spf_folder, ledger, code=LIST, more=DECLARED) as scene:
        yield scene


@pytest.fixture
def people(scene: Scene, tmp_path: Path) -> Iterator[tuple[Person, Person]]:
    with ExitStack() as stack:
        ada, bob = (Person(scene, name, tmp_path / "homes") for name in (ADA, BOB))
        for one in (ada, bob):
            stack.enter_context(one.home)
        yield ada, bob


def released(scene: Scene, colleagues: tuple[str, ...] = ()) -> str:
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
    return key


def sealed(scene: Scene, key: str) -> Path:
    (one,) = [d for d in scene.record(key).links.deliverables if d.name == "patients"]
    assert isinstance(one, Deliverable)
    return Path(one.folder) / one.file


def trust(scene: Scene, person: str = ADA) -> dict[str, Trust]:
    return {key.fingerprint: key.trust for key in scene.house.ledger.keys_of(person)}


def notes(scene: Scene, key: str) -> list[str]:
    issue = scene.gitlab(REVIEWER).issues.get(scene.record(key).links.issue)
    return [n.body for n in issue.notes.list(get_all=True) if "wardbook keys" in n.body]


def test_a_key_seen_first_waits_for_somebody_else_to_confirm_it(
    scene: Scene, people: tuple[Person, Person], tmp_path: Path
) -> None:
    ada, _ = people
    pinned = ada.make_key()
    ada.publish(pinned)
    key = released(scene)
    for _ in range(3):
        scene.tick()
    assert scene.record(key).state is State.RELEASED
    assert not scene.house.settings.share.folder.exists()
    assert trust(scene) == {pinned: Trust.PROPOSED}
    (comment,) = scene.comments(key)
    assert grouped(pinned) in comment
    assert "gpg --fingerprint" in comment
    (note,) = notes(scene, key)
    assert f"wardbook keys confirm {ADA} {pinned} --by" in note
    assert f"@{REVIEWER}" in note

    for by, code in ((ADA, "key_not_approver"), ("nobody", "key_not_approver")):
        with pytest.raises(SealProblem) as caught:
            confirm_key(scene.house, ADA, pinned, by)
        assert caught.value.code == code
    with pytest.raises(SealProblem, match="own key"):
        confirm_key(scene.house, REVIEWER, pinned, REVIEWER)
    with pytest.raises(SealProblem, match="does not list"):
        confirm_key(scene.house, ADA, Fingerprint("A" * 40), REVIEWER)
    assert trust(scene) == {pinned: Trust.PROPOSED}

    confirm_key(scene.house, ADA, pinned, REVIEWER)
    scene.tick()
    assert scene.record(key).state is State.ANSWERED
    file = sealed(scene, key)
    assert SECRET in ada.open(file, tmp_path)
    answer = scene.comments(key)[-1]
    assert file.name in answer
    assert f"gpg --output data-{key.rpartition('-')[2]}-patients.csv" in answer
    names = " ".join(path.name for path in scene.house.settings.share.folder.rglob("*"))
    assert "patients" not in names


def test_a_changed_key_is_not_followed_until_it_is_confirmed_and_then_resealed(
    scene: Scene, people: tuple[Person, Person], tmp_path: Path
) -> None:
    ada, _ = people
    old, new = ada.make_key(), ada.make_key()
    ada.publish(old)
    confirm_key(scene.house, ADA, old, REVIEWER)
    first = released(scene)
    scene.tick()
    assert scene.record(first).state is State.ANSWERED
    (one,) = reseal_for(scene.house, ADA)
    assert one.told == "already sealed to the present keys"

    ada.withdraw()
    ada.publish(new)
    second = released(scene)
    scene.tick()
    assert scene.record(second).state is State.RELEASED
    assert trust(scene) == {old: Trust.CONFIRMED, new: Trust.PROPOSED}
    (comment,) = scene.comments(second)
    assert grouped(new) in comment
    assert old in comment, "the key that is gone is named"

    confirm_key(scene.house, ADA, new, REVIEWER)
    assert trust(scene) == {old: Trust.FOLLOWED, new: Trust.CONFIRMED}
    before = list_key_ids(sealed(scene, first))
    done = {one.request: one for one in reseal_for(scene.house, ADA)}
    assert done[first].well
    assert done[first].told == "sealed again, its receipt renewed"
    file = sealed(scene, first)
    assert list_key_ids(file) != before
    assert SECRET in ada.open(file, tmp_path)
    assert verified(scene, file).release.sealed_to[0].fingerprint == new
    stamps = {path: path.stat().st_mtime_ns for path in file.parent.iterdir()}
    assert all(one.well for one in reseal_for(scene.house, ADA))
    assert {path: path.stat().st_mtime_ns for path in file.parent.iterdir()} == stamps
    scene.tick()
    assert scene.record(second).state is State.ANSWERED


def verified(scene: Scene, file: Path) -> Any:
    signer = Fingerprint(scene.house.settings.seal.signer)
    public_key = scene.house.keyring.export_public(signer)
    return verify(file, public_key=public_key, fingerprint=signer, now=scene.house.now()).receipt


def test_all_recipients_or_nobody(
    scene: Scene, people: tuple[Person, Person], tmp_path: Path
) -> None:
    ada, bob = people
    seal = scene.house.settings.seal.model_copy(update={"recipients": {}})
    scene.house.settings = scene.house.settings.model_copy(update={"seal": seal})
    keys = {one.name: one.make_key() for one in people}
    ada.publish(keys[ADA])
    confirm_key(scene.house, ADA, keys[ADA], REVIEWER)
    bob.withdraw()
    key = released(scene, colleagues=(BOB,))
    scene.tick()
    assert scene.record(key).state is State.RELEASED, "nobody gets anything without Bob's key"
    bob.publish(keys[BOB])
    scene.tick()
    assert trust(scene, BOB) == {keys[BOB]: Trust.PROPOSED}
    assert len(scene.comments(key)) == 2, "what has changed is told, once"
    confirm_key(scene.house, BOB, keys[BOB], REVIEWER)
    scene.tick()
    assert scene.record(key).state is State.ANSWERED
    assert len(list_key_ids(sealed(scene, key))) == 2
    for one in people:
        assert SECRET in one.open(sealed(scene, key), tmp_path)


def test_another_persons_key_is_never_proposed(scene: Scene, people: tuple[Person, Person]) -> None:
    """Bob's key is pinned in the settings; Ada's account lists it as hers."""
    ada, bob = people
    pinned = scene.house.settings.seal.recipients[BOB]
    bob.withdraw()
    with Keyring(scene.world.folder / "people" / BOB) as home:
        ada.directory().create({"key": home.export_public(Fingerprint(pinned))})
    key = released(scene)
    scene.tick()
    assert trust(scene) == {}
    (comment,) = scene.comments(key)
    assert pinned in comment
    with pytest.raises(SealProblem) as caught:
        confirm_key(scene.house, ADA, Fingerprint(pinned), REVIEWER)
    assert caught.value.code == "key_of_another"


def test_the_settings_count_before_the_ledger(scene: Scene, people: tuple[Person, Person]) -> None:
    _, bob = people
    other = bob.make_key()
    bob.publish(other)
    with pytest.raises(SealProblem) as caught:
        confirm_key(scene.house, BOB, other, REVIEWER)
    assert caught.value.code == "key_in_settings"
    now = scene.house.now()
    scene.house.ledger.decide_key(BOB, other, Trust.CONFIRMED, by=REVIEWER, request="", now=now)
    key = released(scene, colleagues=(BOB,))
    record = scene.record(key)
    assert record.request is not None
    record = replace(record, request=replace(record.request, requester=BOB, colleagues=()))
    (recipient,) = find_recipients(scene.house, record)
    assert recipient.fingerprint == scene.house.settings.seal.recipients[BOB]


def test_rejected_and_revoked_keys_stay_so(scene: Scene, people: tuple[Person, Person]) -> None:
    ada, _ = people
    first, second = ada.make_key(), ada.make_key()
    for one in (first, second):
        ada.publish(one)
    key = released(scene)
    scene.tick()
    assert trust(scene) == {first: Trust.PROPOSED, second: Trust.PROPOSED}
    reject_key(scene.house, ADA, first, REVIEWER)
    confirm_key(scene.house, ADA, second, REVIEWER)
    revoke_key(scene.house, ADA, second, REVIEWER)
    scene.tick()
    assert scene.record(key).state is State.RELEASED
    assert trust(scene) == {first: Trust.REJECTED, second: Trust.REVOKED}
    with pytest.raises(SealProblem, match="revoked"):
        confirm_key(scene.house, ADA, second, REVIEWER)
    with pytest.raises(SealProblem, match="knows no key"):
        reject_key(scene.house, ADA, Fingerprint("A" * 40), REVIEWER)
