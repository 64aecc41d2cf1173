"""Words that are somebody's name and an ordinary word, a place or a disease as well."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def read_common_words() -> frozenset[str]:
    """Return the words of `common_words.txt`, folded: a name among them needs company to be one."""
    text = resources.files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())
