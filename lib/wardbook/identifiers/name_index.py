"""The names of a cohort, kept so that a text's words are looked up in constant time.

A word that misses a name by one letter is found through what is left of both when any one letter
is taken out (Garbe's symmetric deletion), then compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from wardbook.identifiers.reading import fold
from wardbook.identifiers.words import read_common_words

PARTICLES = frozenset(
    """
    de du des d la le les l da dos di van von den der el al ben bint ibn saint sainte st ste
    mac mc san n
    """.split()  # noqa: SIM905
)
SHORTEST_WITH_ERROR = 5
PARTS = re.compile(r"[^\W\d_]+")


class NameIndex:
    """Surnames and first names by their parts, folded: `Durand-Mâcle` as `durand` and `macle`.

    It holds patients' names, so it shows itself by its size alone.
    """

    def __init__(
        self, surnames: frozenset[str], firsts: frozenset[str], pairs: frozenset[tuple[str, str]]
    ) -> None:
        self.surnames = surnames
        self.firsts = firsts
        self.pairs = pairs
        self.initials = frozenset((surname, first[:1]) for surname, first in pairs)
        common = read_common_words()
        self.common = frozenset(name for name in surnames if name in common or name in firsts)
        self._left: dict[str, list[str]] = defaultdict(list)
        for name in surnames | firsts:
            for left in _take_one_out(name):
                self._left[left].append(name)

    @classmethod
    def of(cls, people: Iterable[tuple[str, str]]) -> NameIndex:
        """Return the index of people, each a surname and a first name ("" where unknown)."""
        surnames: set[str] = set()
        firsts: set[str] = set()
        pairs: set[tuple[str, str]] = set()
        for surname, first in people:
            own = set(_split(surname))
            given = set(_split(first))
            surnames |= own
            firsts |= given
            pairs |= {(name, one) for name in own for one in given}
        return cls(frozenset(surnames), frozenset(firsts), frozenset(pairs))

    def __bool__(self) -> bool:
        return bool(self.surnames)

    def __repr__(self) -> str:
        return f"<NameIndex of {len(self.surnames)} surnames>"

    def near(self, word: str) -> tuple[str, ...]:
        """Return the names that a folded word misses by one letter, or by two changed over."""
        if len(word) < SHORTEST_WITH_ERROR:
            return ()
        close = {name for left in _take_one_out(word) for name in self._left.get(left, ())}
        return tuple(sorted(name for name in close if is_one_off(word, name)))


def _split(name: str) -> Iterator[str]:
    parts = [fold(part) for part in PARTS.findall(name)]
    telling = [part for part in parts if part not in PARTICLES and len(part) > 1]
    yield from telling
    if len(parts) > 1 and telling:
        yield "".join(parts)


def _take_one_out(name: str) -> set[str]:
    if len(name) < SHORTEST_WITH_ERROR:
        return set()
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


def is_one_off(word: str, name: str) -> bool:
    """Whether one letter more, less or other, or two neighbours changed over, makes one the other.

    Equal words are not.
    """
    if word == name or abs(len(word) - len(name)) > 1:
        return False
    start = 0
    while start < min(len(word), len(name)) and word[start] == name[start]:
        start += 1
    left, right = word[start:], name[start:]
    if left[1:] == right[1:] or left[1:] == right or left == right[1:]:
        return True
    return left[:2] == right[1::-1] and left[2:] == right[2:] and len(left) > 1


NO_NAMES = NameIndex(frozenset(), frozenset(), frozenset())
