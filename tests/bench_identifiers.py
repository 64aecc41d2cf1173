"""How fast the search for identifiers is on clean text; `python -m tests.bench_identifiers`."""

from __future__ import annotations

import statistics
import time
from random import Random

from tests.identifier_corpus.clean import PROSE, WARDS
from tests.identifier_corpus.people import invent_people
from wardbook.identifiers.context import Context
from wardbook.identifiers.fragments import make_table
from wardbook.identifiers.name_index import NameIndex
from wardbook.identifiers.scanning import scan
from wardbook.identifiers.searching import scan_fragments

SIZE = 1_000_000
REPEATS = 5


def make_texts(random: Random) -> dict[str, str]:
    """Return about a megabyte each of prose, of a table and of JSON, with nothing to find."""
    prose = " ".join(random.choice(PROSE) for _ in range(SIZE // 80))
    rows = "\n".join(
        f"2024-{random.randint(1, 12):02}-{random.randint(1, 28):02};{random.choice(WARDS)};"
        f"{random.randint(11, 99999)};{random.random():.6f};{random.random() * 9:.2f}"
        for _ in range(SIZE // 45)
    )
    points = ",".join(f'{{"x": {n}, "y": {random.random():.5f}}}' for n in range(SIZE // 26))
    return {"prose": prose, "table": rows, "JSON": f"[{points}]"}


def main() -> None:
    random = Random(1)
    context = Context(
        cohort=NameIndex.of((one.surname, one.first) for one in invent_people(random, 5000))
    )
    for name, text in make_texts(random).items():
        took = []
        for _ in range(REPEATS):
            start = time.process_time()
            found = scan(text, context=context)
            took.append(time.process_time() - start)
        rate = len(text.encode()) / statistics.median(took) / 1e6
        print(f"{name:<8}{rate:6.1f} MB/s of processor time, {len(found)} found")
    rows = [["day", "ward", "birth_year", "n", "rate"]]
    rows += [[f"2024-01-{n % 28 + 1:02}", WARDS[n % 9], "1954", str(n), "0.5"] for n in range(5000)]
    start = time.process_time()
    scan_fragments([make_table(rows)], context=context)
    print(f"table of 5,000 rows, cell by cell: {time.process_time() - start:.3f} s")


if __name__ == "__main__":
    main()
