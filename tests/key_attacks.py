"""Attacks on the directory of keys: `python -m tests.key_attacks` tries them all and tells.

Each is what GitLab might list for Ada, whose key is pinned; what must come of it is a refusal with
its own code, or Ada's own encryption key. Exits with 1 when anything else does.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.key_forge import ADDITIONAL, SHA1, Forge, armour, packet
from tests.sample_seal import RawGpg, raw_gpg
from wardbook.seal import (
    Fingerprint,
    Keyring,
    SealProblem,
    choose_recipient_key,
    list_key_ids,
    read_directory,
    seal,
)
from wardbook.seal.packets import fingerprint_of, split_packets

NOW = datetime.now(UTC)
MADE = NOW - timedelta(days=30)
ADA_NAME = b"Ada Lovelace <ada@hospital.example>"


class Scene:
    """Ada, Eve, and gpg for the kinds of key that are not forged here."""

    def __init__(self, gpg: RawGpg, unit: Keyring, folder: Path) -> None:
        self.gpg, self.unit, self.folder = gpg, unit, folder
        self.signer = unit.create_signing_key("Unit", "unit@hospital.example")
        (folder / "data").write_bytes(b"MARTIN;Jeanne;1931-04-02\n")
        (folder / "out").mkdir()

    def ada(self) -> Forge:
        return Forge(MADE)

    eve = ada


Listed = tuple[Sequence[str], Fingerprint]
"""The blocks that are listed for Ada, and her pinned key."""


@dataclass(frozen=True)
class Attack:
    """What is listed, and what must come of it: a code, or "" for Ada's own key."""

    name: str
    listed: Callable[[Scene], Listed]
    code: str


ATTACKS: list[Attack] = []


def attack(name: str, code: str) -> Callable[[Callable[[Scene], Listed]], Callable[..., Listed]]:
    def add(listed: Callable[[Scene], Listed]) -> Callable[[Scene], Listed]:
        ATTACKS.append(Attack(name, listed, code))
        return listed

    return add


def block(key: Forge, *more: bytes, name: bytes = ADA_NAME) -> str:
    return armour(*key.key(name, *more))


@attack("the same user id in her key's place", "key_replaced")
def same_name(scene: Scene) -> Listed:
    return [block(scene.eve())], scene.ada().fingerprint


@attack("the same user id beside hers", "")
def same_name_beside(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(scene.eve()), block(ada), block(scene.eve())], ada.fingerprint


@attack("her address as a part of another", "key_replaced")
def substring(scene: Scene) -> Listed:
    names = (b"Ada Lovelace <ada@hospital.example.evil.example>", b"x <xada@hospital.example>")
    return [block(scene.eve(), name=one) for one in names], scene.ada().fingerprint


@attack("replaced by a new key", "key_replaced")
def replaced(scene: Scene) -> Listed:
    return [block(Forge(NOW), name=b"Ada (new laptop)")], scene.ada().fingerprint


@attack("another person's key under her name", "key_replaced")
def another_person(scene: Scene) -> Listed:
    return [block(Forge(MADE), name=b"Bob <bob@hospital.example>")], scene.ada().fingerprint


@attack("revoked", "key_revoked")
def revoked(scene: Scene) -> Listed:
    ada = scene.ada()
    _, *rest = ada.key(ADA_NAME)
    return [armour(ada.primary(), ada.revoked_by(ada), *rest)], ada.fingerprint


@attack("its revocation hidden by an older copy", "key_revoked")
def revocation_hidden(scene: Scene) -> Listed:
    ada = scene.ada()
    before = block(ada)
    first, *rest = ada.key(ADA_NAME)
    scene.unit.import_key(armour(first, ada.revoked_by(ada), *rest))
    return [before], ada.fingerprint


@attack("revoked by a key that she named for it", "key_revoked_by_another")
def designated(scene: Scene) -> Listed:
    ada, lawyer = scene.ada(), Forge(MADE)
    first, *rest = ada.key(ADA_NAME)
    packets = (first, ada.revoked_by(lawyer), ada.revoker(lawyer), *rest)
    return [armour(*packets)], ada.fingerprint


@attack("a revocation by somebody whom she did not name", "")
def foreign_revocation(scene: Scene) -> Listed:
    ada, lawyer, eve = scene.ada(), Forge(MADE), scene.eve()
    first, *rest = ada.key(ADA_NAME)
    return [armour(first, ada.revoked_by(eve), ada.revoker(lawyer), *rest)], ada.fingerprint


@attack("expired", "key_expired")
def expired(scene: Scene) -> Listed:
    pinned = scene.gpg.make_key("Late", at=NOW - timedelta(days=1000), expires="1y")
    return [scene.gpg.export(pinned)], pinned


