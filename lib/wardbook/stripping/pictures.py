"""Pictures inside a Markdown cell: attached ones, and those written into the text itself.

A picture of a table is data, and its name tells as much: neither stays.
"""

from __future__ import annotations

import re

INSTEAD = "*[image retirée / image removed]*"
"""Stands where a picture stood. Nobody knows the notebook's language here."""

_ADDRESS = r"(?:attachment:|data:)"
_INLINE = re.compile(rf"!\[[^\]\n]{{0,500}}\]\(\s*<?{_ADDRESS}[^)]*\)", re.I)
_ELEMENT = re.compile(rf"<img\b[^>]{{0,2000}}?\bsrc\s*=\s*[\"']?\s*{_ADDRESS}[^>]*>", re.I)
_DEFINITION = re.compile(
    rf"^[ ]{{0,3}}\[([^\]\n]{{1,200}})\]:[ \t]*<?{_ADDRESS}[^\n]*\n?", re.I | re.M
)
_REFERENCE = re.compile(r"!\[([^\]\n]{0,500})\](?:\[([^\]\n]{0,200})\])?(?!\()")


def forget_pictures(source: str) -> str:
    """Return Markdown that says where a picture stood, without the picture and its name."""
    if "attachment:" not in source.lower() and "data:" not in source.lower():
        return source
    source = _ELEMENT.sub(INSTEAD, _INLINE.sub(INSTEAD, source))
    defined = {name.casefold() for name in _DEFINITION.findall(source)}
    if not defined:
        return source

    def forget(match: re.Match[str]) -> str:
        name = match[2] or match[1]
        return INSTEAD if name.casefold() in defined else match[0]

    return _REFERENCE.sub(forget, _DEFINITION.sub("", source))
