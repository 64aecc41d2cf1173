"""Files inside an address: `data:image/png;base64,…`."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_to_bytes

from wardbook.artefacts.bounds import Unreadable
from wardbook.artefacts.finding import Notes


def read_data_address(address: str, notes: Notes, place: str) -> bool:
    """Read the picture in a `data:` address as one of the file; return whether it was one."""
    head, comma, body = address.strip().partition(",")
    if not comma or not head[:11].lower().startswith("data:image/"):
        return False
    try:
        text = "".join(body.split()) + "=="
        content = (
            base64.b64decode(text.encode("ascii"))
            if head.lower().endswith("base64")
            else unquote_to_bytes(body)
        )
    except (binascii.Error, UnicodeError, ValueError):
        raise Unreadable("broken", place) from None
    read_picture(content, notes, place)
    return True


def read_picture(content: bytes, notes: Notes, place: str) -> None:
    """Read a PNG, JPEG or SVG picture that stands inside another file."""
    from wardbook.artefacts.forms.images import read_jpeg, read_png
    from wardbook.artefacts.forms.vector import read_svg
    from wardbook.artefacts.magic import tell_form

    readers = {"png": read_png, "jpeg": read_jpeg, "svg": read_svg}
    reader = readers.get(tell_form(content))
    if reader is None:
        notes.report("embedded", place)
    else:
        reader(content, notes)
