"""What a public key says of itself, and the pure decision whether we may encrypt to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import foreign_text
from wardbook.seal.key_block import KeyForm
from wardbook.seal.problems import SealProblem

_ALGORITHMS = {
    "1": "RSA", "2": "RSA", "3": "RSA", "16": "ElGamal", "17": "DSA",
    "18": "ECDH", "19": "ECDSA", "20": "ElGamal", "22": "EdDSA",
}  # fmt: skip
_LEAST_BITS = {"RSA": 3072, "ECDH": 255, "ECDSA": 255, "EdDSA": 255}
CLOCK_SKEW = timedelta(hours=1)
"""How far in the future a key may have been made: clocks differ, and a pass takes its time."""


@dataclass(frozen=True)
class SubkeyFacts:
    """A key or subkey: times in UTC, `expires` is None where it never does.

    `weak_hash` is the hash below today's measure by which it, or the primary key's name, is signed,
    "" where none is; `shared` says that others may hold its secret part.
    """

    fingerprint: Fingerprint
    algorithm: str
    bits: int
    created: datetime
    expires: datetime | None
    revoked: bool
    can_encrypt: bool
    weak_hash: str = ""
    shared: bool = False

    def has_expired(self, now: datetime) -> bool:
        """Return whether the key's time is over."""
        return self.expires is not None and self.expires <= now

    def is_future(self, now: datetime) -> bool:
        """Return whether it claims to be made after `now`."""
        return self.created > now + CLOCK_SKEW

    @property
    def is_weak(self) -> bool:
        """RSA below 3072 bits, elliptic curves below 255, DSA, ElGamal and unknown algorithms."""
        return self.bits < _LEAST_BITS.get(self.algorithm, self.bits + 1)


@dataclass(frozen=True)
class KeyFacts:
    """A public key: its primary key, what names it claims, and its subkeys.

    `revoked_by_another`: a key that its owner named as a revoker seems to have revoked it, which
    gpg does not see where that other key is not at hand.
    """

    primary: SubkeyFacts
    user_ids: tuple[str, ...]
    subkeys: tuple[SubkeyFacts, ...]
    revoked_by_another: bool = False

    @property
    def fingerprint(self) -> Fingerprint:
        """The primary key's fingerprint, which is the key's name."""
        return self.primary.fingerprint

    @property
    def algorithm(self) -> str:
        """The primary key's algorithm, e.g. `EdDSA`."""
        return self.primary.algorithm

    @property
    def bits(self) -> int:
        """The primary key's size."""
        return self.primary.bits

    @property
    def expires(self) -> datetime | None:
        """When the whole key expires."""
        return self.primary.expires

    @property
    def revoked(self) -> bool:
        """Whether the whole key was revoked."""
        return self.primary.revoked

    @property
    def can_encrypt(self) -> bool:
        """Whether the primary key or a subkey is made for encryption."""
        return any(key.can_encrypt for key in self.all_keys)

    @property
    def all_keys(self) -> tuple[SubkeyFacts, ...]:
        """The primary key and its subkeys."""
        return (self.primary, *self.subkeys)


def key_facts(listed: Mapping[str, Any], form: KeyForm) -> KeyFacts:
    """Parse one entry of python-gnupg's `list_keys`, with the form of the same key."""
    return KeyFacts(
        primary=replace(
            _subkey_facts(listed["fingerprint"], listed, form), weak_hash=form.weak_names
        ),
        user_ids=tuple(foreign_text(text) for text in listed["uids"]),
        subkeys=tuple(
            _subkey_facts(info["fingerprint"], info, form)
            for info in listed.get("subkey_info", {}).values()
        ),
        revoked_by_another=form.revoked_by_another,
    )


def choose_encryption_key(
    keys: Sequence[KeyFacts], pinned: Fingerprint, now: datetime
) -> tuple[KeyFacts, SubkeyFacts]:
    """Return the pinned key among `keys` and its newest sound encryption key.

    Names on the keys play no part: another key with the same user ID is never chosen.

    Raises:
        SealProblem: `key_missing`, `key_replaced`, or what `choose_subkey` says.
    """
    if not keys:
        raise SealProblem("key_missing", pinned=pinned)
    key = next((key for key in keys if key.fingerprint == pinned), None)
    if key is None:
        listed = ", ".join(key.fingerprint for key in keys)
        raise SealProblem("key_replaced", pinned=pinned, listed=listed)
    return key, choose_subkey(key, now)


def choose_subkey(key: KeyFacts, now: datetime) -> SubkeyFacts:
    """Return the newest sound encryption key of a key.

    Raises:
        SealProblem: `key_revoked`, `key_revoked_by_another`, `key_expired`, `key_future`,
            `key_weak`, `key_weak_hash`, `key_shared`, `key_cannot_encrypt` or
            `key_encryption_over`.
    """
    _require_sound_primary(key, now)
    return _newest_sound(key, now)


def _require_sound_primary(key: KeyFacts, now: datetime) -> None:
    primary = key.primary
    if primary.revoked:
        raise SealProblem("key_revoked", pinned=primary.fingerprint)
    if key.revoked_by_another:
        raise SealProblem("key_revoked_by_another", pinned=primary.fingerprint)
    if primary.expires is not None and primary.has_expired(now):
        day = primary.expires.date().isoformat()
        raise SealProblem("key_expired", pinned=primary.fingerprint, day=day)
    _require_sound(primary.fingerprint, primary, now)
    if any(one.shared and not one.revoked for one in key.subkeys):
        raise SealProblem("key_shared", pinned=primary.fingerprint)


def _newest_sound(key: KeyFacts, now: datetime) -> SubkeyFacts:
    able = [one for one in key.all_keys if one.can_encrypt]
    if not able:
        raise SealProblem("key_cannot_encrypt", pinned=key.fingerprint)
    alive = [one for one in able if not one.revoked and not one.has_expired(now)]
    if not alive:
        raise SealProblem("key_encryption_over", pinned=key.fingerprint)
    sound = [one for one in alive if not (one.is_weak or one.weak_hash or one.is_future(now))]
    if not sound:
        _require_sound(key.fingerprint, alive[0], now)
    return max(sound, key=lambda one: (one.created, one.fingerprint))


def _require_sound(pinned: Fingerprint, key: SubkeyFacts, now: datetime) -> None:
    if key.is_future(now):
        raise SealProblem("key_future", pinned=pinned, day=key.created.date().isoformat())
    if key.is_weak:
        raise SealProblem("key_weak", pinned=pinned, algorithm=key.algorithm, bits=key.bits)
    if key.weak_hash:
        raise SealProblem("key_weak_hash", pinned=pinned, hash=key.weak_hash)


def _subkey_facts(fingerprint: str, record: Mapping[str, str], form: KeyForm) -> SubkeyFacts:
    """Parse one `pub` or `sub` record (GnuPG's doc/DETAILS, format of the colon listings)."""
    validity = record["trust"]
    return SubkeyFacts(
        fingerprint=Fingerprint(fingerprint),
        algorithm=_ALGORITHMS.get(record["algo"], f"algorithm {record['algo']}"),
        bits=int(record["length"]),
        created=_moment(record["date"]),
        expires=_moment(record["expires"]) if record["expires"] else None,
        revoked=validity == "r",
        # Small letters are what this key can do, capital ones what the whole key can.
        can_encrypt="e" in record["cap"] and validity not in ("i", "d"),
        weak_hash=form.weak_subkeys.get(Fingerprint(fingerprint), ""),
        shared=Fingerprint(fingerprint) in form.shared_subkeys,
    )


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
