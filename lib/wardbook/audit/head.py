"""Heads: the newest entry's digest, signed by the unit, kept where the ledger's owner cannot write.

FOLDER/LOG-000000012345.json       the head: log, number, digest, moment
FOLDER/LOG-000000012345.json.asc   the unit's detached signature over those bytes
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.audit.entry import Entry, is_digest
from wardbook.errors import Refusal
from wardbook.files import write_atomically

if TYPE_CHECKING:
    from wardbook.seal import Fingerprint, Keyring

_NAME = re.compile(r"[0-9a-f]{32}-\d{12,}\.json")
_LOG = re.compile(r"[0-9a-f]{32}")


class HeadRefusal(Refusal):
    """A head that must not be trusted."""


@dataclass(frozen=True)
class Head:
    """How far a log went at a moment (ISO 8601)."""

    log: str
    sequence: int
    digest: str
    at: str

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.log}-{self.sequence:012}.json"

    def to_bytes(self) -> bytes:
        """Return what is signed."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """Read a head.

        Raises:
            ValueError: it is not, to the byte, what `to_bytes` writes.
        """
        try:
            head = cls(**json.loads(data))
            well = _LOG.fullmatch(head.log) and is_digest(head.digest) and head.to_bytes() == data
        except (TypeError, AttributeError):
            well = None
        if not well or type(head.sequence) is not int:
            raise ValueError("not a head as Wardbook writes it")
        return head


def sign_head(
    entry: Entry, log: str, now: datetime, *, signer: Fingerprint, keyring: Keyring
) -> dict[str, bytes]:
    """Return the files of the head of a log, by name: the head and its signature.

    Raises:
        SealRefusal: the unit's key cannot sign.
    """
    from wardbook.seal.signature import sign_detached

    head = Head(log, entry.sequence, entry.digest, now.isoformat(timespec="seconds"))
    data = head.to_bytes()
    return {head.name: data, f"{head.name}.asc": sign_detached(data, signer, keyring)}


def keep_head(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a head's files into a folder, the signature first; one that stands there stays."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sorted(files.items(), reverse=True):
        if not (folder / name).exists():
            write_atomically(folder / name, data, mode=0o444)


def read_heads(folder: Path, public_key: str, signer: Fingerprint | None) -> list[Head]:
    """Return the heads of a folder, their signatures good, in the order of their names.

    Args:
        folder: where they were copied to.
        public_key: the unit's, armoured.
        signer: its fingerprint; without one, `public_key` must hold one key only.

    Raises:
        HeadRefusal: there is none, or one is not as it was signed.
        SealRefusal: the public key is not the unit's.
    """
    from wardbook.seal.problems import SealProblem
    from wardbook.seal.public_home import PublicHome
    from wardbook.seal.signature import check_detached

    files = sorted(file for file in folder.rglob("*.json") if _NAME.fullmatch(file.name))
    if not files:
        raise HeadRefusal(f"{folder} holds no signed head. Name the folder that `seal` copies to.")
    heads = []
    with PublicHome() as home:
        given = home.add(public_key)
        if signer is None and len(given) > 1:
            raise SealProblem("several_public_keys", given=", ".join(given))
        for file in files:
            try:
                data = file.read_bytes()
                armoured = file.with_name(f"{file.name}.asc").read_bytes()
                check_detached(home, data, armoured, signer or given[0])
                head = Head.from_bytes(data)
                if head.name != file.name:
                    raise ValueError("the file has another head's name")
            except (OSError, ValueError) as problem:
                raise HeadRefusal(
                    f"{file}: {problem}. It proves nothing: see who did that."
                ) from None
            except SealProblem as problem:
                raise HeadRefusal(f"{file}: {problem}") from None
            heads.append(head)
    return heads
