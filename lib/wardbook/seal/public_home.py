"""A throwaway GnuPG home that holds public keys only: where foreign keys are looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from wardbook.errors import EnvironmentFault
from wardbook.seal.facts import KeyFacts, key_facts
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import open_gpg
from wardbook.seal.key_block import key_forms, read_key_block
from wardbook.seal.problems import SealProblem
from wardbook.seal.scratch import ScratchFolder

# Signatures made by others than the key's owner are not needed, and floods of them slow gpg down.
_IMPORT = ["--import-options", "self-sigs-only"]


class PublicHome:
    """A context manager; no agent runs for it and nothing of it stays.

    Args:
        at: the time at which gpg judges keys and signatures; the system's when not given.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self._scratch = ScratchFolder()
        self.path = self._scratch.path
        self._revoked_by_another: set[Fingerprint] = set()
        try:
            self.gpg = open_gpg(self.path, at=at)
        except EnvironmentFault:
            self.close()
            raise

    def __enter__(self) -> PublicHome:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the home."""
        self._scratch.close()

    def add(self, armoured: str) -> list[Fingerprint]:
        """Import what `import_public` accepts."""
        # Read here, since gpg drops what others signed when it imports.
        forms = key_forms(read_key_block(armoured)).values()
        added = import_public(self.gpg, armoured)
        self._revoked_by_another |= {one.fingerprint for one in forms if one.revoked_by_another}
        return added

    def facts(self) -> list[KeyFacts]:
        """Return the facts of all keys that were added."""
        return [
            replace(key, revoked_by_another=key.fingerprint in self._revoked_by_another)
            for key in list_public(self.gpg)
        ]


def import_public(gpg: Any, armoured: str) -> list[Fingerprint]:
    """Import every key of an armoured block of public keys, and return their fingerprints.

    Raises:
        SealProblem: what `read_key_block` says; or no key in it is whole (`key_malformed`).
    """
    return _import(gpg, read_key_block(armoured))


def copy_public(source: Any, target: Any, fingerprint: Fingerprint) -> None:
    """Import one key of another client's."""
    _import(target, _export(source, fingerprint))


def _import(gpg: Any, packets: bytes) -> list[Fingerprint]:
    log = gpg.import_keys(packets, extra_args=_IMPORT)
    imported = [Fingerprint(values[1]) for values in log.values("IMPORT_OK")]
    if not imported:
        raise SealProblem("key_malformed")
    return list(dict.fromkeys(imported))


def list_public(gpg: Any) -> list[KeyFacts]:
    """Return the facts of every key that the client sees."""
    listed = gpg.list_keys()
    forms = key_forms(_export(gpg)) if listed else {}
    return [key_facts(one, forms[Fingerprint(one["fingerprint"])]) for one in listed]


def export_public(gpg: Any, fingerprint: Fingerprint) -> str:
    """Return one public key, armoured, without others' signatures; empty if it is not there."""
    armoured: str = gpg.export_keys(fingerprint, minimal=True)
    return armoured


def _export(gpg: Any, *fingerprints: Fingerprint) -> bytes:
    """Return keys, all of them unless some are named, as packets."""
    packets: bytes = gpg.export_keys(list(fingerprints), armor=False)
    return packets
