"""One form of a detached signature is right; everything near it is refused."""

import base64

import pytest

from wardbook.seal import SealProblem
from wardbook.seal.armour import read_armour, write_armour

KEY_ID = "0123456789ABCDEF"


def packet(
    *,
    version: int = 4,
    kind: int = 0,
    algorithm: int = 22,
    digest: int = 10,
    unsigned: bytes = b"\x09\x10" + bytes.fromhex(KEY_ID),
    numbers: bytes = b"\x00\x09\x01\x02" + b"\x00\x08\xff",
    header: bytes | None = None,
) -> bytes:
    signed = b"\x05\x02" + bytes(4)
    body = bytes([version, kind, algorithm, digest])
    for area in (signed, unsigned):
        body += len(area).to_bytes(2, "big") + area
    body += b"\xab\xcd" + numbers
    return (bytes([0x88, len(body)]) if header is None else header) + body


def test_round_trip() -> None:
    read = read_armour(write_armour(packet()))
    assert (read.packet, read.key_id) == (packet(), KEY_ID)


def test_the_checksum_is_that_of_rfc_4880() -> None:
    # The checksum of "123456789", the usual check value of CRC-24/OPENPGP, is 21CF02.
    expected = b"=" + base64.b64encode(bytes.fromhex("21CF02"))
    assert write_armour(b"123456789").splitlines()[-2] == expected


@pytest.mark.parametrize(
    "wrong",
    [
        packet(version=3),
        packet(kind=1),
        packet(algorithm=17),
        packet(digest=2),
        packet(unsigned=b""),
        packet(unsigned=b"\x09\x20" + bytes.fromhex(KEY_ID)),
        packet(unsigned=b"\x09\x10" + bytes.fromhex(KEY_ID) + b"\x02\x14\x00"),
        packet(numbers=b"\x00\x0a\x01\x02" + b"\x00\x08\xff"),
        packet(numbers=b"\x00\x09\x01\x02"),
        packet(numbers=b"\x00\x09\x01\x02" + b"\x00\x08\xff" + b"\x00\x08\xff"),
        packet(header=b"\x89\x00\x22"),
        packet(header=b"\xc2\x22"),
        packet() + packet(),
        packet() + b"\xb4\x00",
        b"\xa3\x01" + packet(),
        b"",
        b"\x88",
    ],
)
def test_other_packets_are_refused(wrong: bytes) -> None:
    with pytest.raises(SealProblem, match="one whole detached signature"):
        read_armour(write_armour(wrong))


GOOD = write_armour(packet())


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        packet(),
        GOOD + GOOD,
        GOOD + b"\n",
        b"\n" + GOOD,
        GOOD[:-1],
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"-----\n\n", b"-----\nComment: hello\n\n"),
        GOOD.replace(b"SIGNATURE", b"MESSAGE"),
        b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nother\n" + GOOD,
        b"\n".join(line for line in GOOD.split(b"\n") if not line.startswith(b"=")),
    ],
)
def test_other_armour_is_refused(wrong: bytes) -> None:
    with pytest.raises(SealProblem, match="one whole detached signature"):
        read_armour(wrong)
