"""For how many hospitals does the interval that a method gives hold the effect planted there?

    python -m tests.planted_effects --seeds 100 [--only NAME …] [--first-seed 1] [--processes 2]
                                    [--further 300]

Each module of `tests/planted` has

    PARTS        the hospital's parts that it needs, by name
    PATIENTS     of how many persons; so many that a seed takes about two seconds
    estimate(database)   for one built hospital the estimates of what is planted in it

Prints a table and ends with 1 when an effect lies within its interval in fewer than 93 of 100
hospitals (the same share of another number). An interval that is right holds it in 95 of 100 on
average, and in fewer than 93 in one of eight tries. So where an effect has too few, the module is
asked of `--further` hospitals too, and the share of all decides: chance goes, a wrong method stays.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

FOLDER = Path(__file__).with_name("planted")
NEEDED = 0.93


@dataclass(frozen=True)
class Estimate:
    """What a method says of one planted effect: the interval `low` to `high` at 95 %."""

    name: str
    truth: float
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth; an interval that is no number holds nothing."""
        return self.low <= self.truth <= self.high


class Planted(Protocol):
    """What a module of `tests/planted` has."""

    PARTS: Sequence[str]
    PATIENTS: int

    @staticmethod
    def estimate(database: Path) -> list[Estimate]:
        """Return an estimate of each planted effect; `truth.json` stands beside the database."""


@dataclass(frozen=True)
class Tally:
    """How often the intervals of one effect held the truth, and what they were."""

    name: str
    seeds: int
    estimates: Sequence[Estimate]

    @property
    def held(self) -> int:
        return sum(one.holds for one in self.estimates)

    @property
    def enough(self) -> bool:
        return self.held >= math.ceil(NEEDED * self.seeds)


def planted_modules() -> list[str]:
    """Return the names of the modules of `tests/planted`."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def load_planted(name: str) -> Planted:
    """Return a module of `tests/planted`."""
    module: Any = import_module(f"tests.planted.{name}")
    return module


def estimate_seed(planted: Planted, seed: int) -> list[Estimate]:
    """Build the hospital of a seed in a folder of its own, and return the estimates."""
    from wardbook.hospital.building import build_hospital

    with tempfile.TemporaryDirectory() as folder:
        database = build_hospital(
            Path(folder), patients=planted.PATIENTS, seed=seed, parts=tuple(planted.PARTS)
        )
        return planted.estimate(database)


def _estimate_named(name: str, seed: int) -> list[Estimate]:
    return estimate_seed(load_planted(name), seed)


def count(by_seed: Sequence[list[Estimate]]) -> list[Tally]:
    """Count the estimates of each seed by effect; one that a seed has none of is not held there."""
    by_name: dict[str, list[Estimate]] = {}
    for estimates in by_seed:
        for one in estimates:
            by_name.setdefault(one.name, []).append(one)
    return [Tally(name, len(by_seed), found) for name, found in by_name.items()]


def _print(name: str, tallies: Sequence[Tally], seconds: float) -> None:
    for one in tallies:
        few = "" if one.enough else "   TOO FEW"
        truth = f"{one.estimates[0].truth:.4g}"
        width = sum(e.high - e.low for e in one.estimates) / len(one.estimates)
        print(
            f"{name:<24} {one.name:<40} {truth:>9} {width:>9.3g} {one.held:>5} of {one.seeds}{few}",
            flush=True,
        )
    print(f"{name:<24} {seconds:.1f} s", flush=True)


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seeds", type=int, default=100, help="how many hospitals")
    options.add_argument("--first-seed", type=int, default=1)
    options.add_argument("--only", nargs="+", choices=planted_modules(), default=planted_modules())
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--further", type=int, default=0, help="where an effect has too few")
    given = options.parse_args()
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    print(f"{'of':<24} {'effect':<40} {'planted':>9} {'interval':>9}  held")
    well = True
    with ProcessPoolExecutor(given.processes) as pool:
        for name in given.only:
            began = time.perf_counter()
            found = list(pool.map(partial(_estimate_named, name), seeds))
            tallies = count(found)
            _print(name, tallies, time.perf_counter() - began)
            if given.further and not all(one.enough for one in tallies):
                few = {one.name for one in tallies if not one.enough}
                more = range(seeds.stop, seeds.stop + given.further)
                found += pool.map(partial(_estimate_named, name), more)
                tallies = [one for one in count(found) if one.name in few]
                _print(name, tallies, time.perf_counter() - began)
            well = well and bool(tallies) and all(one.enough for one in tallies)
    return 0 if well else 1


if __name__ == "__main__":
    from tests.planted_effects import main as same_classes  # not __main__'s own

    sys.exit(same_classes())
