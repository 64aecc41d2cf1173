"""What in HTML or SVG would run something, or fetch it from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wardbook.artefacts.finding import Notes

_NAMES = (
    "script iframe frame frameset object embed applet portal fencedframe foreignobject set animate "
    "animatetransform animatemotion handler listener base math noscript xml"
)
ACTIVE_TAGS = frozenset(_NAMES.split())
_ACTIVE = re.compile(rf"<[\s/]*(?:\w{{1,20}}:)?({'|'.join(sorted(ACTIVE_TAGS))})(?![\w-])", re.I)
_RUNNING = ("javascript", "vbscript", "livescript", "mocha", "data")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):")
_IGNORED = re.compile(r"[\x00-\x20\u200b\ufeff]+")
_LOADS = re.compile(
    r"url\s*\(|@import|expression\s*\(|-moz-binding|behavior\s*:|image-set\s*\(", re.I
)
_OWN_PIECE = re.compile(r"url\(\s*['\"]?#[\w-]{1,200}['\"]?\s*\)")


def find_active_names(text: str) -> Iterator[str]:
    """Yield the name of everything in `text` that a browser could take for an active element."""
    for found in _ACTIVE.finditer(text):
        yield found[1].lower()


def runs_something(address: str) -> bool:
    """Tell whether a text, followed as an address, would run something."""
    plain = _IGNORED.sub("", address[:2000]).lower()
    scheme = _SCHEME.match(plain)
    if scheme is None or scheme[1] not in _RUNNING:
        return False
    return scheme[1] != "data" or plain.startswith(("data:text/", "data:image/svg", "data:appl"))


def judge_address(tag: str, name: str, address: str, notes: Notes) -> None:
    """Report an address that runs something, or is fetched from another place without a click."""
    plain = _IGNORED.sub("", address).lower()
    scheme = _SCHEME.match(plain)
    if scheme is None:
        if plain.replace("\\", "/").startswith("//") and tag != "a":
            notes.report("foreign_address", f"<{tag} {name}>")
        return
    picture = tag in ("img", "image") and plain.startswith("data:image/")
    link = tag == "a" and scheme[1] in ("http", "https", "mailto")
    if scheme[1] in _RUNNING and not picture:
        notes.report("script", f"<{tag} {name}>")
    elif not picture and not link:
        notes.report("foreign_address", f"<{tag} {name}>")


def judge_style(css: str, notes: Notes, place: str) -> None:
    """Report a style that fetches something; `url(#…)` points into the same file."""
    plain = _OWN_PIECE.sub("", css.replace("\\", " "))
    if _LOADS.search(plain) or "\\" in css:
        notes.report("foreign_address", place)