@attack("a subkey swapped in without any binding", "key_cannot_encrypt")
def swapped(scene: Scene) -> Listed:
    ada, eve = scene.ada(), scene.eve()
    subkey = next(split_packets(eve.subkey())).whole
    return [armour(ada.primary(), ada.user_id(ADA_NAME), subkey)], ada.fingerprint


@attack("a subkey swapped in with its own key's binding", "key_cannot_encrypt")
def swapped_bound(scene: Scene) -> Listed:
    ada, eve = scene.ada(), scene.eve()
    return [armour(ada.primary(), ada.user_id(ADA_NAME), eve.subkey())], ada.fingerprint


@attack("a subkey beside hers that another key bound to her key", "")
def bound_by_eve(scene: Scene) -> Listed:
    ada = scene.ada()
    foreign = ada.subkey(bound_by=scene.eve(), created=NOW)
    return [block(ada, foreign)], ada.fingerprint


@attack("several keys in one block", "")
def several(scene: Scene) -> Listed:
    ada = scene.ada()
    return [armour(*scene.eve().key(), *ada.key(), *scene.eve().key())], ada.fingerprint


@attack("cut off", "key_malformed")
def cut_off(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(ada)[:300]], ada.fingerprint


@attack("a length that leads beyond the end", "key_malformed")
def beyond(scene: Scene) -> Listed:
    ada = scene.ada()
    return [armour(*ada.key(), b"\x8b\xff")], ada.fingerprint


@attack("partial lengths, which parsers read differently", "key_malformed")
def partial(scene: Scene) -> Listed:
    ada = scene.ada()
    return [armour(ada.primary(), b"\xcd\xe1AB\x01C")], ada.fingerprint


@attack("no encryption subkey", "key_cannot_encrypt")
def no_encryption(scene: Scene) -> Listed:
    ada = scene.ada()
    return [armour(ada.primary(), ada.user_id(ADA_NAME))], ada.fingerprint


@attack("RSA of 1024 bits", "key_weak")
def rsa_1024(scene: Scene) -> Listed:
    pinned = scene.gpg.make_key("Small", algorithm="rsa1024", encryption="rsa1024")
    return [scene.gpg.export(pinned)], pinned


@attack("DSA and ElGamal", "key_weak")
def dsa(scene: Scene) -> Listed:
    pinned = scene.gpg.make_key("Old", algorithm="dsa2048", encryption=None)
    return [scene.gpg.export(pinned)], pinned


@attack("a user id signed with SHA-1", "key_weak_hash")
def sha1_name(scene: Scene) -> Listed:
    ada = scene.ada()
    name = ada.user_id(ADA_NAME, digest=SHA1)
    return [armour(ada.primary(), name, ada.subkey())], ada.fingerprint


@attack("a subkey bound with SHA-1", "key_weak_hash")
def sha1_binding(scene: Scene) -> Listed:
    ada = scene.ada()
    subkey = ada.subkey(digest=SHA1)
    return [armour(ada.primary(), ada.user_id(ADA_NAME), subkey)], ada.fingerprint


@attack("a newer subkey bound with SHA-1 beside hers", "")
def sha1_beside(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(ada, ada.subkey(digest=SHA1, created=MADE + timedelta(days=1)))], ada.fingerprint


@attack("a secret key", "key_secret")
def secret(scene: Scene) -> Listed:
    pinned = scene.gpg.make_key("Careless")
    told = scene.gpg.run("--armor", "--export-secret-keys", pinned).decode()
    return [told], pinned


@attack("a secret key dressed as a public one", "key_secret")
def secret_dressed(scene: Scene) -> Listed:
    (told,), pinned = secret(scene)
    return [told.replace("PRIVATE", "PUBLIC")], pinned


@attack("10,000 user ids", "key_too_large")
def many_names(scene: Scene) -> Listed:
    ada = scene.ada()
    name = ada.user_id(ADA_NAME)
    return [armour(*ada.key(), *[name] * 10_000)], ada.fingerprint


@attack("10,000 user ids without signatures", "key_too_many_parts")
def many_bare_names(scene: Scene) -> Listed:
    ada = scene.ada()
    names = [packet(13, b"%d" % one) for one in range(10_000)]
    return [armour(*ada.key(), *names)], ada.fingerprint


@attack("5 MB", "key_too_large")
def huge(scene: Scene) -> Listed:
    ada = scene.ada()
    return [armour(*ada.key(), packet(13, b"A" * 3_700_000))], ada.fingerprint


