"""A detached signature in the one form that we write and accept.

OpenPGP lets one signature be written in many ways (armour headers, checksums, unsigned fields,
numbers with leading zeros) and lets a file pretend to be a detached signature while it carries its
own data. Here exactly one form is right, the one of RFC 4880 that gpg writes: so every changed byte
of a signature file is noticed, also where gpg would not care.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from wardbook.seal.problems import SealProblem

_BEGIN = b"-----BEGIN PGP SIGNATURE-----"
_END = b"-----END PGP SIGNATURE-----"
_VERSION_4, _OVER_BINARY_DATA = 4, 0
_NUMBERS_BY_ALGORITHM = {1: 1, 19: 2, 22: 2}  # RSA, ECDSA, EdDSA
_STRONG_HASHES = {8, 9, 10}  # SHA-256, SHA-384, SHA-512
_ISSUER = b"\x09\x10"  # an unsigned field of 9 bytes: type 16, the signer's key id


@dataclass(frozen=True)
class DetachedSignature:
    """One signature packet and the key id (16 hexadecimal digits) that it names."""

    packet: bytes
    key_id: str


def write_armour(packet: bytes) -> bytes:
    """Return the packet as ASCII armour: no headers, lines of 64, checksum, one final newline."""
    text = base64.b64encode(packet)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    checksum = b"=" + base64.b64encode(crc24(packet).to_bytes(3, "big"))
    return b"\n".join([_BEGIN, b"", *lines, checksum, _END, b""])


def read_armour(armoured: bytes) -> DetachedSignature:
    """Parse what `write_armour` wrote around one binary signature packet of gpg.

    Raises:
        SealProblem: it is anything else (`signature_malformed`), e.g. two signatures, a clearsigned
            text, a signed message with its data inside, or one byte was changed.
    """
    try:
        body = armoured.removeprefix(_BEGIN + b"\n\n").partition(b"\n=")[0]
        packet = base64.b64decode(body.replace(b"\n", b""), validate=True)
        key_id = _parse_packet(packet)
    except (binascii.Error, IndexError, ValueError):
        raise SealProblem("signature_malformed") from None
    if write_armour(packet) != armoured:
        raise SealProblem("signature_malformed")
    return DetachedSignature(packet, key_id)


def _parse_packet(packet: bytes) -> str:
    """Return the key id in a version 4 signature packet (RFC 4880, 5.2.3)."""
    body = _packet_body(packet)
    version, kind, algorithm, digest = body[:4]
    _require((version, kind) == (_VERSION_4, _OVER_BINARY_DATA) and digest in _STRONG_HASHES)
    _, rest = _split_counted(body[4:])
    unsigned, rest = _split_counted(rest)
    _require(len(unsigned) == 10 and unsigned[:2] == _ISSUER)
    rest = rest[2:]  # the digest's first two bytes: gpg compares them
    for _ in range(_NUMBERS_BY_ALGORITHM.get(algorithm, 0)):
        rest = _skip_number(rest)
    _require(rest == b"")
    return unsigned[2:].hex().upper()


def _packet_body(packet: bytes) -> bytes:
    """Return the body of a packet with the shortest old-format header, as gpg writes it."""
    long = packet[0] == 0x89
    _require(long or packet[0] == 0x88)
    size = int.from_bytes(packet[1:3] if long else packet[1:2], "big")
    body = packet[3 if long else 2 :]
    _require(len(body) == size and (size > 255) == long)
    return body


def _split_counted(data: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(data[:2], "big")
    _require(len(data) >= 2 + size)
    return data[2 : 2 + size], data[2 + size :]


def _skip_number(data: bytes) -> bytes:
    """Return what follows a number whose bit count is exact (RFC 4880, 3.2)."""
    bits = int.from_bytes(data[:2], "big")
    end = 2 + (bits + 7) // 8
    _require(len(data) >= end and int.from_bytes(data[2:end], "big").bit_length() == bits)
    return data[end:]


def _require(holds: bool) -> None:
    if not holds:
        raise ValueError("not the form that we write")


def crc24(data: bytes) -> int:
    """Return the checksum of RFC 4880, 6.1."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    return crc & 0xFFFFFF
