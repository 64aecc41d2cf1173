"""Seeded schedules of two random faults, with four workers over lagging, failing servers.

    python -m tests.sync_schedules --schedules 2000 --seed 1
    python -m tests.sync_schedules --seed 1 --replay 37

Each schedule begins in the same world, with its own chance; after its faults have stopped, nothing
may be there twice or be missing after three passes. Ends with 1 when anything was.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from tests.sync_acts import Acts
from tests.sync_survey import survey
from tests.sync_workers import WORKERS, Crew, Stroke, Strokes
from tests.sync_world import LONGEST_PAUSE, SyncWorld
from wardbook.sandbox import Fault

ROUNDS = 3
PASSES = 3
ANSWERS = ("500", "502", "503", "429", "cut_before", "cut_after", "cut_after")
METHODS = (
    "take_tickets",
    "take_view",
    "move",
    "intend",
    "begin_effects",
    "begin_effects",
    "confirm_effects",
    "confirm_effects",
    "confirm_effects",
    "set_mark",
)


@dataclass
class Told:
    """What came of one schedule."""

    number: int
    passes: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.found


class Schedule:
    """One trial: people, workers, two faults, then peace."""

    def __init__(self, world: SyncWorld, seed: int, number: int) -> None:
        self._world = world
        self._chance = Random(f"{seed}:{number}")
        self._acts = Acts(world, Random(f"{seed}:{number}:people"))
        self._told = Told(number)
        self._has_history = True

    def play(self) -> Told:
        chance, world, told = self._chance, self._world, self._told
        world.reset()
        world.clock.start(*(chance.choice((0.0, -90.0, 90.0)) for _ in range(2)))
        world.clock.advance(900)
        strokes, by_round = self._choose_faults()
        threads = chance.choice((1, 1, 2))
        crew = Crew(world, Strokes(strokes, told.fired), threads, told.fired)
        try:
            for number in range(ROUNDS):
                self._live(crew, number, by_round.get(number, []))
            self._settle(crew)
        finally:
            crew.close()
            self._acts.hands.close()
        told.found += crew.errors
        return told

    def _choose_faults(self) -> tuple[list[Stroke], dict[int, list[Fault | str]]]:
        chance = self._chance
        strokes: list[Stroke] = []
        by_round: dict[int, list[Fault | str]] = {}
        for _ in range(2):
            kind = chance.choice(["answer"] * 5 + ["stroke"] * 4 + ["away", "ledger lost"])
            if kind == "answer":
                fault: Fault | str = Fault(
                    chance.choice(("jira", "gitlab")),
                    chance.choice(ANSWERS),
                    method=chance.choice(("POST|PUT|DELETE", "POST|PUT|DELETE", "GET")),
                    nth=chance.randint(1, 6),
                    retry_after=0,
                )
            elif kind == "away":
                fault = Fault(chance.choice(("jira", "gitlab")), "cut_before")
            elif kind == "ledger lost":
                fault = kind
            else:
                stroke = Stroke(
                    chance.choice(METHODS),
                    chance.randint(1, 6),
                    chance.choice(("before", "after", "full")),
                )
                strokes.append(stroke)
                self._tell(str(stroke))
                continue
            number = chance.randrange(ROUNDS)
            by_round.setdefault(number, []).append(fault)
            self._tell(f"in round {number}: {fault}")
        return strokes, by_round

    def _live(self, crew: Crew, number: int, faults: Iterable[Fault | str]) -> None:
        chance = self._chance
        if number == 0:
            self._acts.file()
        for _ in range(chance.randint(1, 4)):
            self._tell(self._acts.one())
        if chance.random() < 0.3:
            crew.frozen_at = None if crew.frozen_at else time.time()
            self._tell(f"index frozen: {crew.frozen_at is not None}")
        for fault in faults:
            if isinstance(fault, Fault):
                crew.faults.append(fault)
            else:
                crew.close()
                self._world.lose_ledger()
                self._has_history = False
                crew.fired[fault] += 1
        for _ in range(chance.randint(1, 2)):
            workers = chance.sample(range(WORKERS), chance.choice((1, 1, 2, 4)))
            self._tell(f"pass of {workers}")
            crew.make_pass(workers)
            self._world.clock.advance(chance.choice((1, 5, 70)))

    def _settle(self, crew: Crew) -> None:
        """In peace: how many passes until both sides agree and nothing more is written."""
        crew.calm()
        self._world.clock.advance(LONGEST_PAUSE)
        for number in range(1, PASSES + 2):
            before = len(self._world.writes())
            crew.make_pass([self._chance.randrange(WORKERS)])
            self._world.clock.advance(70)
            written = self._world.writes()[before:]
            found = self._survey()
            if not found and not written:
                return
            self._told.passes = number
        self._told.found += found or [f"still written: {one}" for one in written]

    def _survey(self) -> list[str]:
        found = survey(self._world, self._acts.hands.kept, ledger=self._has_history)
        return [str(one) for one in found]

    def _tell(self, what: str) -> None:
        self._told.story.append(what)


@cache
def own_world() -> SyncWorld:
    """The world of this process: it lasts as long as the process."""
    logging.disable(logging.CRITICAL)
    return SyncWorld(Path(tempfile.mkdtemp(prefix="sync-")) / "world")


def play(world: SyncWorld, seed: int, number: int) -> Told:
    """Play one schedule; a defect of any kind is a finding."""
    try:
        return Schedule(world, seed, number).play()
    except Exception:
        return Told(number, found=[traceback.format_exc()])


def play_here(task: tuple[int, int]) -> Told:
    return play(own_world(), *task)


def play_all(seed: int, numbers: Iterable[int], processes: int) -> Iterator[Told]:
    tasks = [(seed, number) for number in numbers]
    if processes == 1:
        yield from map(play_here, tasks)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(play_here, tasks, chunksize=1)


def tell(told: Told) -> None:
    print(f"schedule {told.number}: {len(told.found)} findings after {told.passes} passes")
    for line in (*told.story, *(f"  {found}" for found in told.found)):
        print(f"    {line}")


def try_all(seed: int, numbers: Sequence[int], processes: int) -> bool:
    """Play schedules and print the figures; returns whether all is well."""
    fired: Counter[str] = Counter()
    passes: Counter[int] = Counter()
    sorts: Counter[str] = Counter()
    bad = 0
    for count, told in enumerate(play_all(seed, numbers, processes), 1):
        fired += told.fired
        passes[told.passes] += 1
        sorts.update(found.partition(":")[0] for found in told.found)
        if not told.is_good:
            bad += 1
            tell(told)
        if count % 100 == 0:
            print(f"{count} schedules, {bad} of them bad", flush=True)
    print(f"seed {seed}: {len(numbers)} schedules, {bad} of them bad")
    print(f"faults that struck: {fired.total()}")
    for name, count in fired.most_common():
        print(f"{count:6} {name}")
    print(f"passes needed: {dict(sorted(passes.items()))}")
    others = sorts.total() - sorts["duplicate"] - sorts["loss"]
    print(f"duplicates: {sorts['duplicate']}, losses: {sorts['loss']}, other findings: {others}")
    return not bad


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--schedules", type=int, default=2000)
    options.add_argument("--first", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--replay", type=int)
    given = options.parse_args()
    if given.replay is not None:
        told = play_here((given.seed, given.replay))
        tell(told)
        return 0 if told.is_good else 1
    numbers = range(given.first, given.first + given.schedules)
    return 0 if try_all(given.seed, numbers, given.processes) else 1


if __name__ == "__main__":
    sys.exit(main())
