"""Which cells of a table are sums of others: its margins, in every subset of its dimensions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from wardbook.disclosure.table import Relation

Place = tuple[str, ...]


@dataclass(frozen=True)
class Codes:
    """The codes of one dimension: its margin's, and the parent of each that has one."""

    total: str
    parents: Mapping[str, str]

    @cached_property
    def uppers(self) -> frozenset[str]:
        """The codes that others are part of."""
        return frozenset({self.total, *self.parents.values()})

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
    parts: dict[tuple[int, int], list[int]] = defaultdict(list)
    for position, place in enumerate(places):
        for dimension, codes in enumerate(dimensions):
            for code in codes.ancestors(place[dimension]):
                above = positions.get((*place[:dimension], code, *place[dimension + 1 :]))
                if above is not None:
                    parts[above, dimension].append(position)
                    break
    related = {total for total, _ in parts}
    unrelated = {
        place: position
        for place, position in positions.items()
        if position not in related and _is_upper_in_two(place, dimensions)
    }
    return (
        *(Relation(total, tuple(found)) for (total, _), found in parts.items()),
        *_relate_across(unrelated, places, dimensions),
    )


def _relate_across(
    totals: Mapping[Place, int], places: Sequence[Place], dimensions: Sequence[Codes]
) -> Iterator[Relation]:
    """Yield the sums over several dimensions at once of cells that have none over one."""
    inside: dict[int, dict[frozenset[int], list[int]]] = defaultdict(lambda: defaultdict(list))
    if not totals:
        return
    for position, place in enumerate(places):
        for above in _places_above(place, dimensions):
            total = totals.get(above)
            if total is not None:
                crossed = frozenset(d for d, code in enumerate(place) if code != above[d])
                inside[total][crossed].append(position)
    for total, groups in inside.items():
        for crossed, found in groups.items():
            if not any(fewer < crossed for fewer in groups):
                yield Relation(total, _keep_finest(found, places, dimensions))


def _is_upper_in_two(place: Place, dimensions: Sequence[Codes]) -> bool:
    return sum(code in codes.uppers for code, codes in zip(place, dimensions, strict=True)) > 1


def _places_above(place: Place, dimensions: Sequence[Codes]) -> Iterator[Place]:
    chains = [(code, *codes.ancestors(code)) for code, codes in zip(place, dimensions, strict=True)]
    return (above for above in product(*chains) if above != place)


def _keep_finest(
    found: Sequence[int], places: Sequence[Place], dimensions: Sequence[Codes]
) -> tuple[int, ...]:
    """Leave out the cells of a hierarchy's upper levels where those below are there too."""
    above = {one for position in found for one in _places_above(places[position], dimensions)}
    return tuple(position for position in found if places[position] not in above)
