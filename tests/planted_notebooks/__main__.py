"""Send notebooks with plants in every corner to a server; prints what became of each.

Exits with 1 where one reached a commit, where the looking proves nothing since not all are seen to
pass through plain git, or where too many clean notebooks are refused.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.planted_notebooks.measuring import Result, measure
from tests.planted_notebooks.passage import World
from tests.planted_notebooks.planting import ANALYST, draw_cases, draw_clean, list_corners

OTHER = Path(__file__).with_name("outputs_only.py")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebooks", type=int, default=500)
    parser.add_argument("--clean", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20, help="print that many of what went wrong")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder, start = Path(made), time.monotonic()
        cases = list(draw_cases(Random(asked.seed), asked.notebooks))
        ours = measure(World(folder / "ours"), cases)
        _tell("ours", ours, time.monotonic() - start)
        plain = measure(World(folder / "plain", guarded=False), cases)
        _tell("plain git", plain, time.monotonic() - start)
        other = shlex.join([sys.executable, "-I", "-S", str(OTHER)])
        filtered = [replace(case, way=ANALYST) for case in cases]
        only = measure(World(folder / "other", guarded=False, stripper=other), filtered)
        _tell("outputs and counts stripped only", only, time.monotonic() - start)
        clean = list(draw_clean(Random(asked.seed), asked.clean))
        kept = measure(World(folder / "clean"), clean)
    print(f"clean notebooks: {len(clean)}, refused: {len(kept.needless)}")
    for case, kind in ours.reached[: asked.show]:
        print("reached:", case.way, case.group, case.corner, kind, case.disguise, case.path[:60])
    for case, by in [*ours.needless, *kept.needless][: asked.show]:
        print("needless:", case.way, case.group, case.corner, case.plants[:1], by)
    for case in [*ours.lost, *kept.lost][: asked.show]:
        print("lost:", case.way, case.group, case.corner)
    good = not ours.reached and not ours.lost and not kept.lost and not ours.needless
    sees = len(plain.reached) == plain.planted
    return 0 if good and sees and len(kept.needless) <= 0.02 * len(clean) else 1


def _tell(what: str, result: Result, seconds: float) -> None:
    corners = f"{len(result.corners_reached)} of {len(list_corners())} corners"
    counts = f"planted {result.planted}, reached {len(result.reached)}"
    print(f"{what}: {counts} ({corners}), {seconds:.0f} s")
    for (way, fate), count in sorted(result.fates.items()):
        print(f"  {way:<10} {fate:<24}{count:>5}")


if __name__ == "__main__":
    sys.exit(main())
