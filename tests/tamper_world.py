"""A unit's site and share, fresh for each tampering: editions, requests, sealed files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.sample_seal import RawGpg, make_deliverable, make_receipt, raw_gpg, subjects
from wardbook.seal import (
    Fingerprint,
    Keyring,
    Previous,
    SealedTo,
    Subject,
    choose_recipient_key,
    seal,
    write_receipt,
)
from wardbook.seal.armour import write_armour
from wardbook.seal.signature import sign_detached

NOW = datetime.now(UTC)
THEN = NOW - timedelta(days=1000)
OLD, NEW, OTHER = "00000000000000aa", "00000000000000bb", "00000000000000cc"
ACCENTED = "tables/résumé.csv"


@dataclass
class World:
    """A copy of the unit's site and share that may be tampered with, and the unit's keys."""

    folder: Path
    keyring: Keyring
    signer: Fingerprint
    public: str
    eve: Keyring
    eves: Fingerprint
    raw: RawGpg
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def old(self) -> Path:
        """The first edition of the report that answers STAT-7."""
        return self.folder / "reports/stat-7" / OLD

    @property
    def new(self) -> Path:
        """Its second edition, which most tamperings are made to."""
        return self.folder / "reports/stat-7" / NEW

    @property
    def other(self) -> Path:
        """Another request's report."""
        return self.folder / "reports/stat-8" / OTHER

    @property
    def sealed(self) -> Path:
        """A sealed file, its receipt beside it."""
        return self.folder / "share/stays.csv.gpg"

    def sign(self, change: Callable[[bytes], bytes]) -> Path:
        """Change the new edition's receipt and have the unit's own key sign that."""
        file = self.new / "receipt.json"
        data = change(file.read_bytes())
        file.write_bytes(data)
        file.with_name("receipt.json.asc").write_bytes(
            sign_detached(data, self.signer, self.keyring)
        )
        return self.new

    def sign_with(self, key: Fingerprint, *options: str, at: datetime | None = None) -> Path:
        """Sign the new edition's receipt with a key of plain gpg, which then is the unit's."""
        data = (self.new / "receipt.json").read_bytes()
        chosen = ("--digest-algo", "SHA512", "--local-user", key, *options)
        packet = self.raw.run("--detach-sign", *chosen, data=data, at=at)
        (self.new / "receipt.json.asc").write_bytes(write_armour(packet))
        self.given = {"public_key": self.raw.export(key), "fingerprint": key}
        return self.new


def sealed_subjects(sealed: Path) -> list[Subject]:
    return [one for one in subjects(sealed.parent) if one.name == sealed.name]


def build(folder: Path, keyring: Keyring, signer: Fingerprint) -> None:
    """Make the site with three reports and the share with two sealed files."""
    (folder / "reports").mkdir(parents=True)
    reports = folder / "reports"
    old = deliver(reports / "stat-7" / OLD, keyring, signer)
    first = sha256((old / "receipt.json").read_bytes()).hexdigest()
    deliver(reports / "stat-7" / NEW, keyring, signer, previous=Previous(f"stat-7-{OLD}", first))
    deliver(reports / "stat-8" / OTHER, keyring, signer, ticket="STAT-8")
    share = folder / "share"
    share.mkdir()
    to = choose_recipient_key([keyring.export_public(signer)], signer, keyring, NOW)
    for name in ("stays.csv", "other.csv"):
        plain = folder / name
        plain.write_text(f"{name};1\n")
        sealed = seal(plain, share, recipients=[to], signer=signer, keyring=keyring, name=name)
        plain.unlink()
        given = (SealedTo(to.fingerprint, to.encryption_key),)
        receipt = make_receipt(sealed_subjects(sealed.path), sealed_to=given)
        stem = f"{sealed.path.name}.receipt"
        write_receipt(receipt, share, signer=signer, keyring=keyring, stem=stem)


def deliver(folder: Path, keyring: Keyring, signer: Fingerprint, **told: Any) -> Path:
    (folder / "tables").mkdir(parents=True)
    (folder / ACCENTED).write_text(f"n\n{folder.name}\n", encoding="utf-8")
    ticket = told.pop("ticket", "STAT-7")
    run = f"{ticket.lower()}-{folder.name}"
    return make_deliverable(folder, keyring, signer, ticket=ticket, run=run, **told)


@contextmanager
def workshop() -> Iterator[Callable[[], World]]:
    """Give a maker of fresh worlds; all of them share keys, and are gone at the end."""
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tamper-")))
        keyring = stack.enter_context(Keyring(base / "unit"))
        eve = stack.enter_context(Keyring(base / "eve"))
        signer = keyring.create_signing_key("Unit", "unit@hospital.example")
        eves = eve.create_signing_key("Unit", "unit@hospital.example")
        raw = stack.enter_context(raw_gpg())
        build(base / "built", keyring, signer)
        public = keyring.export_public(signer)

        def fresh() -> World:
            folder = Path(tempfile.mkdtemp(dir=base)) / "world"
            shutil.copytree(base / "built", folder)
            return World(folder, keyring, signer, public, eve, eves, raw)

        yield fresh
