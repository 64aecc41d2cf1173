"""Is this deliverable what the unit released? Answered offline, by its public key alone."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from wardbook.seal.evidence import Approval, SealedTo, Subject
from wardbook.seal.files import hash_file, list_files, printable, read_file
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome
from wardbook.seal.receipt import Receipt
from wardbook.seal.sealing import list_key_ids
from wardbook.seal.signature import Signed, check_detached

FOLDER_RECEIPT = "receipt.json"
FILE_RECEIPT = ".receipt.json"
LARGEST_RECEIPT = 8 * 1024 * 1024
"""In octets: a receipt, or a signature, that is larger is not read."""

_EDITION = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Verification:
    """What was checked and holds: every file's bytes, the signature, its one permitted signer."""

    receipt: Receipt
    receipt_path: Path
    signer: Fingerprint
    signed_at: datetime
    key_ids: tuple[str, ...]

    @property
    def ticket(self) -> str:
        """The ticket that was answered."""
        return self.receipt.origin.ticket

    @property
    def output(self) -> str:
        """The output that was delivered."""
        return self.receipt.release.output

    @property
    def files(self) -> tuple[Subject, ...]:
        """The delivered files."""
        return self.receipt.subjects

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """Who let it out."""
        return self.receipt.release.approvals


def verify(
    target: Path, *, public_key: str | None, fingerprint: Fingerprint | None, now: datetime
) -> Verification:
    """Check a deliverable against its signed receipt, to the byte.

    A folder that bears an edition's name (16 hexadecimal digits, as on the site and the share) must
    hold that edition; under any other name, which edition it is stands in the receipt.

    Args:
        target: the deliverable's folder, any file in it, a sealed file that has its receipt beside
            it, or a receipt.
        public_key: the unit's public key, armoured.
        fingerprint: the unit's fingerprint; without it, `public_key` must hold one key only.
        now: the moment at which the key must be valid.

    Raises:
        SealProblem: anything is not as it was signed; the message says what, and what to do. A
            signature made in time by a key that has expired since is refused too.
    """
    receipt_path = find_receipt(target)
    with PublicHome(now) as home:
        signer = permitted_signer(home, public_key, fingerprint)
        data, signed = read_signed(home, receipt_path, signer)
        receipt = Receipt.from_json(data)
        _check_edition(receipt, receipt_path.parent)
        _check_names(receipt, receipt_path)
        key_ids = tuple(
            key_id
            for subject in receipt.subjects
            for key_id in _check_file(subject, receipt_path.parent, receipt.release.sealed_to)
        )
    return Verification(receipt, receipt_path, signed.signer, signed.at, key_ids)


def read_signed(home: PublicHome, receipt_path: Path, signer: Fingerprint) -> tuple[bytes, Signed]:
    """Return a receipt's bytes, not yet parsed, and who signed them: `signer` and nobody else.

    Raises:
        SealProblem: receipt or signature is missing or too large, or what `check_detached` says.
    """
    data = read_receipt(receipt_path)
    signature_path = receipt_path.with_name(f"{receipt_path.name}.asc")
    armoured = _read(signature_path, "signature_missing")
    return data, check_detached(home, data, armoured, signer)


def read_receipt(receipt_path: Path) -> bytes:
    """Return a receipt's bytes, not yet judged.

    Raises:
        SealProblem: it is missing, no plain file or too large.
    """
    return _read(receipt_path, "receipt_missing")


def permitted_signer(
    home: PublicHome, public_key: str | None, fingerprint: Fingerprint | None
) -> Fingerprint:
    """Take the unit's public key into `home`, and return the one key that may have signed.

    Raises:
        SealProblem: there is no key (`no_public_key`, `key_malformed`), or more than one and no
            fingerprint to choose by (`several_public_keys`).
    """
    if not public_key:
        raise SealProblem("no_public_key")
    given = home.add(public_key)
    if fingerprint is None and len(given) > 1:
        raise SealProblem("several_public_keys", given=", ".join(given))
    return fingerprint or given[0]


