"""Which cells of a table are sums of others: its margins, in every subset of its dimensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from wardbook.disclosure.table import Relation

Place = tuple[str, ...]


@dataclass(frozen=True)
class Codes:
    """The codes of one dimension: its margin's, and the parent of each that has one."""

    total: str
    parents: Mapping[str, str]

    def ancestors(self, code: str) -> Iterator[str]:
        """Yield the codes that a code is part of, the nearest first, the margin last."""
        if code == self.total:
            return
        while code in self.parents:
            code = self.parents[code]
            yield code
        yield self.total


def find_relations(places: Sequence[Place], dimensions: Sequence[Codes]) -> tuple[Relation, ...]:
    """Return the sums that a reader of the table can know.

    A cell counts to the nearest cell above it in each dimension: of a hierarchy whose middle level
    is not in the table, children count to what is above. A margin over several dimensions is the
    sum of margins over fewer; only where the table has none of those is it related to the cells
    inside. What is not in the table counts nothing.
    """
    positions = {place: position for position, place in enumerate(places)}
    parts: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for position, place in enumerate(places):
        for dimension, codes in enumerate(dimensions):
            for code in codes.ancestors(place[dimension]):
                above = positions.get((*place[:dimension], code, *place[dimension + 1 :]))
                if above is not None:
                    parts[above, (dimension,)].append(position)
                    break
    related = {total for total, _ in parts}
    lonely = {
        place: position
        for place, position in positions.items()
        if position not in related and len(_margins(place, dimensions)) > 1
    }
    if lonely:
        _relate_lonely(lonely, places, dimensions, parts)
    return tuple(Relation(total, tuple(found)) for (total, _), found in parts.items())


def _relate_lonely(
    lonely: Mapping[Place, int],
    places: Sequence[Place],
    dimensions: Sequence[Codes],
    parts: dict[tuple[int, tuple[int, ...]], list[int]],
) -> None:
    """Relate margins over several dimensions to the cells inside, fewest dimensions first."""
    tops = [_top_codes({place[d] for place in places}, codes) for d, codes in enumerate(dimensions)]
    done: set[int] = set()
    for size in range(2, len(dimensions) + 1):
        found = set()
        for subset in combinations(range(len(dimensions)), size):
            for position, place in enumerate(places):
                if all(place[dimension] in tops[dimension] for dimension in subset):
                    above = lonely.get(_sum_up(place, subset, dimensions))
                    if above is not None and above not in done:
                        parts[above, subset].append(position)
                        found.add(above)
        done |= found


def _sum_up(place: Place, subset: Sequence[int], dimensions: Sequence[Codes]) -> Place:
    codes = list(place)
    for dimension in subset:
        codes[dimension] = dimensions[dimension].total
    return tuple(codes)


def _top_codes(present: set[str], codes: Codes) -> set[str]:
    """Return the codes that nothing but the margin stands above: together they are the whole."""
    return {
        code
        for code in present
        if code != codes.total and not present & (set(codes.ancestors(code)) - {codes.total})
    }


def _margins(place: Place, dimensions: Sequence[Codes]) -> list[int]:
    return [d for d, codes in enumerate(dimensions) if place[d] == codes.total]
