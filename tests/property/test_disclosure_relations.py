"""Relations of a table made from persons: all hold, and none that a reader could use is missed."""

from __future__ import annotations

from collections import Counter
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from wardbook.disclosure.relations import Codes, find_relations

PARENTS = {"a1": "a", "a2": "a", "b1": "b"}
DIMENSIONS = (Codes("T", PARENTS), Codes("*", {}), Codes("TOTAL", {}))
LEAVES = (("a1", "a2", "b1", "c"), ("f", "m"), ("x", "y", "z"))
LEVELS = ((0, 1, 2), (0, 1), (0, 1))


def climb(dimension: int, code: str, level: int) -> str:
    """The code of a level: 0 as it is, the last the margin's, between them the parent."""
    if level == LEVELS[dimension][-1]:
        return DIMENSIONS[dimension].total
    return PARENTS.get(code, code) if level else code


def tabulate(
    persons: list[tuple[str, ...]], shapes: set[tuple[int, ...]]
) -> Counter[tuple[str, ...]]:
    """Count persons in each cell of each shape: a level for each dimension."""
    counts: Counter[tuple[str, ...]] = Counter()
    for person in persons:
        cells = {
            tuple(
                climb(d, code, level)
                for d, (code, level) in enumerate(zip(person, shape, strict=True))
            )
            for shape in shapes
        }
        counts.update(cells)
    return counts


persons_of_a_hospital = st.lists(st.tuples(*map(st.sampled_from, LEAVES)), min_size=1, max_size=60)
margins_of_a_table = st.sets(st.sampled_from(sorted(set(product(*LEVELS)) - {(0, 0, 0)})))


@given(persons_of_a_hospital, margins_of_a_table)
def test_every_relation_holds_and_every_margin_has_one(
    persons: list[tuple[str, ...]], margins: set[tuple[int, ...]]
) -> None:
    counts = tabulate(persons, {(0, 0, 0)} | margins)
    places = list(counts)
    relations = find_relations(places, DIMENSIONS)
    for relation in relations:
        assert counts[places[relation.total]] == sum(counts[places[p]] for p in relation.parts)
    inner = set(tabulate(persons, {(0, 0, 0)}))
    assert {places[relation.total] for relation in relations} == set(places) - inner


@given(persons_of_a_hospital)
def test_a_whole_table_relates_each_cell_to_all_that_it_is_part_of(
    persons: list[tuple[str, ...]],
) -> None:
    counts = tabulate(persons, set(product(*LEVELS)))
    places = list(counts)
    related = {(r.total, part) for r in find_relations(places, DIMENSIONS) for part in r.parts}
    position = {place: number for number, place in enumerate(places)}
    for place in places:
        for dimension, codes in enumerate(DIMENSIONS):
            above = next(codes.ancestors(place[dimension]), None)
            if above is not None:
                total = (*place[:dimension], above, *place[dimension + 1 :])
                assert (position[total], position[place]) in related
