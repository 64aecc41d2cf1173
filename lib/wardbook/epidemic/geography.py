"""Departments and regions of France: codes, names, populations, places in a tile map."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Department:
    """A department or overseas collectivity.

    `population` is in thousands, None where unknown; `tile` is column and row in the tile map.
    """

    code: str
    name: str
    region: str
    population: int | None = None
    tile: tuple[int, int] | None = None


@dataclass(frozen=True)
class Region:
    """A region of INSEE's code of 2021, or the entry `COM` of the overseas collectivities."""

    code: str
    name: str
    departments: tuple[Department, ...]

    @property
    def population(self) -> int | None:
        """Inhabitants in thousands, None where a department's number is unknown."""
        known = [d.population for d in self.departments if d.population is not None]
        return sum(known) if len(known) == len(self.departments) else None


@cache
def all_regions() -> dict[str, Region]:
    """Return the regions by code, metropolitan ones first, each group in order of its names."""
    file = resources.files(__package__) / "geography.toml"
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        entry["code"]: Region(
            entry["code"],
            entry["name"],
            tuple(
                Department(
                    code,
                    about["name"],
                    entry["code"],
                    about.get("population"),
                    tuple(about["tile"]) if "tile" in about else None,
                )
                for code, about in entry["departments"].items()
            ),
        )
        for entry in raw["region"]
    }


@cache
def all_departments() -> dict[str, Department]:
    """Return every department and collectivity by code."""
    return {d.code: d for region in all_regions().values() for d in region.departments}


@cache
def expected_departments() -> frozenset[str]:
    """Return the 101 departments that every day of a file holds; collectivities come and go."""
    return frozenset(d.code for d in all_departments().values() if d.region != "COM")
