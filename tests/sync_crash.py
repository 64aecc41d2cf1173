"""All crash points of the synchronisation, then its seeded schedules; prints the figures.

    python -m tests.sync_crash --schedules 2000 --seed 1

Ends with 1 when anything was there twice, or missing, or not settled within three passes.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests import sync_schedules
from tests.sync_points import CASES, all_points, own_trial


def try_points() -> bool:
    """Try every crash point and print the figures; returns whether all is well."""
    trial, points = own_trial(), all_points()
    passes: Counter[int] = Counter()
    sorts: Counter[str] = Counter()
    bad = 0
    for point in points:
        verdict = trial.judge(point)
        passes[verdict.passes] += 1
        sorts.update(found.partition(":")[0] for found in verdict.wrong)
        if verdict.wrong:
            bad += 1
            print(f"{point}:", *verdict.wrong, sep="\n    ", flush=True)
    kinds = {CASES[point.case].kind for point in points}
    print(f"{len(points)} crash points of {len(kinds)} kinds of effect, {bad} of them bad")
    print(f"passes needed: {dict(sorted(passes.items()))}")
    print(f"duplicates: {sorts['duplicate']}, losses: {sorts['loss']}", flush=True)
    return not bad


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--schedules", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--processes", type=int, default=2)
    given = options.parse_args()
    well = try_points()
    numbers = range(1, given.schedules + 1)
    return 0 if sync_schedules.try_all(given.seed, numbers, given.processes) and well else 1


if __name__ == "__main__":
    sys.exit(main())
