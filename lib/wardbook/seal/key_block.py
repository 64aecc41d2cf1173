"""An armoured block of public keys, judged by its form before gpg sees it.

A directory is written by anybody. What is too large, holds a secret key, or holds packets that a
public key has no use for is refused with its own words; gpg then gets the very bytes that were
judged, without armour around them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wardbook.seal.fingerprint import Fingerprint
from wardbook.seal.packets import (
    PUBLIC_KEY,
    PUBLIC_SUBKEY,
    SECRET_PACKETS,
    SIGNATURE,
    USER_ATTRIBUTE,
    USER_ID,
    Packet,
    SignaturePacket,
    UnreadablePacket,
    fingerprint_of,
    read_signature,
    split_packets,
)
from wardbook.seal.problems import SealProblem

LARGEST_BLOCK = 256 * 1024
"""Characters of a block. A key with a portrait and many signatures stays below."""
MOST_PARTS = 100
"""User IDs and subkeys of all keys of a block; gpg's time grows with them."""
_BLOCK = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(?P<inside>.*?)"
    r"-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_ALLOWED = frozenset({PUBLIC_KEY, PUBLIC_SUBKEY, USER_ID, USER_ATTRIBUTE, SIGNATURE})
_CERTIFICATIONS, _BINDING, _REVOCATION = frozenset({0x10, 0x11, 0x12, 0x13, 0x30}), 0x18, 0x20
_STRONG = frozenset({"SHA-256", "SHA-384", "SHA-512"})
# Key flags (RFC 4880, 5.2.3.21): the secret part is split, or known to more than one person; and
# GnuPG's "restricted encryption": whoever encrypts to this key is to take that subkey as well.
_SPLIT_OR_SHARED, _RESTRICTED = 0x10 | 0x80, 0x04


@dataclass(frozen=True)
class KeyForm:
    """What a key's packets say that gpg's listing does not; their signatures are not judged here.

    Attributes:
        revokers: key ids of others who may revoke it.
        foreign_revokers: key ids named by revocations that its owner did not make.
        weak_names: the weak hash that vouches for a user ID, "" where none does.
        weak_subkeys: the weak hash that binds a subkey, by fingerprint.
        shared_subkeys: subkeys whose secret part others hold, or that come on top of its own.
    """

    fingerprint: Fingerprint
    revokers: frozenset[str] = frozenset()
    foreign_revokers: frozenset[str] = frozenset()
    weak_names: str = ""
    weak_subkeys: Mapping[Fingerprint, str] = field(default_factory=dict)
    shared_subkeys: frozenset[Fingerprint] = frozenset()

    @property
    def revoked_by_another(self) -> bool:
        """Whether somebody whom the owner named as a revoker seems to have revoked it."""
        return bool(self.revokers & self.foreign_revokers)


def read_key_block(armoured: str) -> bytes:
    """Return the packets of an armoured text of public keys, one block or several.

    Raises:
        SealProblem: `key_too_large`, `key_secret`, `key_foreign_packet`, `key_other_version`, or
            `key_malformed` for what is not whole.
    """
    if len(armoured) > LARGEST_BLOCK:
        raise SealProblem("key_too_large", size=len(armoured) // 1024, most=LARGEST_BLOCK // 1024)
    if "BEGIN PGP PRIVATE KEY BLOCK" in armoured:
        raise SealProblem("key_secret")
    try:
        data = b"".join(_decode(found["inside"]) for found in _BLOCK.finditer(armoured))
        packets = list(split_packets(data))
    except (UnreadablePacket, binascii.Error, ValueError):
        raise SealProblem("key_malformed") from None
    _require_public_keys(packets)
    return data


def _decode(inside: str) -> bytes:
    """Return what the armour holds: after an empty line, before the checksum (RFC 4880, 6.2)."""
    _, blank, text = f"\n{inside}".replace("\r", "").partition("\n\n")
    if not blank:
        raise binascii.Error("no empty line")
    lines = [line.strip() for line in text.split("\n")]
    return base64.b64decode("".join(one for one in lines if one[:1] != "="), validate=True)


def _require_public_keys(packets: list[Packet]) -> None:
    if any(packet.tag in SECRET_PACKETS for packet in packets):
        raise SealProblem("key_secret")
    if not packets or packets[0].tag != PUBLIC_KEY:
        raise SealProblem("key_malformed")
    foreign = next((packet.tag for packet in packets if packet.tag not in _ALLOWED), None)
    if foreign is not None:
        raise SealProblem("key_foreign_packet", kind=foreign)
    parts = sum(packet.tag != SIGNATURE for packet in packets)
    if parts > MOST_PARTS:
        raise SealProblem("key_too_many_parts", count=parts, most=MOST_PARTS)
    for packet in packets:
        if packet.tag in (PUBLIC_KEY, PUBLIC_SUBKEY) and packet.body[:1] != b"\x04":
            raise SealProblem("key_other_version", version=packet.body[0] if packet.body else 0)


def key_forms(data: bytes) -> dict[Fingerprint, KeyForm]:
    """Return the form of each key in `data`, which `read_key_block` or gpg gave.

    Where a part has several signatures of its owner, its latest counts, as for gpg.

    Raises:
        SealProblem: a signature is cut off (`key_malformed`).
    """
    try:
        forms = [_form_of(key) for key in _split_keys(list(split_packets(data)))]
    except UnreadablePacket:
        raise SealProblem("key_malformed") from None
    return {form.fingerprint: form for form in forms}


Part = tuple[Packet, list[SignaturePacket]]


def _split_keys(packets: list[Packet]) -> Iterator[list[Part]]:
    """Yield for each key its parts, the primary key first, each with the signatures after it."""
    parts: list[Part] = []
    for packet in packets:
        if packet.tag == PUBLIC_KEY and parts:
            yield parts
            parts = []
        if packet.tag == SIGNATURE:
            signature = read_signature(packet)
            if signature is not None and parts:
                parts[-1][1].append(signature)
        else:
            parts.append((packet, []))
    if parts:
        yield parts


def _form_of(parts: list[Part]) -> KeyForm:
    primary, direct = parts[0]
    fingerprint = fingerprint_of(primary)
    own = frozenset({fingerprint.key_id})
    subkeys = {
        fingerprint_of(packet): latest
        for packet, signatures in parts
        if packet.tag == PUBLIC_SUBKEY
        and (latest := _latest(signatures, own, frozenset({_BINDING})))
    }
    names = [
        _latest(signatures, own, _CERTIFICATIONS)
        for packet, signatures in parts
        if packet.tag in (USER_ID, USER_ATTRIBUTE)
    ]
    return KeyForm(
        fingerprint,
        revokers=frozenset(r[-16:] for one in direct if one.issuers & own for r in one.revokers),
        foreign_revokers=frozenset(
            issuer for one in direct if one.kind == _REVOCATION for issuer in one.issuers - own
        ),
        weak_names=next((one.digest for one in names if one and one.digest not in _STRONG), ""),
        weak_subkeys={key: one.digest for key, one in subkeys.items() if one.digest not in _STRONG},
        shared_subkeys=frozenset(key for key, one in subkeys.items() if _is_shared(one.flags)),
    )


def _latest(
    signatures: list[SignaturePacket], own: frozenset[str], kinds: frozenset[int]
) -> SignaturePacket | None:
    made = [one for one in signatures if one.kind in kinds and one.issuers & own]
    return max(made, key=lambda one: one.created, default=None)


def _is_shared(flags: bytes) -> bool:
    return bool(flags[:1] and flags[0] & _SPLIT_OR_SHARED) or bool(
        flags[1:2] and flags[1] & _RESTRICTED
    )