@attack("a user id with control characters, line ends and options", "")
def hostile_names(scene: Scene) -> Listed:
    ada = scene.ada()
    names = [
        b"Ada\n[GNUPG:] VALIDSIG " + b"A" * 40,
        b"Ada\x85pub:u:255:22:AAAA",
        b"\x1b[31m--recipient eve@h.example",
        b"Ada\\x3a:fpr:::::::::" + b"A" * 40,
        b"\xff\xfe\x00",
    ]
    return [armour(*ada.key(ADA_NAME), *map(ada.user_id, names))], ada.fingerprint


@attack("an unknown packet", "key_foreign_packet")
def unknown(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(ada, packet(15, b"x"))], ada.fingerprint


@attack("a message in the place of a key", "key_malformed")
def message(scene: Scene) -> Listed:
    return [armour(packet(11, b"b\x00\x00\x00\x00\x00x"))], scene.ada().fingerprint


@attack("made in the future", "key_future")
def future(scene: Scene) -> Listed:
    ada = Forge(NOW + timedelta(days=300))
    return [block(ada)], ada.fingerprint


@attack("a subkey of the future beside hers", "")
def future_subkey(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(ada, ada.subkey(created=NOW + timedelta(days=300)))], ada.fingerprint


@attack("a subkey for additional recipients", "key_shared")
def additional(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(ada, ada.subkey(flags=ADDITIONAL))], ada.fingerprint


@attack("a subkey whose secret part is shared", "key_shared")
def shared(scene: Scene) -> Listed:
    ada = scene.ada()
    return [block(ada, ada.subkey(flags=b"\x8c"))], ada.fingerprint


@attack("a key of version 5", "key_other_version")
def version_5(scene: Scene) -> Listed:
    ada = scene.ada()
    body = b"\x05" + ada.body[1:]
    return [armour(packet(6, body), ada.user_id(ADA_NAME))], ada.fingerprint


@attack("nothing", "key_missing")
def nothing(scene: Scene) -> Listed:
    return [], scene.ada().fingerprint


@dataclass(frozen=True)
class Came:
    """What came of an attack: a refusal with its words, or the key ids in the sealed file."""

    code: str
    told: str
    key_ids: tuple[str, ...] = ()
    wrong: bool = False


def try_attack(scene: Scene, one: Attack) -> Came:
    """Let the unit seal to Ada by what is listed; see to whom it went."""
    blocks, pinned = one.listed(scene)
    own = own_subkeys(blocks, pinned)
    try:
        recipient = choose_recipient_key(blocks, pinned, scene.unit, NOW)
    except SealProblem as problem:
        return Came(problem.code, str(problem))
    arguments = {"signer": scene.signer, "keyring": scene.unit, "name": "sealed"}
    made = seal(scene.folder / "data", scene.folder / "out", recipients=[recipient], **arguments)  # type: ignore[arg-type]
    key_ids = list_key_ids(made.path)
    return Came("", "sealed", key_ids, wrong=not set(key_ids) <= own)


def own_subkeys(blocks: Sequence[str], pinned: Fingerprint) -> set[str]:
    """Return the key ids of the subkeys that stand first after the pinned key: Ada's own."""
    import base64

    own = set()
    for text in blocks:
        lines = text.split("\n\n", 1)[1].split("-----END")[0] if "\n\n" in text else ""
        try:
            packets = list(split_packets(base64.b64decode(lines.rpartition("\n=")[0] or lines)))
        except ValueError:
            continue
        mine = False
        for packet_ in packets:
            if packet_.tag == 6:
                mine = fingerprint_of(packet_) == pinned
            elif packet_.tag == 14 and mine:
                own.add(fingerprint_of(packet_).key_id)
                mine = False
    return own


def may_be_proposed(scene: Scene, one: Attack) -> list[Fingerprint]:
    """Return the keys that would be proposed for Ada if none were pinned."""
    blocks, _ = one.listed(scene)
    return [key.fingerprint for key in read_directory(blocks, scene.unit, NOW).sound]


def attack_scene(stack: ExitStack) -> Scene:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wbattack")))
    gpg = stack.enter_context(raw_gpg())
    return Scene(gpg, stack.enter_context(Keyring(folder / "unit")), folder)


def try_all() -> Iterator[tuple[Attack, Came]]:
    with ExitStack() as stack:
        scene = attack_scene(stack)
        for one in ATTACKS:
            yield one, try_attack(scene, one)


def main() -> int:
    bad = wrong = 0
    for one, came in try_all():
        well = came.code == one.code and not came.wrong
        bad, wrong = bad + (not well), wrong + came.wrong
        print(f"{'well' if well else 'NOT WELL':<9} {one.name:<58} {came.code or 'her own key'}")
    print(f"{len(ATTACKS)} attacks, {wrong} wrong recipients, {bad} not as they should be")
    return int(bool(bad))


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
