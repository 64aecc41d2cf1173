"""The receipt: a signed in-toto statement that ties a deliverable to all that it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.seal.evidence import Origin, Release, RunEvidence, SealedTo, Subject
from wardbook.seal.files import write_whole
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.keys import Keyring
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome
from wardbook.seal.signature import check_detached, sign_detached
from wardbook.seal.statement import read_statement, write_statement

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class Receipt:
    """The delivered files and all that they come from; build it with `Receipt.of`."""

    subjects: tuple[Subject, ...]
    origin: Origin
    run: RunEvidence
    release: Release

    def __post_init__(self) -> None:
        names = [subject.name for subject in self.subjects]
        if not names or names != sorted(set(names)):
            raise ValueError("a receipt names at least one file, each once, in order")
        if len({name.casefold() for name in names}) < len(names):
            raise ValueError("a receipt's names differ by more than capitals: not all disks do")

    @classmethod
    def of(
        cls, files: Iterable[Subject], *, origin: Origin, run: RunEvidence, release: Release
    ) -> Receipt:
        """Return the receipt of these files, in whatever order they come.

        Args:
            files: every delivered file, named relative to the receipt's folder.
            origin: what was asked.
            run: how it was computed and checked.
            release: how it left.

        Raises:
            ValueError: there is no file, or two have the same name but for capitals.
        """
        subjects = tuple(sorted(files, key=lambda subject: subject.name))
        return cls(subjects, origin, run, release)

    @property
    def edition(self) -> str:
        """The name of this edition: the digest that ends the run's key."""
        return self.run.key.rpartition("-")[2]

    @cached_property
    def sha256(self) -> str:
        """The digest of the receipt as it stands on disk."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def sealed_again(self, file: Subject, sealed_to: tuple[SealedTo, ...]) -> Receipt:
        """Return the receipt of the same edition, its file sealed to other keys."""
        replaces = (*self.release.replaces, self.sha256)
        release = replace(self.release, sealed_to=sealed_to, replaces=replaces)
        return replace(self, subjects=(file,), release=release)

    def to_json(self) -> bytes:
        """Return the statement as canonical JSON: sorted keys, no spaces, UTF-8."""
        text = json.dumps(
            write_statement(self), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return text.encode()

    @classmethod
    def from_json(cls, raw: bytes) -> Receipt:
        """Parse what `to_json` wrote, to the byte.

        Raises:
            SealProblem: something is missing, unknown, twice there or in another form
                (`receipt_malformed`), or a file's name is unsafe (`name_unsafe`).
        """
        try:
            tree = json.dumps(read_statement(json.loads(raw)))
            receipt = _form().validate_json(tree)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise SealProblem("receipt_malformed") from None
        if receipt.to_json() != raw:
            raise SealProblem("receipt_malformed")
        return receipt


def write_receipt(
    receipt: Receipt,
    directory: Path,
    *,
    signer: Fingerprint,
    keyring: Keyring,
    stem: str = "receipt",
) -> Path:
    """Write `STEM.json` and its detached signature `STEM.json.asc`, and return the first.

    The signature is verified as `verify` does it before anything is written, and appears first, so
    that whoever sees the receipt can check it.

    Args:
        receipt: what to sign.
        directory: the deliverable's folder, or the folder of a sealed file.
        signer: the unit's key, whose secret part `keyring` holds.
        keyring: the unit's keys.
        stem: `receipt` for a folder; `NAME.gpg.receipt` for the sealed file `NAME.gpg`.

    Raises:
        SealProblem: `key_unknown`, or the key cannot sign (`signer_unusable`).
    """
    data = receipt.to_json()
    Receipt.from_json(data)
    armoured = sign_detached(data, signer, keyring)
    with PublicHome() as home:
        home.add(keyring.export_public(signer))
        check_detached(home, data, armoured, signer)
    path = directory / f"{stem}.json"
    for file, content in ((path.with_name(f"{path.name}.asc"), armoured), (path, data)):
        with write_whole(file) as whole:
            whole.write(content)
    return path


@cache
def _form() -> TypeAdapter[Receipt]:
    from pydantic import TypeAdapter

    return TypeAdapter(Receipt)
