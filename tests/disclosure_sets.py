"""Measure suppression on 500 unsafe and 500 safe sets of tables.

`python -m tests.disclosure_sets` prints the exact recoveries by an attack of the tests' own
(`plain_attack`), what is held or cut needlessly, how much information is kept and how long it
takes. Beside it stands plain suppression, which hides the unsafe cells alone. ACRO
(https://github.com/AI-SDC/ACRO) does so and then adds the margins up anew without them; with
`--acro PYTHON`, a Python that has the package `acro`, it is asked itself on the sets that it can
make: tables of two dimensions, not rounded.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.acro_tables import Shown, ask_acro, can_be_made
from tests.disclosure_tables import KINDS, TableSet, draw_large, draw_set, find_unsafe
from tests.plain_attack import recover
from wardbook.disclosure.differencing import suppress_beside
from wardbook.disclosure.reader import Reader
from wardbook.disclosure.register import Release, describe_release
from wardbook.disclosure.suppress import lost_share, suppress

NOW = datetime(2026, 4, 1, tzinfo=UTC)
Hidden = list[frozenset[int] | None]


@dataclass(frozen=True)
class Score:
    """What came of one set: recoveries, shares that are shown, seconds of processor time."""

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
    start = time.process_time()
    hidden = release(one)
    seconds = (time.process_time() - start) / len(one.tables)
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


def score_ours(one: TableSet) -> Score:
    """Score what the platform releases of a set."""
    return score(one, release_all)


def score_plain(one: TableSet) -> Score:
    """Score what is released where the unsafe cells alone are suppressed."""
    return score(one, release_plainly)


def tell(title: str, scores: Sequence[Score]) -> None:
    """Print one line."""
    broken, told = sum(one.recovered > 0 for one in scores), sum(one.recovered for one in scores)
    held, touched = sum(one.held for one in scores), sum(one.touched for one in scores)
    print(
        f"  {title:26} sets {len(scores):4}  recovered in {broken:4} ({told:5} cells)"
        f"  held {held:3}  touched {touched:4}"
        f"  kept {statistics.mean(one.cells for one in scores):6.1%} of cells,"
        f" {statistics.mean(one.weight for one in scores):6.1%} of weight"
        f"  {1000 * statistics.median(one.seconds for one in scores):5.0f} ms a table,"
        f" {1000 * max(one.seconds for one in scores):5.0f} at most",
        flush=True,
    )


def score_acro(one: TableSet, shown: Sequence[Shown]) -> Score:
    """Attack what ACRO shows; kept is what it shows with its true value."""
    hidden: Hidden = [of.suppressed for of in shown]
    lost = [of.suppressed | of.changed for of in shown]
    total = sum(len(drawn.table.cells) for drawn in one.tables)
    weights = [lost_share(d.table, cells) for d, cells in zip(one.tables, lost, strict=True)]
    return Score(
        len(recover(one, hidden, useless=[of.changed for of in shown])),
        1 - sum(map(len, lost)) / total,
        1 - statistics.mean(weights),
        any(lost),
        held=False,
        seconds=0.0,
    )


def compare_with_acro(python: str, sets: Sequence[TableSet], ours: Sequence[Score]) -> None:
    """Print what ACRO itself does to the sets that it can make, and ours of the same."""
    pairs = [(one, mine) for one, mine in zip(sets, ours, strict=True) if can_be_made(one)]
    shown = ask_acro(python, [one for one, _ in pairs])
    for kind in KINDS:
        of_kind = [
            (one, mine, its)
            for (one, mine), its in zip(pairs, shown, strict=True)
            if one.kind == kind and its is not None
        ]
        if of_kind:
            tell(f"{kind}, ours, same sets", [mine for _, mine, _ in of_kind])
            tell(f"{kind}, ACRO", [score_acro(one, its) for one, _, its in of_kind])
    print(f"  ACRO raised an error on {shown.count(None)} of {len(shown)} sets")


def measure_large() -> None:
    """Print what a table of 5,000 cells costs, some hundred of them unsafe."""
    for mean in (80, 160, 320):
        table = draw_large(49, 99, mean)
        unsafe = find_unsafe(table, Reader())
        seconds = []
        for _ in range(3):
            start = time.process_time()
            found = suppress(table, unsafe, Reader())
            seconds.append(time.process_time() - start)
        print(
            f"  {len(table.cells)} cells, {len(unsafe)} unsafe: {len(found.suppressed)} suppressed,"
            f" safe: {found.is_safe}, {statistics.median(seconds):.2f} s of processor time"
        )


def main() -> None:
    """Draw, release, attack, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--acro", metavar="PYTHON", help="a Python that has the package acro")
    given = parser.parse_args()
    print("large")
    measure_large()
    each = given.sets // len(KINDS)
    for safe in (False, True):
        print("safe" if safe else "unsafe")
        ours: list[Score] = []
        plain: list[Score] = []
        drawn: list[TableSet] = []
        for kind in KINDS:
            sets = [draw_set(kind, given.seed + n, safe=safe) for n in range(each)]
            with ProcessPoolExecutor() as pool:
                of_kind = list(pool.map(score_ours, sets, chunksize=5))
                plainly = list(pool.map(score_plain, sets, chunksize=5))
            tell(f"{kind}, ours", of_kind)
            tell(f"{kind}, plain", plainly)
            ours += of_kind
            plain += plainly
            drawn += sets
        tell("all, ours", ours)
        tell("all, plain", plain)
        if given.acro:
            compare_with_acro(given.acro, drawn, ours)


if __name__ == "__main__":
    main()
