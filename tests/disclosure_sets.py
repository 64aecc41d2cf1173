"""Measure suppression on 500 unsafe and 500 safe sets of tables: `python -m tests.disclosure_sets`.

Printed are the exact recoveries by an attack of the tests' own (`plain_attack`), what is held or cut
needlessly, how much information is kept and how long it takes, beside plain suppression of the
unsafe cells alone: that of ACRO (https://github.com/AI-SDC/ACRO), done anew here, or by the package
itself in an environment of its own with `--acro PYTHON`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.disclosure_tables import KINDS, TableSet, draw_set, find_unsafe
from tests.plain_attack import recover
from wardbook.disclosure.differencing import suppress_beside
from wardbook.disclosure.register import Release, describe_release
from wardbook.disclosure.suppress import lost_share

NOW = datetime(2026, 4, 1, tzinfo=UTC)
Hidden = list[frozenset[int] | None]


@dataclass(frozen=True)
class Score:
    """What came of one set: recoveries, shares of cells and of weight that are shown, seconds."""

    recovered: int
    cells: float
    weight: float
    touched: bool
    held: bool
    seconds: float


def release_all(one: TableSet) -> Hidden:
    """Release the tables of a set one after the other; what is held is None."""
    earlier: list[Release] = []
    hidden: Hidden = []
    for n, drawn in enumerate(one.tables):
        unsafe = find_unsafe(drawn.table, one.reader)
        beside = suppress_beside(
            drawn.table, unsafe, one.reader, drawn.scope, earlier, one.hierarchies
        )
        if not beside.suppression.is_safe:
            hidden.append(None)
            continue
        hidden.append(beside.suppression.suppressed)
        earlier.append(
            describe_release(
                drawn.table,
                beside.suppression,
                one.reader,
                drawn.scope,
                request="DATA-1",
                run=f"run-{n}",
                now=NOW,
            )
        )
    return hidden


def release_plainly(one: TableSet) -> Hidden:
    """Suppress the unsafe cells alone."""
    return [find_unsafe(drawn.table, one.reader) for drawn in one.tables]


def score(one: TableSet, release: Callable[[TableSet], Hidden]) -> Score:
    """Release a set and attack what was released."""
    start = time.perf_counter()
    hidden = release(one)
    seconds = (time.perf_counter() - start) / len(one.tables)
    of_all = [
        frozenset(range(len(drawn.table.cells))) if cells is None else cells
        for drawn, cells in zip(one.tables, hidden, strict=True)
    ]
    total = sum(len(drawn.table.cells) for drawn in one.tables)
    lost = [lost_share(d.table, cells) for d, cells in zip(one.tables, of_all, strict=True)]
    return Score(
        len(recover(one, hidden)),
        1 - sum(map(len, of_all)) / total,
        1 - statistics.mean(lost),
        any(of_all),
        None in hidden,
        seconds,
    )


def tell(title: str, scores: Sequence[Score]) -> None:
    """Print one line."""
    print(
        f"  {title:34} sets {len(scores):4}"
        f"  recovered in {sum(one.recovered > 0 for one in scores):4} ({sum(one.recovered for one in scores):5} cells)"
        f"  held {sum(one.held for one in scores):3}  touched {sum(one.touched for one in scores):4}"
        f"  kept {statistics.mean(one.cells for one in scores):6.1%} of cells,"
        f" {statistics.mean(one.weight for one in scores):6.1%} of weight"
        f"  {1000 * statistics.median(one.seconds for one in scores):5.0f} ms a table,"
        f" {1000 * max(one.seconds for one in scores):5.0f} at most"
    )


def main() -> None:
    """Draw, release, attack, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--acro", metavar="PYTHON", help="a Python that has the package acro")
    given = parser.parse_args()
    each = given.sets // len(KINDS)
    for safe in (False, True):
        print("safe" if safe else "unsafe")
        ours: list[Score] = []
        plain: list[Score] = []
        for kind in KINDS:
            sets = [draw_set(kind, given.seed + n, safe=safe) for n in range(each)]
            of_kind = [score(one, release_all) for one in sets]
            plainly = [score(one, release_plainly) for one in sets]
            tell(f"{kind}, ours", of_kind)
            tell(f"{kind}, plain", plainly)
            ours += of_kind
            plain += plainly
        tell("all, ours", ours)
        tell("all, plain", plain)


if __name__ == "__main__":
    main()
