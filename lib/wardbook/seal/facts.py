"""What a public key says of itself, and the pure decision whether we may encrypt to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.gnupg_home import foreign_text
from wardbook.seal.problems import SealProblem

_ALGORITHMS = {
    "1": "RSA", "2": "RSA", "3": "RSA", "16": "ElGamal", "17": "DSA",
    "18": "ECDH", "19": "ECDSA", "20": "ElGamal", "22": "EdDSA",
}  # fmt: skip
_LEAST_BITS = {"RSA": 3072, "ECDH": 255, "ECDSA": 255, "EdDSA": 255}


@dataclass(frozen=True)
class SubkeyFacts:
    """A key or subkey: times in UTC, `expires` is None where it never does."""

    fingerprint: Fingerprint
    algorithm: str
    bits: int
    created: datetime
    expires: datetime | None
    revoked: bool
    can_encrypt: bool

    def has_expired(self, now: datetime) -> bool:
        """Return whether the key's time is over."""
        return self.expires is not None and self.expires <= now

    @property
    def is_weak(self) -> bool:
        """RSA below 3072 bits, elliptic curves below 255, DSA, ElGamal and unknown algorithms."""
        return self.bits < _LEAST_BITS.get(self.algorithm, self.bits + 1)


@dataclass(frozen=True)
class KeyFacts:
    """A public key: its primary key, what names it claims, and its subkeys."""

    primary: SubkeyFacts
    user_ids: tuple[str, ...]
    subkeys: tuple[SubkeyFacts, ...]

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


def key_facts(listed: Mapping[str, Any]) -> KeyFacts:
    """Parse one entry of python-gnupg's `list_keys`."""
    return KeyFacts(
        primary=_subkey_facts(listed["fingerprint"], listed),
        user_ids=tuple(foreign_text(text) for text in listed["uids"]),
        subkeys=tuple(
            _subkey_facts(info["fingerprint"], info)
            for info in listed.get("subkey_info", {}).values()
        ),
    )


def choose_encryption_key(
    keys: Sequence[KeyFacts], pinned: Fingerprint, now: datetime
) -> tuple[KeyFacts, SubkeyFacts]:
    """Return the pinned key among `keys` and its newest sound encryption key.

    Names on the keys play no part: another key with the same user ID is never chosen.

    Raises:
        SealProblem: `key_missing`, `key_replaced`, `key_revoked`, `key_expired`, `key_weak`,
            `key_cannot_encrypt` or `key_encryption_over`.
    """
    if not keys:
        raise SealProblem("key_missing", pinned=pinned)
    key = next((key for key in keys if key.fingerprint == pinned), None)
    if key is None:
        listed = ", ".join(key.fingerprint for key in keys)
        raise SealProblem("key_replaced", pinned=pinned, listed=listed)
    _require_sound_primary(key.primary, now)
    return key, _newest_sound(key, now)


def _require_sound_primary(primary: SubkeyFacts, now: datetime) -> None:
    if primary.revoked:
        raise SealProblem("key_revoked", pinned=primary.fingerprint)
    if primary.expires is not None and primary.has_expired(now):
        day = primary.expires.date().isoformat()
        raise SealProblem("key_expired", pinned=primary.fingerprint, day=day)
    if primary.is_weak:
        raise _weak(primary.fingerprint, primary)


def _newest_sound(key: KeyFacts, now: datetime) -> SubkeyFacts:
    able = [one for one in key.all_keys if one.can_encrypt]
    if not able:
        raise SealProblem("key_cannot_encrypt", pinned=key.fingerprint)
    alive = [one for one in able if not one.revoked and not one.has_expired(now)]
    if not alive:
        raise SealProblem("key_encryption_over", pinned=key.fingerprint)
    strong = [one for one in alive if not one.is_weak]
    if not strong:
        raise _weak(key.fingerprint, alive[0])
    return max(strong, key=lambda one: (one.created, one.fingerprint))


def _weak(pinned: Fingerprint, key: SubkeyFacts) -> SealProblem:
    return SealProblem("key_weak", pinned=pinned, algorithm=key.algorithm, bits=key.bits)


def _subkey_facts(fingerprint: str, record: Mapping[str, str]) -> SubkeyFacts:
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
    )


def _moment(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
