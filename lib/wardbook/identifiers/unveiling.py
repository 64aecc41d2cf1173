"""Texts as a person or a program would read them: escapes resolved, invisible characters away.

`\\u0031`, `&#49;`, `%31`, a full-width 1 and a 1 with a zero-width space behind it are all a 1 to
somebody; so is what is written in Base64 or in hexadecimal digits, packed by zlib or gzip, and
what is written so again, up to `DEEPEST` times.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Characters without a shape that Unicode counts as letters or marks."""

LOOK_ALIKES = str.maketrans(
    "асеорхуіјѕԁһԛԝАВСЕНІЈКМОРЅТХУΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "aceopxyijsdhqwABCEHIJKMOPSTXYABEZHIKMNOPTYXo",
)
"""Letters of Cyrillic and Greek that nobody tells from Latin ones."""

ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|u\{([0-9a-fA-F]{1,6})\})")
BYTES = re.compile(r"(?:%[0-9a-fA-F]{2})+|(?:\\x[0-9a-fA-F]{2})+")
_CODED = "[A-Za-z0-9+/_-]"
BASE64 = re.compile(rf"(?:{_CODED}{{60,}}(?:\r?\n{_CODED}{{4,}})+|{_CODED}{{16,}})={{0,2}}")
"""A run of letters and digits: as long as a line of mail, it may go on in the next."""

HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")

DEEPEST = 4
"""How often a text may be escaped or encoded over and over and still be read."""

LARGEST_UNPACKED = 2_000_000
"""Bytes that all that is packed in one text may come to: no bomb takes memory or time."""


class TooMuchPacked(Exception):
    """More is packed in a text than is read of it."""


@dataclass
class _Room:
    left: int = LARGEST_UNPACKED


def unveil(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text's other readings, each with the number of the line before its first.

    A reading keeps the text's lines; what was written in Base64 is one of its own.

    Raises:
        TooMuchPacked: all that is packed in it would come to more than `LARGEST_UNPACKED`.
    """
    yield from _unveil(text, DEEPEST, _Room())


def _unveil(text: str, depth: int, room: _Room) -> Iterator[tuple[int, str]]:
    shown = _show(text)
    for _ in range(depth):
        resolved = _resolve(shown)
        if resolved == shown:
            break
        shown = _show(resolved)
    if shown != text:
        yield 0, shown
    if depth == 0:
        return
    line = counted = 0
    for match in BASE64.finditer(shown):
        line += shown.count("\n", counted, match.start())
        counted = match.start()
        lines = match.group().split()
        inner = _decode("".join(lines), room) or "\n".join(
            filter(None, (_decode(one, room) for one in lines))
        )
        if inner:
            yield line, inner
            yield from ((line, deeper) for _, deeper in _unveil(inner, depth - 1, room))


def _show(text: str) -> str:
    if text.isascii():
        return text
    kept = (
        char for char in text
        if unicodedata.category(char) != "Cf" and char not in INVISIBLE
        and not "\ufe00" <= char <= "\ufe0f"
    )  # fmt: skip
    whole = unicodedata.normalize("NFKC", "".join(kept)).translate(LOOK_ALIKES)
    # What is left of marks after composing stands on what never bears one, as on a digit.
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else char
        for char in whole
        if unicodedata.category(char) not in ("Mn", "Me")
    )


def _resolve(text: str) -> str:
    if "\\" in text:
        text = ESCAPE.sub(_read_escape, text)
    if "\\" in text or "%" in text:
        text = BYTES.sub(_read_bytes, text)
    if "&" in text:
        lines = text.split("\n")
        text = "\n".join(html.unescape(line).replace("\n", " ") for line in lines)
    return text


def _read_escape(match: re.Match[str]) -> str:
    return _put(int(next(filter(None, match.groups())), 16))


def _read_bytes(match: re.Match[str]) -> str:
    content = bytes.fromhex(re.sub(r"%|\\x", "", match.group()))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return "".join(_put(ord(char)) for char in text)


def _put(code: int) -> str:
    """Return a character; a line end as a space, so that lines keep their numbers."""
    return " " if code in (10, 13) or code > 0x10FFFF else chr(code)


def _decode(run: str, room: _Room) -> str:
    """Return the text inside a run of letters and digits, "" where it is nothing of the kind."""
    if HEXADECIMAL.fullmatch(run):
        content = bytes.fromhex(run)
    else:
        plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            content = base64.b64decode(plain + "=" * (-len(plain) % 4))
        except (binascii.Error, ValueError):
            return ""
    return _read_text(content) or _read_text(_unpack(content, room))


def _read_text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if all(char.isprintable() or char in "\r\n\t" for char in text) else ""


def _unpack(content: bytes, room: _Room) -> bytes:
    """Return what zlib or gzip packed; nothing of other content."""
    if content[:2] != b"\x1f\x8b" and content[:1] != b"\x78":
        return b""
    parts = []
    with suppress(zlib.error):
        while content:  # gzip may be in several members
            member = zlib.decompressobj(wbits=47)
            parts.append(member.decompress(content, room.left + 1))
            if len(parts[-1]) > room.left:
                raise TooMuchPacked
            room.left -= len(parts[-1])
            content = member.unused_data
    return b"".join(parts)
