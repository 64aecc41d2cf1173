"""A throwaway GnuPG home that holds public keys only: where foreign keys are looked at."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import Any

from wardbook.errors import EnvironmentFault
from wardbook.seal.facts import KeyFacts, key_facts
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import make_short_directory, open_gpg
from wardbook.seal.problems import SealProblem

# Signatures made by others than the key's owner are not needed, and floods of them slow gpg down.
_IMPORT = ["--import-options", "self-sigs-only"]


class PublicHome:
    """A context manager; no agent runs for it and nothing of it stays.

    Args:
        at: the time at which gpg judges keys and signatures; the system's when not given.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self.path = make_short_directory()
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
        shutil.rmtree(self.path, ignore_errors=True)

    def add(self, armoured: str) -> list[Fingerprint]:
        """Import what `import_public` accepts."""
        return import_public(self.gpg, armoured)

    def facts(self) -> list[KeyFacts]:
        """Return the facts of all keys that were added."""
        return list_public(self.gpg)


def import_public(gpg: Any, armoured: str) -> list[Fingerprint]:
    """Import every key of an armoured block of public keys, and return their fingerprints.

    Raises:
        SealProblem: it is not such a block, or no key in it is whole (`key_malformed`).
    """
    if "BEGIN PGP PUBLIC KEY BLOCK" not in armoured:
        raise SealProblem("key_malformed")
    log = gpg.import_keys(armoured.encode(), extra_args=_IMPORT)
    imported = [Fingerprint(values[1]) for values in log.values("IMPORT_OK")]
    if not imported:
        raise SealProblem("key_malformed")
    return list(dict.fromkeys(imported))


def list_public(gpg: Any) -> list[KeyFacts]:
    """Return the facts of every key that the client sees."""
    return [key_facts(listed) for listed in gpg.list_keys()]


def export_public(gpg: Any, fingerprint: Fingerprint) -> str:
    """Return one public key, armoured, without others' signatures; empty if it is not there."""
    armoured: str = gpg.export_keys(fingerprint, minimal=True)
    return armoured
