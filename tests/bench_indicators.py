"""Incidence and positivity of 50 million rows of single tests, against DuckDB alone and pandas.

    python -m tests.bench_indicators [--rows N] [--day N]

Writes a year of rows in ten files, then a later day in one file more, into a temporary folder
(about 0.3 GB, removed afterwards). Each side runs in a process of its own, whose peak memory the
system tells:

    bare        DuckDB's group-by that every answer needs, over the rows: day, department, age
                class, sex; tests and positives
    ours        the same rows into a new store of counts, then all indicators of the template
    pandas      the rows into a frame, the same group-by, the same indicators
    day         one more day into the store, with the past's rows and counts moved away
    again       all indicators of the store, the new day among them

Ratios are of one run; bare and ours take turns, three times, and their medians are compared.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from wardbook.datasets.test_counts import AGES
from wardbook.epidemic import comparison, population, rates
from wardbook.epidemic.counting import integrate, load_counts
from wardbook.epidemic.geography import expected_departments
from wardbook.epidemic.sidep import KEY, TestCounts

FIRST = date(2021, 1, 1)
DAYS, FILES = 365, 10
REPEATS = 3
BARE = f"""
    SELECT day, department,
        CASE {" ".join(f"WHEN age < {10 * n} THEN '{a}'" for n, a in enumerate(AGES[:-1], 1))}
             ELSE '{AGES[-1]}' END AS age,
        sex, count(*) AS tests, count(*) FILTER (WHERE positive) AS positives
    FROM read_parquet(?) GROUP BY ALL
