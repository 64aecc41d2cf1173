"""Sends cases through a world, and counts what was stripped, refused and reached the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.planted_notebooks.passage import World
from tests.planted_notebooks.planting import CLEAN, MADE, RECORD, Case


@dataclass
class Result:
    """What became of plants; `lost` are files that neither arrived nor were refused."""

    planted: int = 0
    fates: Counter[tuple[str, str]] = field(default_factory=Counter)
    reached: list[tuple[Case, str]] = field(default_factory=list)
    lost: list[Case] = field(default_factory=list)
    needless: list[tuple[Case, str]] = field(default_factory=list)
    said: dict[int, str] = field(default_factory=dict)

    @property
    def corners_reached(self) -> set[tuple[str, str]]:
        return {(case.group, case.corner) for case, _ in self.reached}


def measure(world: World, cases: Sequence[Case]) -> Result:
    """Send all, then look at everything that git holds."""
    passage, result = world.send(cases), Result()
    result.said = passage.said
    held, arrived = world.readings(), world.paths()
    for case in cases:
        by = passage.refused.get(case.number)
        if by is None and case.mark not in arrived:
            result.lost.append(case)
        if by and (case.group == CLEAN or (case.group == MADE and case.way == "analyst")):
            result.needless.append((case, by))
        for plant in case.plants:
            result.planted += 1
            if plant.needle in held:
                fate = "reached"
                result.reached.append((case, plant.kind))
            else:
                fate = f"refused by {by}" if by else "stripped"
            result.fates[case.way, fate] += 1
        if case.group == RECORD and not by:
            result.needless.append((case, "not refused"))
    return result
