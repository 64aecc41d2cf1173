"""OpenPGP keys put together packet by packet, as no gpg would make them (RFC 4880)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wardbook.seal import Fingerprint
from wardbook.seal.armour import crc24

SHA1, SHA256 = 2, 8
_ED25519, _CV25519 = bytes.fromhex("092B06010401DA470F01"), bytes.fromhex("0A2B060104019755010501")
_DIGESTS = {SHA1: "sha1", SHA256: "sha256"}
CERTIFY_SIGN, ENCRYPT = b"\x03", b"\x0c"
ADDITIONAL = b"\x00\x04"  # GnuPG's flag of a subkey for additional recipients


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0x80 | tag << 2 | 2]) + len(body).to_bytes(4, "big") + body


def number(value: bytes) -> bytes:
    bits = int.from_bytes(value, "big").bit_length()
    return bits.to_bytes(2, "big") + value.lstrip(b"\0")


def subpacket(kind: int, value: bytes) -> bytes:
    return bytes([len(value) + 1, kind]) + value


def armour(*packets: bytes, kind: str = "PUBLIC") -> str:
    content = b"".join(packets)
    text = base64.encodebytes(content).decode()
    # Without it gpg takes the last line for content wherever base64 ends without padding.
    text += f"={base64.b64encode(crc24(content).to_bytes(3, 'big')).decode()}\n"
    begin, end = (f"-----{word} PGP {kind} KEY BLOCK-----" for word in ("BEGIN", "END"))
    return f"{begin}\n\n{text}{end}\n"


def framed(body: bytes) -> bytes:
    return b"\x99" + len(body).to_bytes(2, "big") + body


@dataclass
class Forge:
    """One primary key, which signs whatever it is told to."""

    created: datetime
    secret: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def stamp(self) -> int:
        return int(self.created.timestamp())

    @property
    def body(self) -> bytes:
        point = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        head = b"\x04" + self.stamp.to_bytes(4, "big") + b"\x16" + _ED25519
        return head + number(b"\x40" + point)

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(hashlib.sha1(framed(self.body)).hexdigest())

    def primary(self) -> bytes:
        return packet(6, self.body)

    def sign(
        self, kind: int, over: bytes, *fields: bytes, digest: int = SHA256, later: int = 0
    ) -> bytes:
        """Return a signature packet by this key."""
        signed = b"".join([subpacket(2, (self.stamp + later).to_bytes(4, "big")), *fields])
        head = bytes([4, kind, 22, digest]) + len(signed).to_bytes(2, "big") + signed
        trailer = b"\x04\xff" + len(head).to_bytes(4, "big")
        hashed = hashlib.new(_DIGESTS[digest], over + head + trailer).digest()
        made = self.secret.sign(hashed)
        issuer = subpacket(16, bytes.fromhex(self.fingerprint.key_id))
        body = head + len(issuer).to_bytes(2, "big") + issuer + hashed[:2]
        return packet(2, body + number(made[:32]) + number(made[32:]))

    def user_id(self, name: bytes, *, digest: int = SHA256) -> bytes:
        over = framed(self.body) + b"\xb4" + len(name).to_bytes(4, "big") + name
        return packet(13, name) + self.sign(0x13, over, subpacket(27, CERTIFY_SIGN), digest=digest)

    def subkey(
        self,
        *,
        flags: bytes = ENCRYPT,
        digest: int = SHA256,
        created: datetime | None = None,
        bound_by: Forge | None = None,
    ) -> bytes:
        """Return an encryption subkey with its binding."""
        point = X25519PrivateKey.generate().public_key()
        raw = point.public_bytes(Encoding.Raw, PublicFormat.Raw)
        stamp = int((created or self.created).timestamp())
        body = b"\x04" + stamp.to_bytes(4, "big") + b"\x12" + _CV25519
        body += number(b"\x40" + raw) + bytes.fromhex("03010807")
        binding = (bound_by or self).sign(
            0x18,
            framed(self.body) + framed(body),
            subpacket(27, flags),
            digest=digest,
            later=max(0, stamp - self.stamp),
        )
        return packet(14, body) + binding

    def revoker(self, other: Forge) -> bytes:
        """Return a signature that lets another key revoke this one."""
        named = subpacket(12, b"\x80\x16" + bytes.fromhex(other.fingerprint))
        return self.sign(0x1F, framed(self.body), named)

    def revoked_by(self, other: Forge) -> bytes:
        return other.sign(0x20, framed(self.body), later=60)

    def key(self, name: bytes = b"Ada <ada@hospital.example>", *more: bytes) -> list[bytes]:
        """Return the packets of a sound key."""
        return [self.primary(), self.user_id(name), self.subkey(), *more]