"""


def write_rows(file: Path, rows: int, first: date, days: int, seed: int) -> None:
    """Write single tests, fewer on weekends, more positive in spring."""
    random = np.random.default_rng(seed)
    writer = None
    for start in range(0, rows, 1_000_000):
        count = min(1_000_000, rows - start)
        codes = sorted(expected_departments())
        weights = np.array(
            [1.0 if (first + timedelta(n)).weekday() < 5 else 0.4 for n in range(days)]
        )
        day = random.choice(days, count, p=weights / weights.sum()).astype("int32")
        age = np.minimum(random.gamma(4, 11, count), 105).astype("int8")
        chance = 0.05 + 0.04 * np.sin((day + (first - FIRST).days) / 58) + 0.0004 * age
        table = pa.table(
            {
                "day": pa.array(day + (first - date(1970, 1, 1)).days, pa.int32()).cast(
                    pa.date32()
                ),
                "department": pa.DictionaryArray.from_arrays(
                    pa.array(random.integers(0, len(codes), count, dtype="int8")), codes
                ),
                "age": age,
                "sex": pa.DictionaryArray.from_arrays(
                    pa.array((random.random(count) < 0.46).astype("int8")), ["F", "M"]
                ),
                "positive": random.random(count) < chance,
            }
        )
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def measure_all(tests: TestCounts) -> dict[str, pd.DataFrame]:
    """Return every table of the template."""
    people = population.shipped_population().within(tests.rows["department"].unique())
    tables = {"daily": rates.measure_days(tests, people)}
    tables["standardised"] = rates.standardise(tests, people)
    tables["comparison"] = comparison.compare_positivity(tests)
    for by in ("", "department", "age", "sex"):
        tables[f"{by}_weekly"] = rates.measure_weeks(tests, people, by)
    for by in ("", "department"):
        tables[f"{by}_sliding"] = rates.measure_windows(tests, people, by)
    return tables


def count_with_pandas(files: list[Path]) -> TestCounts:
    """Return the counts of the rows, made by pandas."""
    rows = pd.read_parquet(files)
    edges = [-1, *(int(age) for age in AGES[:-1]), 200]
    rows["age"] = pd.cut(rows["age"], edges, labels=list(AGES))
    keys = ["day", "department", "age", "sex"]
    sums = rows.groupby(keys, observed=True)["positive"].agg(["size", "sum"]).reset_index()
    sums.columns = pd.Index([*KEY, "tests", "positives"])
    sums["date"] = sums["date"].astype("datetime64[us]")
    for column in KEY[1:]:
        sums[column] = sums[column].astype("str").astype("category")
    return TestCounts(sums, frozenset({"department", "age", "sex"}))


def run_bare(folder: Path) -> None:
    """Count with DuckDB alone."""
    import duckdb

    files = [str(file) for file in sorted((folder / "rows").glob("*.parquet"))]
    duckdb.execute(BARE, [files]).to_arrow_table()


def run_ours(folder: Path) -> None:
    """Count into a new store, and measure all."""
    store = Path(tempfile.mkdtemp(prefix="store-", dir=folder))
    for file in sorted((folder / "rows").glob("*.parquet")):
        integrate(store, file.stem, file)
    save(measure_all(load_counts(store)), folder / "ours.json")
    if not (folder / "store").exists():
        store.rename(folder / "store")


def run_pandas(folder: Path) -> None:
    """Count with pandas, and measure all."""
    counts = count_with_pandas(sorted((folder / "rows").glob("*.parquet")))
    save(measure_all(counts), folder / "pandas.json")


def run_day(folder: Path) -> None:
    """Integrate one more day."""
    integrate(folder / "store", "new", folder / "new.parquet")


def run_again(folder: Path) -> None:
    """Measure all from the store."""
    save(measure_all(load_counts(folder / "store")), folder / "again.json")


SIDES: dict[str, Callable[[Path], None]] = {
    "bare": run_bare,
    "ours": run_ours,
    "pandas": run_pandas,
    "day": run_day,
    "again": run_again,
}


def save(tables: dict[str, pd.DataFrame], file: Path) -> None:
    """Write the tables so that two sides can be compared."""
    file.write_text(json.dumps({n: t.to_csv(index=False) for n, t in tables.items()}))


Took = tuple[float, float, float]


def run_side(side: str, folder: Path) -> Took:
    """Return the seconds that a side took without its imports, of clock and of processor, and its
    peak memory in GB.
    """
    command = [
        sys.executable,
        "-m",
        "tests.bench_indicators",
        "--side",
        side,
        "--folder",
        str(folder),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, processor, peak = map(float, done.stdout.split()[-3:])
    return seconds, processor, peak


def time_side(side: str, folder: Path) -> None:
    """Run one side in this process and print what it took."""
    begun, used = time.perf_counter(), time.process_time()
    SIDES[side](folder)
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(f"{seconds} {processor} {peak}\n")


def compare(folder: Path, rows: int, day_rows: int) -> dict[str, Any]:
    """Write the rows, run all sides, and return what they took."""
    (folder / "rows").mkdir()
    for number in range(FILES):
        first = number * DAYS // FILES
        days = (number + 1) * DAYS // FILES - first
        file = folder / "rows" / f"{number:02}.parquet"
        write_rows(file, rows // FILES, FIRST + timedelta(first), days, number)
    write_rows(folder / "new.parquet", day_rows, FIRST + timedelta(DAYS), 1, 99)
    turns = [(run_side("bare", folder), run_side("ours", folder)) for _ in range(REPEATS)]
    found = {"bare": median([t[0] for t in turns]), "ours": median([t[1] for t in turns])}
    found["pandas"] = run_side("pandas", folder)
    same = (folder / "ours.json").read_text() == (folder / "pandas.json").read_text()
    away = folder / "away"
    away.mkdir()
    (folder / "rows").rename(away / "rows")
    counts = sorted((folder / "store" / "counts").glob("*.parquet"))
    for file in counts:
        file.rename(away / file.name)
    found["day"] = run_side("day", folder)
    for file in counts:
        (away / file.name).rename(file)
    found["again"] = run_side("again", folder)
    return {"took": found, "same": same}


def median(turns: list[Took]) -> Took:
    """Return the median seconds and the highest peak."""
    clock, processor, peaks = zip(*turns, strict=True)
    return statistics.median(clock), statistics.median(processor), max(peaks)


def main() -> None:
    """Print what each side took and the ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_indicators")
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--day", type=int, default=5_000_000)
    parser.add_argument("--side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    if chosen.side:
        time_side(chosen.side, chosen.folder)
        return
    with tempfile.TemporaryDirectory(prefix="bench-indicators-") as folder:
        result = compare(Path(folder), chosen.rows, chosen.day)
    took = result["took"]
    sys.stdout.write(
        f"{chosen.rows:,} rows\n{'side':8} {'seconds':>8} {'processor':>9} {'peak GB':>8}\n"
    )
    for side, (seconds, processor, peak) in took.items():
        sys.stdout.write(f"{side:8} {seconds:8.2f} {processor:9.2f} {peak:8.2f}\n")
    sys.stdout.write(
        f"ours / bare    {took['ours'][0] / took['bare'][0]:6.2f}  (at most 1.5)"
        f"   of the processor {took['ours'][1] / took['bare'][1]:6.2f}\n"
        f"pandas / ours  {took['pandas'][0] / took['ours'][0]:6.2f}  (at least 8)"
        f"     of the processor {took['pandas'][1] / took['ours'][1]:6.2f}\n"
        f"ours and pandas give the same tables: {result['same']}\n"
    )


if __name__ == "__main__":
    main()
