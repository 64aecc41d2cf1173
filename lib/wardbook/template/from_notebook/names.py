"""Names for what a template declares, made of what the analyst wrote."""

from __future__ import annotations

import keyword
import re
import unicodedata


def slug(text: str) -> str:
    """Return a text as a name of small letters, digits and _, or "" where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    name = re.sub(r"\A[0-9_]+", "", name)[:48].rstrip("_")
    return f"{name}_" if keyword.iskeyword(name) else name


def free_name(wanted: str, taken: set[str]) -> str:
    """Return the name, or it with a number where it is taken; it is taken from then on."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[:44]}_{number}"
    taken.add(name)
    return name


def in_words(name: str) -> str:
    """Return a name as words, the first with a capital."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
