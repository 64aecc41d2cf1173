"""Print how many planted identifiers are found, and how many clean cells are hit.

Exits with 1 where less than 99.5 % of the structured ones or 95 % of the names are found, or more
than one clean cell in a thousand is hit.
"""

from __future__ import annotations

import argparse
import sys

from tests.identifier_corpus.measuring import measure


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--planted", type=int, default=10_000)
    parser.add_argument("--clean", type=int, default=60_000)
    parser.add_argument("--show", type=int, default=0, help="print that many misses and false hits")
    asked = parser.parse_args()
    result = measure(asked.seed, asked.planted, asked.clean)
    print(f"{'kind':<14}{'planted':>8}{'found':>8}{'recall':>9}  told as another kind")
    for kind in sorted(result.planted):
        other = result.otherwise[kind] or ""
        planted, found = result.planted[kind], result.found[kind]
        print(f"{kind:<14}{planted:>8}{found:>8}{found / planted:>9.2%}  {other}")
    structured, names = result.recall(names=False), result.recall(names=True)
    print(f"structured: {structured:.2%}   names: {names:.2%}")
    print(f"clean cells: {result.cells}, hit: {len(result.hit_cells)}"
          f" ({result.false_per_thousand:.2f} in 1,000) {dict(result.false_hits)}")  # fmt: skip
    for one in result.missed[: asked.show]:
        print(
            "missed:", one.kind, one.hardness, repr(one.value), repr(one.content[:160] or one.name)
        )
    for cell in result.hit_cells[: asked.show]:
        print("false hit:", repr(cell))
    good = structured >= 0.995 and names >= 0.95 and result.false_per_thousand <= 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
