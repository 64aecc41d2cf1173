"""What a search may know beside the text: the cohort's names, the site's numbers, the column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from wardbook.identifiers.name_index import NO_NAMES, NameIndex
from wardbook.identifiers.site import SitePatterns


@dataclass(frozen=True)
class Context:
    """What is known of a text.

    Args:
        column: header of the column that the text is a cell of, or several with CELL_BREAK.
        cohort: the names of the patients whom the run read of.
        site: the hospital's own numbers.
        shown: what may be seen by everybody: the unit's address, phone and FINESS, as written.
    """

    column: str = ""
    cohort: NameIndex = NO_NAMES
    site: SitePatterns = field(default_factory=SitePatterns)
    shown: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def shown_compact(self) -> frozenset[str]:
        """What may be seen, without its separators."""
        return frozenset(map(compact, self.shown))


def compact(text: str) -> str:
    """Return a text's letters and digits, and the signs of an e-mail address, in lower case."""
    return re.sub(r"[^\w@+]|_", "", text).lower()
