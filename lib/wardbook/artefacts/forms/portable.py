"""PDF: its metadata and whatever in it runs, hides or carries something.

No PDF is rendered here: its objects are searched as bytes, compressed streams unfolded. What cannot
be told that way is said so: its texts count as not read, so a person has to look at the file.
Source: ISO 32000-2.
"""

from __future__ import annotations

import re
import zlib

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes

_INFO = re.compile(
    rb"/(Title|Author|Subject|Keywords|Creator|Producer|CreationDate|ModDate|Company)\s*"
    rb"(\((?:[^()\\]|\\.){0,4000}\)|<[0-9A-Fa-f\s]{0,8000}>)",
    re.S,
)
_NAMES: tuple[tuple[bytes, str], ...] = (
    (rb"/(JavaScript|JS|Launch|SubmitForm|ImportData|RichMedia|OpenAction|AA)\b", "script"),
    (rb"/(EmbeddedFiles?|Filespec)\b", "embedded"),
    (rb"/(OCG|OCProperties)\b", "hidden"),
    (rb"/(URI|GoToR|GoToE)\b", "foreign_address"),
    (rb"/(AcroForm|XFA)\b|/Subtype\s*/(Text|FreeText|Popup|FileAttachment|Widget)\b", "comment"),
    (rb"/Encrypt\b", "encrypted"),
    (rb"/Metadata\b", "metadata"),
)
_STREAM = re.compile(rb"stream\r?\n")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_PLAIN = (b"CreationDate", b"ModDate", b"Producer", b"Creator")


def read_pdf(content: bytes, notes: Notes) -> None:
    """Read a PDF's metadata and report what it carries.

    Raises:
        Unreadable: it is cut short, or unfolds beyond the bounds.
    """
    if b"%%EOF" not in content[-2048:]:
        raise Unreadable("broken")
    notes.report("not_read")
    left = notes.bounds.unfolded_bytes
    pieces = [content]
    for number, start in enumerate(_STREAM.finditer(content)):
        if number >= notes.bounds.members:
            raise Unreadable("too_many_parts")
        piece = _unfold(content[start.end() : start.end() + 1_000_000 * 16], left)
        left -= len(piece)
        if left <= 0:
            raise Unreadable("bomb")
        if b"/Type" in piece or b"obj" in piece or b"xmpmeta" in piece:
            pieces.append(piece)
    for piece in pieces:
        _read_piece(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), piece), notes)
    if content.count(b"%%EOF") > 1:
        notes.report("hidden", "earlier revision")


def _unfold(packed: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        return b""


def _read_piece(piece: bytes, notes: Notes) -> None:
    for shape, code in _NAMES:
        if re.search(shape, piece):
            notes.report(code, "object")
    for found in _INFO.finditer(piece):
        text = _text_of(found[2])
        notes.add("metadata", "information", text)
        if found[1] not in _PLAIN and text.strip():
            notes.report("metadata", "information")
    if b"xmpmeta" in piece:
        notes.add("metadata", "XMP", piece.decode("utf-8", "replace"))


def _text_of(raw: bytes) -> str:
    if raw.startswith(b"<"):
        digits = b"".join(raw[1:-1].split())
        content = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    else:
        content = re.sub(rb"\\([()\\])", rb"\1", raw[1:-1])
    if content.startswith(b"\xfe\xff"):
        return content[2:].decode("utf-16-be", "replace")
    return content.decode("latin-1")
