"""What deciding costs when nothing changed, from a cold process: part of `make bench`.

`wardbook why --json` over a ledger of requests that were all run already, each in a new interpreter
with its bytecode compiled. Prints medians of seven and ratios to a bare interpreter's start.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from answered_unit import answered, circumstances_of, lay_out_unit, write_records
from bench import ROUNDS, WARDBOOK, call, measure, show

SOURCE_BYTES = 2_000_000


def lay_out(folder: Path, count: int, url: str | None) -> tuple[Path, str]:
    """Write a unit with `count` answered requests; returns its settings' file and its ledger."""
    folder.mkdir()
    settings = lay_out_unit(folder, size=SOURCE_BYTES)
    time.sleep(2.1)  # younger data would be read again, as long as their stamp may be racy
    now = circumstances_of(settings)
    url = url or settings.ledger
    write_records(url, [answered(now, number) for number in range(1, count + 1)])
    return folder / "wardbook.toml", url


def decide(file: Path, url: str) -> list[dict[str, object]]:
    os.environ["WARDBOOK_LEDGER_URL"] = url
    told: list[dict[str, object]] = json.loads(
        call(*WARDBOOK, "--settings", file, "why", "--json").stdout
    )
    return told


def processor_seconds() -> float:
    """Return the processor time of all children that have ended: no other load is in it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgresql", help="URL of an empty database with {count} in its name")
    options = parser.parse_args()
    bare = measure(lambda: call(sys.executable, "-c", "pass"))
    median = statistics.median(bare)
    show("a bare interpreter's start", bare, median)
    for count in (1_000, 10_000):
        urls = {"SQLite": None}
        if options.postgresql:
            urls["PostgreSQL"] = options.postgresql.format(count=count)
        for name, url in urls.items():
            with tempfile.TemporaryDirectory(prefix="wbdecide") as scratch:
                file, ledger = lay_out(Path(scratch) / "unit", count, url)
                told = decide(file, ledger)
                rests = sum(one["runs"] == "no" and not one["changes"] for one in told)
                before = processor_seconds()
                seconds = measure(partial(decide, file, ledger))
                busy = (processor_seconds() - before) / (ROUNDS + 1)
                show(f"{count} requests decided, {name}", seconds, median)
                print(
                    f"    {busy:.2f} s of processor time; {len(told)} decided, "
                    f"{rests} of them unchanged and at rest"
                )


if __name__ == "__main__":
    main()
