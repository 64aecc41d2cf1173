"""Recall by kind, and false hits among clean cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.identifier_corpus.clean import make_clean
from tests.identifier_corpus.people import invent_people
from tests.identifier_corpus.planting import Planted, plant
from wardbook.identifiers.context import Context
from wardbook.identifiers.finding import JUDGED_BY_PEOPLE, Kind
from wardbook.identifiers.name_index import NameIndex
from wardbook.identifiers.scanning import scan
from wardbook.identifiers.searching import scan_content

SAME = {"short_nir": {"nir", "ins"}, "phone_abroad": {"phone"}, "nir": {"nir", "ins"}}


@dataclass
class Measured:
    """What was planted and found, by kind; what was hit in clean cells."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    otherwise: Counter[str] = field(default_factory=Counter)
    missed: list[Planted] = field(default_factory=list)
    cells: int = 0
    false_hits: Counter[str] = field(default_factory=Counter)
    hit_cells: list[str] = field(default_factory=list)

    def recall(self, *, names: bool) -> float:
        kinds = [kind for kind in self.planted if (kind == "name") is names]
        return sum(self.found[k] for k in kinds) / max(1, sum(self.planted[k] for k in kinds))

    @property
    def false_per_thousand(self) -> float:
        return 1000 * len(self.hit_cells) / max(1, self.cells)


def measure(seed: int, planted: int, clean: int) -> Measured:
    """Plant identifiers, search for them, and search clean cells."""
    random = Random(seed)
    people = invent_people(random, 3000)
    context = Context(cohort=NameIndex.of((person.surname, person.first) for person in people))
    result = Measured()
    for one in plant(random, people, planted):
        _count(result, one, context)
    for cell in make_clean(random, clean):
        result.cells += 1
        kinds = {finding.kind for finding in scan(cell, context=context)}
        if kinds:
            result.hit_cells.append(cell)
            result.false_hits.update(map(str, kinds))
    return result


def _count(result: Measured, one: Planted, context: Context) -> None:
    """A structured one is found when it is named; an NDA told as an IPP is refused as well."""
    result.planted[one.kind] += 1
    found = {hit.kind for hit in scan_content(one.name, one.content.encode(), context=context)}
    right = {str(kind) for kind in found} & SAME.get(one.kind, {one.kind})
    if right:
        result.found[one.kind] += 1
    elif one.kind != "name" and found - JUDGED_BY_PEOPLE - {Kind.CANARY}:
        result.otherwise[one.kind] += 1
        result.missed.append(one)
    else:
        result.missed.append(one)
