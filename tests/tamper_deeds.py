"""What may be done to a deliverable: each takes a world and returns what is to be verified."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from tests.sample_seal import make_deliverable, make_receipt
from tests.tamper_world import ACCENTED, NEW, OLD, THEN, World, sealed_subjects
from wardbook.seal import Previous, SealedTo, write_receipt
from wardbook.seal.signature import sign_detached

DECOMPOSED = unicodedata.normalize("NFD", ACCENTED)
HUGE = 1 << 36

Deed = Callable[[World], Path]


def flip(*parts: str, position: int = 20) -> Deed:
    """Change one bit of a file of the new edition."""

    def do(world: World) -> Path:
        return flip_in(world.new.joinpath(*parts), position) and world.new

    return do


def flip_in(file: Path, position: int = 20) -> Path:
    data = bytearray(file.read_bytes())
    data[position % len(data)] ^= 1
    file.write_bytes(data)
    return file


def change(name: str, how: Callable[[Path], object]) -> Deed:
    """Do something with a file or folder of the new edition."""

    def do(world: World) -> Path:
        how(world.new / name)
        return world.new

    return do


def signed(before: str, after: str) -> Deed:
    """Have the unit itself sign a receipt in which a text was replaced."""

    def change(data: bytes) -> bytes:
        assert before.encode() in data
        return data.replace(before.encode(), after.encode(), 1)

    return lambda world: world.sign(change)


def unsigned(before: str, after: str) -> Deed:
    """Replace a text in the receipt."""

    def do(world: World) -> Path:
        file = world.new / "receipt.json"
        data = file.read_bytes()
        file.write_bytes(data.replace(before.encode(), after.encode(), 1))
        assert file.read_bytes() != data
        return world.new

    return do


def link(path: Path) -> None:
    """Put a link to the same bytes in the place of a file or folder."""
    moved = path.parent.parent / f"moved-{path.name}"
    path.rename(moved)
    path.symlink_to(moved)


def swap(one: Path, two: Path, *names: str) -> None:
    for name in names:
        first, second = (one / name).read_bytes(), (two / name).read_bytes()
        (one / name).write_bytes(second)
        (two / name).write_bytes(first)


def replace_by(source: Callable[[World], Path], *names: str) -> Deed:
    """Put files of another folder (all of them without names) in the new edition's place."""

    def do(world: World) -> Path:
        if not names:
            shutil.rmtree(world.new)
            shutil.copytree(source(world), world.new)
        for name in names:
            shutil.copyfile(source(world) / name, world.new / name)
        return world.new

    return do


def exchange(*names: str) -> Deed:
    """Exchange files between two requests' deliverables."""

    def do(world: World) -> Path:
        swap(world.new, world.other, *names)
        return world.new

    return do


def huge(name: str) -> Deed:
    """Let a file be of 64 GB."""
    return change(name, lambda path: os.truncate(path, HUGE))


def signed_by_eve(*, give_her_key: bool) -> Deed:
    """Sign the receipt with a key that bears the unit's name and address."""

    def do(world: World) -> Path:
        file = world.new / "receipt.json"
        signature = sign_detached(file.read_bytes(), world.eves, world.eve)
        file.with_name("receipt.json.asc").write_bytes(signature)
        if give_her_key:
            world.given = {"public_key": world.eve.export_public(world.eves)}
        return world.new

    return do


def with_her_key_beside(world: World) -> Path:
    signed_by_eve(give_her_key=False)(world)
    world.given = {"public_key": world.public + world.eve.export_public(world.eves)}
    return world.new


def expired(world: World) -> Path:
    return world.sign_with(world.raw.make_key("Unit", expires="1y", at=THEN), at=THEN)


def signed_after_expiry(world: World) -> Path:
    key = world.raw.make_key("Unit", expires="1y", at=THEN)
    before = world.raw.export(key)
    world.raw.run("--quick-set-expire", key, "5y")
    world.sign_with(key)
    world.given["public_key"] = before
    return world.new


def revoked(world: World) -> Path:
    key = world.raw.make_key("Unit")
    world.sign_with(key)
    world.raw.revoke(key)
    world.given["public_key"] = world.raw.export(key)
    return world.new


def weak_digest(world: World) -> Path:
    return world.sign_with(world.raw.make_key("Unit"), "--digest-algo", "SHA1")


def in_sealed(how: Callable[[World, Path], object]) -> Deed:
    """Do something with the sealed file."""

    def do(world: World) -> Path:
        how(world, world.sealed)
        return world.sealed

    return do


def with_receipts_of_another(world: World, sealed: Path) -> None:
    for ending in (".receipt.json", ".receipt.json.asc"):
        shutil.copyfile(sealed.with_name(f"other.csv.gpg{ending}"), f"{sealed}{ending}")


def for_another(world: World, sealed: Path) -> None:
    to = SealedTo("A" * 40, "B" * 40)
    receipt = make_receipt(sealed_subjects(sealed), sealed_to=(to,))
    stem = f"{sealed.name}.receipt"
    write_receipt(receipt, sealed.parent, signer=world.signer, keyring=world.keyring, stem=stem)


def fork(world: World) -> Path:
    """Have the unit issue another edition that follows the first."""
    first = sha256((world.old / "receipt.json").read_bytes()).hexdigest()
    make_deliverable(
        world.old.with_name("00000000000000dd"),
        world.keyring,
        world.signer,
        run="stat-7-00000000000000dd",
        previous=Previous(f"stat-7-{OLD}", first),
    )
    return world.new


def without_the_middle(world: World) -> Path:
    newest = world.old.with_name("00000000000000dd")
    second = sha256((world.new / "receipt.json").read_bytes()).hexdigest()
    make_deliverable(
        newest,
        world.keyring,
        world.signer,
        run="stat-7-00000000000000dd",
        previous=Previous(f"stat-7-{NEW}", second),
    )
    shutil.rmtree(world.new)
    return newest


def altered_older(world: World) -> Path:
    flip_in(world.old / "index.html")
    return world.new


def exchange_two(world: World) -> Path:
    one, two = world.new / "table.csv", world.new / ACCENTED
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return world.new


def capitals(world: World, *, sign: bool) -> Path:
    data = (world.new / "receipt.json").read_bytes()
    start = data.index(b'"sha256":"') + 10
    changed = data[:start] + data[start : start + 64].upper() + data[start + 64 :]
    if sign:
        return world.sign(lambda _: changed)
    (world.new / "receipt.json").write_bytes(changed)
    return world.new


def repeat_subject(data: bytes) -> bytes:
    start = data.index(b'"subject":[') + len(b'"subject":[')
    end = data.index(b"},{", start) + 2
    return data[:start] + data[start:end] + data[start:]


def deny_previous(world: World) -> Path:
    file = world.new / "receipt.json"
    data = file.read_bytes()
    start = data.index(b'"previous":') + len(b'"previous":')
    end = data.index(b"}", start) + 1
    file.write_bytes(data[:start] + b"null" + data[end:])
    return world.new
