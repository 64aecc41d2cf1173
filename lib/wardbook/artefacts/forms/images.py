"""PNG and JPEG: everything in the file that is not the picture.

Sources: PNG specification (third edition), sections 5, 11 and 4.7; ISO/IEC 10918-1 annex B for
JPEG, Exif 2.32 and XMP part 3 for what its APP segments hold.
"""

from __future__ import annotations

import struct
import zlib

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes

# What a picture is drawn with, and how large a dot is. Nothing of it is a text.
PLAIN_CHUNKS = frozenset(
    [
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"pHYs",
        b"sBIT",
        b"bKGD",
    ]
)
_TEXT_CHUNKS = frozenset([b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"iCCP"])
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_png(content: bytes, notes: Notes) -> None:
    """Read a PNG: its texts, Exif data, what follows its end, what follows its last row.

    Raises:
        Unreadable: it is cut short or broken, has too many pixels, or unfolds beyond the bounds.
    """
    at, ended, packed, header = len(_SIGNATURE), False, [], b""
    for _ in range(notes.bounds.members):
        if at == len(content) or ended:
            break
        length, kind = (
            struct.unpack_from(">I4s", content, at) if at + 8 <= len(content) else (0, b"")
        )
        end = at + 12 + length
        if not kind or end > len(content):
            raise Unreadable("broken")
        body = content[at + 8 : at + 8 + length]
        if zlib.crc32(kind + body) != struct.unpack_from(">I", content, at + 8 + length)[0]:
            raise Unreadable("broken")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed.append(body)
        elif kind not in PLAIN_CHUNKS:
            _read_chunk(kind, body, notes)
        ended = kind == b"IEND"
        at = end
    if not ended or len(header) != 13:
        raise Unreadable("broken")
    if at < len(content):
        notes.report("appended", "after IEND")
        notes.add("hidden", "after IEND", content[at:].decode("latin-1"))
    _measure(header, b"".join(packed), notes)


def _measure(header: bytes, packed: bytes, notes: Notes) -> None:
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour)
    if samples is None or not width or not height:
        raise Unreadable("broken")
    if width * height > notes.bounds.pixels:
        raise Unreadable("too_many_pixels")
    wanted = height * (1 + (width * samples * depth + 7) // 8)
    # An interlaced picture has up to seven filter bytes for eight rows, and shorter rows.
    most = wanted + (8 * height + 64 if interlaced else 0)
    unpacker, total, waiting = zlib.decompressobj(), 0, packed
    try:
        while waiting and total <= most:
            total += len(unpacker.decompress(waiting, 1 << 20))
            waiting = unpacker.unconsumed_tail
    except zlib.error:
        raise Unreadable("broken") from None
    if total < wanted and not interlaced:
        raise Unreadable("broken")
    if total > most or unpacker.unused_data:
        notes.report("appended", "IDAT")


def _read_chunk(kind: bytes, body: bytes, notes: Notes) -> None:
    known = kind in _TEXT_CHUNKS
    place = kind.decode("ascii") if known else "chunk"
    notes.report("metadata", place)
    if kind in (b"zTXt", b"iCCP"):
        name, _, rest = body.partition(b"\0")
        body = name + b"\n" + _unfold(rest[1:], notes)
    elif kind == b"iTXt":
        name, _, rest = body.partition(b"\0")
        language, _, last = rest[2:].partition(b"\0")
        translated, _, text = last.partition(b"\0")
        text = _unfold(text, notes) if rest[:1] == b"\1" else text
        body = b"\n".join((name, language, translated, text))
    elif kind == b"eXIf":
        notes.add("metadata", place, _readable(body))
        return
    notes.add("metadata", place, body.decode("utf-8", "replace").replace("\0", "\n"))


def _unfold(packed: bytes, notes: Notes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, notes.bounds.text_bytes + 1)
    except zlib.error:
        raise Unreadable("broken") from None
    if len(text) > notes.bounds.text_bytes:
        raise Unreadable("bomb")
    return text


_SEGMENTS_WITHOUT_LENGTH = frozenset([0x01, *range(0xD0, 0xD8)])


def read_jpeg(content: bytes, notes: Notes) -> None:
    """Read a JPEG: Exif, XMP, IPTC, comments, a thumbnail, and what follows its end.

    Raises:
        Unreadable: it is cut short or broken, or has too many pixels.
    """
    at, seen_size = 2, False
    for _ in range(notes.bounds.members):
        at = content.find(b"\xff", at)
        while at >= 0 and content[at + 1 : at + 2] == b"\xff":
            at += 1
        if at < 0 or at + 2 > len(content):
            raise Unreadable("broken")
        marker = content[at + 1]
        at += 2
        if marker == 0xD9:
            break
        if marker == 0 or marker in _SEGMENTS_WITHOUT_LENGTH:
            continue
        if at + 2 > len(content):
            raise Unreadable("broken")
        length = struct.unpack_from(">H", content, at)[0]
        body = content[at + 2 : at + length]
        if length < 2 or at + length > len(content):
            raise Unreadable("broken")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            seen_size = _measure_frame(body, notes)
        _read_segment(marker, body, notes)
        at += length
        if marker == 0xDA:
            at = _skip_scan(content, at)
    else:
        raise Unreadable("too_many_parts")
    if not seen_size:
        raise Unreadable("broken")
    if content[at:].strip(b"\0"):
        notes.report("appended", "after EOI")
        notes.add("hidden", "after EOI", content[at:].decode("latin-1"))


def _skip_scan(content: bytes, at: int) -> int:
    """Return where the picture's coded data end: the next marker that is no part of them."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise Unreadable("broken")
        following = content[at + 1 : at + 2]
        if following and (following[0] == 0 or 0xD0 <= following[0] <= 0xD7):
            at += 2
        else:
            return at


def _measure_frame(body: bytes, notes: Notes) -> bool:
    if len(body) < 5:
        raise Unreadable("broken")
    height, width = struct.unpack_from(">HH", body, 1)
    if width * height > notes.bounds.pixels:
        raise Unreadable("too_many_pixels")
    return True


def _read_segment(marker: int, body: bytes, notes: Notes) -> None:
    if marker == 0xFE:
        notes.report("metadata", "COM")
        notes.add("metadata", "COM", body.decode("utf-8", "replace"))
        return
    jfif = marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) == 14
    adobe = marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12
    if not 0xE0 <= marker <= 0xEF or jfif or adobe:
        return
    notes.report("metadata", f"APP{marker - 0xE0}")
    if b"\xff\xd8\xff" in body:
        notes.report("embedded", f"APP{marker - 0xE0}")  # a thumbnail may show what was cut away
    notes.add("metadata", f"APP{marker - 0xE0}", _readable(body))


def _readable(body: bytes) -> str:
    """Return what a person could read in bytes, in UTF-8 or in the two-byte text of Windows."""
    two_bytes = body.decode("utf-16-le", "ignore") if body.count(0) * 3 > len(body) else ""
    one_byte = body.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\n" for c in f"{one_byte}\n{two_bytes}")
