"""The hospital's own numbers, as its settings describe them. Light: the settings import it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REPEATS = re.compile(r"(?<!\\)[*+]|\{\d*,\}|(?<!\\)\((?!\?:)|\)[{?*+]|\\[1-9]")


def check_pattern(pattern: str) -> str:
    """Return a site's pattern if it can be searched for in linear time.

    Raises:
        ValueError: it is no regular expression, or repeats without a bound.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if _REPEATS.search(pattern) or re.fullmatch(pattern, ""):
        raise ValueError(
            "write letters, sets like [0-9] and bounded repeats like {8} or {8,10} only, "
            "e.g. 8[0-9]{9}"
        )
    return pattern


@dataclass(frozen=True)
class SitePatterns:
    """How the hospital writes a patient's number (IPP) and a stay's (NDA)."""

    ipp: str = "8[0-9]{9}"
    nda: str = "N[0-9]{9}"

    def __post_init__(self) -> None:
        check_pattern(self.ipp)
        check_pattern(self.nda)
