"""The unit's keys, and the choice of the requester's key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wardbook.errors import EnvironmentFault
from wardbook.seal.facts import KeyFacts, choose_encryption_key
from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import SecretHome, open_gpg
from wardbook.seal.problems import SealProblem
from wardbook.seal.public_home import PublicHome, copy_public, export_public, list_public


@dataclass(frozen=True)
class Recipient:
    """Somebody we may encrypt to; `public_key` is the armoured key that was judged."""

    fingerprint: Fingerprint
    encryption_key: Fingerprint
    user_ids: tuple[str, ...]
    public_key: str


class Keyring:
    """One GnuPG home of the unit; a context manager that ends what it started.

    Several processes may use one home at the same time.

    Args:
        home: the folder.
        passphrase: unlocks its secret keys, where they are protected.

    Raises:
        EnvironmentFault: GnuPG is missing, or others can read the home.
    """

    def __init__(self, home: Path, passphrase: str | None = None) -> None:
        self._home = SecretHome(home, passphrase)
        try:
            self._gpg = open_gpg(self._home.path, ring=self._home.ring)
        except EnvironmentFault:
            self._home.close()
            raise

    def __enter__(self) -> Keyring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End our gpg-agent and remove what we made outside the home."""
        self._home.close()

    @property
    def gnupg_version(self) -> str:
        """The version of GnuPG that is used."""
        return ".".join(map(str, self._gpg.version))

    def create_signing_key(self, name: str, email: str, *, expires: str = "2y") -> Fingerprint:
        """Make an Ed25519 key with a Cv25519 encryption subkey and no passphrase.

        Args:
            name: whom the key names, one line.
            email: that person's or unit's address.
            expires: GnuPG's way to say it: `2y`, `30d`, `seconds=5`, `0` for never.

        Raises:
            ValueError: a line break or another control character in an argument.
            EnvironmentFault: gpg could not make the key.
        """
        if not all(text.isprintable() for text in (name, email, expires)):
            raise ValueError("a key's name, address and expiry are one line each")
        self._home.start_agent()
        made = self._gpg.gen_key(_key_parameters(name, email, expires).encode())
        if not made.fingerprint:
            raise EnvironmentFault(f"gpg made no key in {self._home.home}: {made.stderr.strip()}")
        return Fingerprint(made.fingerprint)

    def import_key(self, armoured: str) -> list[Fingerprint]:
        """Add public keys to the home or merge what is new in them; revocations stay for ever.

        Secret keys that hide in the block are not imported.

        Raises:
            SealProblem: it is not a readable block of public keys (`key_malformed`).
        """
        with PublicHome() as home:
            found = home.add(armoured)
            for fingerprint in found:
                copy_public(home.gpg, self._gpg, fingerprint)
        return found

    def export_public(self, fingerprint: Fingerprint) -> str:
        """Return a public key of the home, armoured, without others' signatures.

        Raises:
            SealProblem: the home does not hold it (`key_unknown`).
        """
        armoured = export_public(self._gpg, fingerprint)
        if not armoured:
            raise self._unknown(fingerprint)
        return armoured

    def facts(self) -> list[KeyFacts]:
        """Return the facts of every public key of the home."""
        return list_public(self._gpg) if self._home.ring.exists() else []

    def facts_of(self, fingerprint: Fingerprint) -> KeyFacts:
        """Return the facts of one public key of the home.

        Raises:
            SealProblem: the home does not hold it (`key_unknown`).
        """
        for key in self.facts():
            if key.fingerprint == fingerprint:
                return key
        raise self._unknown(fingerprint)

    def inspect(self, armoured: str, now: datetime) -> list[KeyFacts]:
        """Return the facts of the keys in a block, in a home of their own that is thrown away.

        Raises:
            SealProblem: it is not a readable block of public keys (`key_malformed`).
        """
        with PublicHome(now) as home:
            home.add(armoured)
            return home.facts()

    def open_with_secrets(self, ring: Path | None = None) -> Any:
        """Return a gpg client that can use the home's secret keys, its agent running.

        Args:
            ring: a file of public keys to use in the place of the home's.
        """
        self._home.start_agent()
        return open_gpg(self._home.path, ring=ring or self._home.ring)

    def _unknown(self, fingerprint: Fingerprint) -> SealProblem:
        return SealProblem("key_unknown", fingerprint=fingerprint, home=str(self._home.home))


def choose_recipient_key(
    directory_keys: Sequence[str], pinned: Fingerprint, keyring: Keyring, now: datetime
) -> Recipient:
    """Return the pinned key as the directory lists it now, if we may encrypt to it.

    Blocks that cannot be read are passed over as long as another can. What `keyring` knows of the
    pinned key is merged in, so that a revocation which was imported once cannot be taken back by
    listing an older copy of the key.

    Args:
        directory_keys: the armoured keys that GitLab's directory lists for that user.
        pinned: the fingerprint that was confirmed for that user.
        keyring: the unit's keys; only read.
        now: the moment at which the key must be valid.

    Raises:
        SealProblem: what `read_key_block` says when nothing can be read, or what
            `choose_encryption_key` says.
    """
    with PublicHome(now) as home:
        add_readable(home, directory_keys)
        choose_encryption_key(home.facts(), pinned, now)
        if any(key.fingerprint == pinned for key in keyring.facts()):
            home.add(keyring.export_public(pinned))
        key, encryption = choose_encryption_key(home.facts(), pinned, now)
        return Recipient(
            key.fingerprint,
            encryption.fingerprint,
            key.user_ids,
            export_public(home.gpg, key.fingerprint),
        )


def add_readable(home: PublicHome, blocks: Sequence[str]) -> None:
    """Add the blocks that can be read; raises the first one's problem where none can."""
    problems = []
    for block in blocks:
        try:
            home.add(block)
        except SealProblem as problem:
            problems.append(problem)
    if problems and len(problems) == len(blocks):
        raise problems[0]


def _key_parameters(name: str, email: str, expires: str) -> str:
    """Return GnuPG's unattended key generation parameters."""
    return f"""\
%no-protection
Key-Type: eddsa
Key-Curve: ed25519
Key-Usage: sign
Subkey-Type: ecdh
Subkey-Curve: cv25519
Subkey-Usage: encrypt
Name-Real: {name}
Name-Email: {email}
Expire-Date: {expires}
%commit
"""
