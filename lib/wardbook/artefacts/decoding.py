"""Bytes to text and text to JSON, within bounds."""

from __future__ import annotations

import json
from typing import Any

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes


def decode(content: bytes, notes: Notes) -> str:
    """Return the text of a file in UTF-8.

    Raises:
        Unreadable: it is larger than a text may be, holds a NUL, or is in another encoding.
    """
    if len(content) > notes.bounds.text_bytes:
        raise Unreadable("oversize")
    if b"\0" in content:
        raise Unreadable("encoding")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("encoding") from None


def parse_json(content: bytes, notes: Notes) -> Any:
    """Return the value of a JSON file.

    Raises:
        Unreadable: it is no JSON, nested too deep, or names a key of an object twice: readers
            would differ in which of the two they see.
    """
    text = decode(content, notes)
    try:
        value = json.loads(text, object_pairs_hook=_no_key_twice, parse_int=_parse_int)
    except RecursionError:
        raise Unreadable("too_deep") from None
    except ValueError:
        raise Unreadable("broken") from None
    return value


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("broken")
    return found


def _parse_int(digits: str) -> int | str:
    # Python refuses more than 4,300 digits, which take quadratic time to read; none is a count.
    return int(digits) if len(digits) < 400 else digits
