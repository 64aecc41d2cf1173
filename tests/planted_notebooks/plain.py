"""Everything that a text may say, once nothing hides it: a reader that is not the project's."""

from __future__ import annotations

import base64
import binascii
import html
import io
import json
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

_LOOK_ALIKES = str.maketrans("асеорхуАВЕКМНОРСТХ", "aceopxyABEKMHOPCTX")
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CODED = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:\n[A-Za-z0-9+/_-]+){0,8}={0,2}")
_SPELLED = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")


def compact(text: str) -> str:
    """Return letters, digits and @ of a text, in lower case, as a person would see them."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text.translate(_LOOK_ALIKES))
        text = "".join(
            str(unicodedata.decimal(c)) if c.isdecimal() else c
            for c in plain
            if unicodedata.category(c) not in ("Cf", "Mn")
        )
    return re.sub(r"[^a-z0-9@]", "", text.lower())


def read_everything(content: bytes, depth: int = 0) -> Iterator[str]:
    """Yield every reading of some bytes: texts, JSON's strings, what is coded or packed in them."""
    for text in _decode(content):
        for reading in (text, *_read_json(text)):
            shown = _resolve(reading)
            yield reading
            if shown != reading:
                yield shown
            if depth < 3:
                for inner in _unpack(shown):
                    yield from read_everything(inner, depth + 1)
    if depth < 3:
        for inner in _open(content):
            yield from read_everything(inner, depth + 1)


def _decode(content: bytes) -> Iterator[str]:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield content.decode("utf-16", errors="replace")
    elif b"\0" in content[:400] and not content.startswith(b"\x89PNG"):
        yield content.replace(b"\0", b"").decode("latin-1")
    else:
        try:
            yield content.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield content.decode("latin-1")


def _read_json(text: str) -> Iterator[str]:
    try:
        value, _ = json.JSONDecoder().raw_decode(text.strip())
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict | list):
        yield "\n".join(_walk(value))


def _walk(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack += [*one.values(), *one]
        elif isinstance(one, list):
            if one and all(isinstance(part, str) for part in one):
                yield "".join(one)
            else:
                stack += one
        else:
            yield str(one)


def _resolve(text: str) -> str:
    text = _COLOUR.sub("", text)
    for _ in range(2):
        text = _ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
    text = html.unescape(unquote(unquote(text, errors="replace"), errors="replace"))
    return _ESCAPED.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _unpack(text: str) -> Iterator[bytes]:
    for match in _SPELLED.finditer(text):
        yield bytes.fromhex(match.group())
    for match in _CODED.finditer(text):
        lines = match.group().split("\n")
        # It may go on in the next lines, and what follows may be something else.
        for end in range(1, len(lines) + 1):
            yield from _decode_base64("".join(lines[:end]))
        for line in lines[1:]:
            yield from _decode_base64(line)


def _decode_base64(run: str) -> Iterator[bytes]:
    run = run.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        inner = base64.b64decode(run + "=" * (-len(run) % 4))
    except (binascii.Error, ValueError):
        return
    # What is drawn at random decodes to anything: only what may be a text or a file is read.
    if inner[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"PK\x03\x04", b"%PDF") or _is_text(inner):
        yield inner


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return content[:2] == b"\x1f\x8b" or content[:1] == b"\x78"
    return sum(c.isprintable() or c in "\r\n\t" for c in text) > 0.9 * len(text)


def _open(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"\x89PNG"):
        yield from _read_png(content)
    elif content[:2] == b"\x1f\x8b" or content[:1] == b"\x78":
        with suppress(zlib.error):  # what is drawn at random may begin so too
            yield zlib.decompressobj(wbits=47).decompress(content)
    elif content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            yield from (packed.read(name) for name in packed.namelist())


def _read_png(content: bytes) -> Iterator[bytes]:
    place = 8
    while place + 8 <= len(content):
        size, kind = (
            int.from_bytes(content[place : place + 4], "big"),
            content[place + 4 : place + 8],
        )
        data = content[place + 8 : place + 8 + size]
        if kind == b"tEXt":
            yield data.replace(b"\0", b" ")
        elif kind == b"zTXt":
            yield zlib.decompress(data.split(b"\0", 1)[1][1:])
        place += 12 + size
