"""Hostile tickets and fuzzed texts against every place that a ticket's text reaches.

    python -m tests.hostile [--cases 100000] [--seed 1]

Prints, for each place, how often something was executed or changed: by our way, and by the naive
way with the same texts, which shows that it would have been seen. Exits with 1 unless all of ours
are 0 and none of the naive ones is.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from r_side import find_missing_r

from tests.hostile.runs import PLACES
from tests.hostile.sinks import SINKS
from tests.hostile.texts import FAMILIES, fuzzed, hostile_texts


def run_tickets() -> bool:
    """Try the 300 texts everywhere; returns whether all is well."""
    texts, well = hostile_texts(), True
    print(f"{len(texts)} hostile tickets: harm by our way / by the naive way")
    for sink in SINKS:
        ours = sum(bool(list(sink.ours(text))) for text in texts)
        naive = sum(bool(list(sink.naive(text))) for text in texts)
        well &= not ours and bool(naive)
        print(f"  {sink.name:<32} {ours:>4} {naive:>6}")
    for place in PLACES:
        if place.family == "r" and find_missing_r():
            print(f"  {place.name:<32} not tried: {find_missing_r()}")
            continue
        counts = []
        for run in (place.ours, *place.naive):
            given = texts if run is place.ours else FAMILIES[place.family]
            with tempfile.TemporaryDirectory(prefix="wb-hostile-") as folder:
                counts.append(run(given, Path(folder)))
        well &= not counts[0] and all(counts[1:])
        print(f"  {place.name:<32} {counts[0]:>4} {' '.join(map(str, counts[1:])):>6}")
    return well


def run_cases(cases: int, seed: int) -> bool:
    """Try fuzzed texts, each at one place in turn; returns whether all is well."""
    chance, harmed, naive = random.Random(seed), 0, 0
    for number in range(cases):
        sink, text = SINKS[number % len(SINKS)], fuzzed(chance)
        found = list(sink.ours(text))
        if found:
            harmed += 1
            print(f"  {sink.name}: {text!r}: {found}")
        naive += number % 100 < len(SINKS) and bool(list(sink.naive(text)))
    print(f"{cases} fuzzed texts (seed {seed}): {harmed} harmful by our way")
    print(f"  of {sum(n % 100 < len(SINKS) for n in range(cases))} tried, {naive} by the naive way")
    return not harmed and bool(naive)


def main() -> int:
    """Try everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    results = [run_tickets(), run_cases(asked.cases, asked.seed)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
