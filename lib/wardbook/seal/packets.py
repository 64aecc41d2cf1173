"""OpenPGP packets, read before gpg sees them and without any cryptography (RFC 4880, 4 and 5).

What cannot be read to its last byte is refused, so that gpg and we never understand one block of
bytes in two ways. Nothing here says that a signature is good: gpg says that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from wardbook.seal.fingerprint import Fingerprint

PUBLIC_KEY, PUBLIC_SUBKEY, USER_ID, USER_ATTRIBUTE, SIGNATURE = 6, 14, 13, 17, 2
SECRET_PACKETS = frozenset({5, 7})
SESSION_KEY = 1
_ENCRYPTED = frozenset({18, 20})  # with protection against changes; 20 is GnuPG's own
_HEAD = 1 << 16  # bytes: room for more than a hundred recipients
HASHES = {1: "MD5", 2: "SHA-1", 3: "RIPEMD-160", 8: "SHA-256", 9: "SHA-384", 10: "SHA-512"}
_CREATED, _REVOKER, _ISSUER, _FLAGS, _ISSUER_FINGERPRINT = 2, 12, 16, 27, 33


class UnreadablePacket(ValueError):
    """The bytes are not whole OpenPGP packets in a form that we read."""


@dataclass(frozen=True)
class Packet:
    """One packet: its kind (RFC 4880, 4.3), its body, and all of its bytes."""

    tag: int
    body: bytes
    whole: bytes


def split_packets(data: bytes) -> Iterator[Packet]:
    """Yield the packets of `data`, in order.

    Raises:
        UnreadablePacket: a length is partial, indeterminate or leads beyond the end.
    """
    while data:
        tag, size, start = _read_header(data)
        if len(data) < start + size:
            raise UnreadablePacket("a packet leads beyond the end")
        yield Packet(tag, data[start : start + size], data[: start + size])
        data = data[start + size :]


def _read_header(data: bytes) -> tuple[int, int, int]:
    """Return kind, size of the body, and size of the header of the first packet."""
    first = data[0]
    if not first & 0x80:
        raise UnreadablePacket("not a packet")
    if not first & 0x40:  # the old format
        octets = {0: 1, 1: 2, 2: 4}.get(first & 3)
        if octets is None or len(data) < 1 + octets:
            raise UnreadablePacket("a packet without a length")
        return first >> 2 & 15, int.from_bytes(data[1 : 1 + octets], "big"), 1 + octets
    size, octets = _read_length(data[1:6])
    return first & 63, size, 1 + octets


def _read_length(data: bytes) -> tuple[int, int]:
    """Return a length of the new format, which subpackets use too, and its own size."""
    first = data[0] if data else 224
    if first < 192:
        return first, 1
    if first < 224 and len(data) >= 2:
        return (first - 192 << 8) + data[1] + 192, 2
    if first == 255 and len(data) >= 5:
        return int.from_bytes(data[1:5], "big"), 5
    raise UnreadablePacket("a partial length")


@dataclass(frozen=True)
class SignaturePacket:
    """What a version 4 signature claims; all but `issuers` stands in its signed part.

    `issuers` are the key ids (16 digits) that it names; `flags` are the key flags; `revokers` the
    fingerprints of keys that may revoke this one.
    """

    kind: int
    digest: str
    created: int
    issuers: frozenset[str]
    flags: bytes
    revokers: tuple[str, ...]


def read_signature(packet: Packet) -> SignaturePacket | None:
    """Parse a signature packet; None for versions that GnuPG 2.2 does not make (5.2.3).

    Raises:
        UnreadablePacket: it is cut off.
    """
    body = packet.body
    if len(body) < 6 or body[0] != 4:
        return None
    signed, rest = _split_counted(body[4:])
    unsigned, _ = _split_counted(rest)
    fields = list(_subpackets(signed))
    claimed = [*fields, *_subpackets(unsigned)]
    issuers = {value.hex().upper() for kind, value in claimed if kind == _ISSUER}
    issuers |= {value[-8:].hex().upper() for kind, value in claimed if kind == _ISSUER_FINGERPRINT}
    created = [int.from_bytes(value, "big") for kind, value in fields if kind == _CREATED]
    flags = [value for kind, value in fields if kind == _FLAGS]
    return SignaturePacket(
        kind=body[1],
        digest=HASHES.get(body[3], f"hash {body[3]}"),
        created=created[0] if created else 0,
        issuers=frozenset(issuers),
        flags=flags[0] if flags else b"",
        revokers=tuple(value[2:22].hex().upper() for kind, value in fields if kind == _REVOKER),
    )


def _split_counted(data: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(data[:2], "big")
    if len(data) < 2 + size:
        raise UnreadablePacket("a signature is cut off")
    return data[2 : 2 + size], data[2 + size :]


def _subpackets(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        size, octets = _read_length(data)
        if not size or len(data) < octets + size:
            raise UnreadablePacket("a field of a signature is cut off")
        yield data[octets] & 0x7F, data[octets + 1 : octets + size]
        data = data[octets + size :]


def fingerprint_of(packet: Packet) -> Fingerprint:
    """Return the fingerprint of a version 4 key packet (12.2)."""
    framed = b"\x99" + len(packet.body).to_bytes(2, "big") + packet.body
    return Fingerprint(hashlib.sha1(framed, usedforsecurity=False).hexdigest())


def read_recipients(file: BinaryIO) -> tuple[str, ...]:
    """Return the key ids (16 digits) that an encrypted file is for, in order.

    Reads no further than the packets of session keys, which come first (5.1).

    Raises:
        UnreadablePacket: what comes first is something else, a passphrase's packet included.
    """
    data = file.read(_HEAD)
    key_ids: list[str] = []
    while data:
        tag = data[0] & 63 if data[0] & 0x40 else data[0] >> 2 & 15
        if tag in _ENCRYPTED and key_ids:
            return tuple(key_ids)
        packet = next(split_packets(data))
        if packet.tag != SESSION_KEY or len(packet.body) < 10 or packet.body[0] != 3:
            break
        key_ids.append(packet.body[1:9].hex().upper())
        data = data[len(packet.whole) :]
    raise UnreadablePacket("not an encrypted file in a form that we write")