def is_edition(folder: Path) -> bool:
    """Tell whether a folder bears an edition's name, as folders on the site and the share do."""
    return _EDITION.fullmatch(folder.name) is not None


def find_receipt(target: Path) -> Path:
    """Return the receipt that speaks for `target`: its own, its folder's, or a parent folder's.

    Raises:
        SealProblem: there is nothing at `target` (`target_missing`) or no receipt (`no_receipt`).
    """
    target = target.absolute()
    if not target.exists() and not target.is_symlink():
        raise SealProblem("target_missing", target=printable(target))
    if target.is_dir():
        return _folder_receipt(target, target)
    receipt = target.with_name(target.name.removesuffix(".asc"))
    if receipt.name == FOLDER_RECEIPT or receipt.name.endswith(FILE_RECEIPT):
        return receipt
    beside = target.with_name(target.name + FILE_RECEIPT)
    return beside if beside.exists() else _folder_receipt(target.parent, target)


def _folder_receipt(folder: Path, target: Path) -> Path:
    for parent in (folder, *folder.parents):
        if (parent / FOLDER_RECEIPT).exists():
            return parent / FOLDER_RECEIPT
    raise SealProblem("no_receipt", target=printable(target))


def _read(path: Path, missing: str) -> bytes:
    try:
        if path.lstat().st_size > LARGEST_RECEIPT:
            raise SealProblem("receipt_too_large", file=printable(path))
        return read_file(path)
    except (FileNotFoundError, NotADirectoryError):
        raise SealProblem(missing, file=printable(path)) from None


def _check_edition(receipt: Receipt, folder: Path) -> None:
    if is_edition(folder) and folder.name != receipt.edition:
        raise SealProblem("edition_differs", found=receipt.edition, folder=folder.name)


def _check_names(receipt: Receipt, receipt_path: Path) -> None:
    """Refuse what the receipt does not name; a sealed file's folder may hold others."""
    named = {subject.name for subject in receipt.subjects}
    if receipt_path.name == FOLDER_RECEIPT:
        own = {FOLDER_RECEIPT, f"{FOLDER_RECEIPT}.asc"}
        folder = receipt_path.parent
        extra = sorted((list_files(folder) - own - named) | _unnamed_folders(folder, named))
        if extra:
            raise SealProblem("file_extra", file=printable(extra[0]), count=len(extra))
    elif named != {receipt_path.name.removesuffix(FILE_RECEIPT)}:
        raise SealProblem("receipt_of_another", file=printable(receipt_path))


def _unnamed_folders(folder: Path, named: set[str]) -> set[str]:
    """Return the folders below that hold nothing which the receipt names."""
    known = {parent.as_posix() for name in named for parent in PurePosixPath(name).parents}
    found = (Path(root).relative_to(folder).as_posix() for root, _, _ in os.walk(folder))
    return {f"{name}/" for name in found if name not in known and name != "."}


def _check_file(subject: Subject, folder: Path, sealed_to: tuple[SealedTo, ...]) -> tuple[str, ...]:
    """Compare one file with its subject; return the key ids that it is encrypted to, if any."""
    path = folder / subject.name
    try:
        if path.lstat().st_size != subject.size and not path.is_symlink():
            raise SealProblem("file_changed", file=printable(subject.name))
        digest, _ = hash_file(path)
    except (FileNotFoundError, NotADirectoryError):
        raise SealProblem("file_missing", file=printable(subject.name)) from None
    if digest != subject.sha256:
        raise SealProblem("file_changed", file=printable(subject.name))
    if path.suffix != ".gpg":
        return ()
    key_ids = list_key_ids(path)
    if sorted(key_ids) != sorted(Fingerprint(one.encryption_key).key_id for one in sealed_to):
        raise SealProblem(
            "recipients_differ", file=printable(subject.name), found=", ".join(key_ids)
        )
    return key_ids
