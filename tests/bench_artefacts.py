"""What reading a deliverable before it leaves costs: `python -m tests.bench_artefacts`.

A report with a table of 5,000 rows is rendered and checked as in a run: every file read in a
process of its own, every number accounted for. The target is under 1 s for the check.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.sample_report import make_run
from wardbook.artefacts import Ground
from wardbook.artefacts.deliverable import check_report_folder
from wardbook.domain.output import OutputKind
from wardbook.identifiers.context import Context
from wardbook.identifiers.name_index import NameIndex

ROWS = 5_000
PEOPLE = [(f"Nom{number:04d}", f"Prenom{number:04d}") for number in range(5_000)]
ROUNDS = 7
TARGET = 1.0


def measure(action: Callable[[], object]) -> list[float]:
    action()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return seconds


def show(what: str, seconds: list[float]) -> float:
    median = statistics.median(seconds)
    print(f"{what:<58} {median:6.3f} s  ({min(seconds):.3f}–{max(seconds):.3f})")
    return median


def main() -> None:
    with TemporaryDirectory(prefix="wbbench") as scratch:
        run = make_run(Path(scratch))
        lines = (f"Service {n},2021-01-{1 + n % 28:02d},{11 + n},{n / 8}" for n in range(ROWS))
        table = "ward,day,stays,duration\n" + "\n".join(lines) + "\n"
        run.released = [one for one in run.released if one.name != "stays"]
        run.add("stays", OutputKind.TABLE, table.encode(), rows=ROWS)
        names = iter(f"report-{n}" for n in range(100))
        rendering = show("rendering the report", measure(lambda: run.render(next(names))))
        folder = run.render("checked")
        ground = Ground(public=False, context=Context(cohort=NameIndex.of(PEOPLE)))
        spec = run.template.spec
        checks = check_report_folder("page", folder, spec, "fr", ground)
        check = measure(lambda: check_report_folder("page", folder, spec, "fr", ground))
        median = show(f"checking it: page, card, figure, table of {ROWS:,} rows", check)
        print(f"    identifiers of a cohort of {len(PEOPLE):,} looked for; {checks[0].reason}")
        total = rendering + median
        print(f"    together {total:.3f} s; target under {TARGET:.0f} s: "
              f"{'met' if total < TARGET else 'MISSED'}")  # fmt: skip


if __name__ == "__main__":
    main()
