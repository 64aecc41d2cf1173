"""The editions of one report: what an edition says of those before it, and where newer ones are.

A published edition never changes, so it cannot name a later one. Each leads to one page beside all
of them, which the site makes anew whenever one is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ALL_EDITIONS = "../index.html"
"""The page of all editions, as an edition's own page finds it."""


@dataclass(frozen=True)
class PastEdition:
    """An edition that stands already: its folder's name, beside the new one's, and its start."""

    folder: str
    started: datetime
