"""What the disclosure checks cost: `python -m tests.bench_checks`.

A table of 5,000 rows: 22 wards in 4 poles × 3 ages × 2 sexes × months, with all margins, a sum
whose contributions stand in its backing, and labels. Medians of seven with the smallest and the
largest; nothing is asserted here.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections import defaultdict
from itertools import product
from pathlib import Path

from tests.sample_outputs import SENSITIVE, Run, policy
from wardbook.disclosure import check_outputs
from wardbook.disclosure.table import TOTAL
from wardbook.domain.output import Verdict

ROWS = 5_000
WARDS = [f"ward {number}" for number in range(22)]
POLES = {ward: f"pole {number % 4}" for number, ward in enumerate(WARDS)}
COLUMNS = ["month", "unit", "age", "sex", "n", "cost"]
ROUNDS = 7


def tabulate(small: bool) -> tuple[str, str]:
    """Return a table with its margins as CSV, cut to ROWS by whole months; and its backing."""
    chance = random.Random(5)
    rows: list[str] = []
    backing: list[str] = []
    for month in range(1, 1000):
        cells: dict[tuple[str, str, str], list[list[float]]] = defaultdict(list)
        for ward, age, sex in product(WARDS, ("0-17", "18-64", "65+"), ("F", "M")):
            count = chance.randint(1 if small else 15, 40)
            costs = [chance.uniform(50, 150) for _ in range(count)]
            units, ages, sexes = (ward, POLES[ward], TOTAL), (age, TOTAL), (sex, TOTAL)
            for place in product(units, ages, sexes):
                cells[place].append(costs)
        if len(rows) + len(cells) > ROWS:
            break
        for place, parts in cells.items():
            costs = sorted((cost for part in parts for cost in part), reverse=True)
            key = ",".join((f"m{month}", *place))
            rows.append(f"{key},{len(costs)},{sum(costs):.2f}\n")
            backing.append(f"{key},{costs[0]!r},{repr(costs[1]) if costs[1:] else ''}\n")
    header = "month,unit,age,sex"
    return f"{header},n,cost\n{''.join(rows)}", f"{header},c1,c2\n{''.join(backing)}"


def declare(folder: Path, small: bool) -> Run:
    """Return the run whose outputs these are."""
    table, backing = tabulate(small)
    places = {"dimensions": COLUMNS[:4], "time": "month", "hierarchies": {"unit": POLES}}
    run = Run(folder).table("costs", table, columns=COLUMNS, count="n", backing="persons",
        measures={"cost": {"statistic": "sum", "largest": ["c1", "c2"]}}, **places)  # fmt: skip
    return run.table("persons", backing, columns=[*COLUMNS[:4], "c1", "c2"], channel="inside",
        sensitivity="sensitive", **places)  # fmt: skip


def main() -> None:
    """Measure a table that passes and one that does not."""
    for small in (False, True):
        with tempfile.TemporaryDirectory(prefix="wbchecks") as scratch:
            run = declare(Path(scratch), small)
            rows = sum(1 for _ in (Path(scratch) / "costs.csv").open(encoding="utf-8")) - 1
            outputs, spec = list(run.outputs.values()), run.spec()
            seconds = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                checks = check_outputs(outputs, Path(scratch), spec, SENSITIVE, policy())
                seconds.append(time.perf_counter() - start)
        held = sorted({check.reason for check in checks if check.verdict is not Verdict.PASS})
        spread = f"{min(seconds):.3f}–{max(seconds):.3f}"
        name = "with small counts" if small else "that passes"
        print(f"a table of {rows} rows {name:<18} {statistics.median(seconds):.3f} s  ({spread})")
        print(f"    held: {', '.join(held) or 'no'}")


if __name__ == "__main__":
    main()
