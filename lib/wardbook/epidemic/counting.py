"""Rows of single tests, counted once a day and never read again.

    python -m wardbook.epidemic.counting --store DIR [--add NAME=FILE …] [--out FILE]

A store is a folder: `counts/DIGEST.parquet` for each input that was integrated, and
`manifest.json`, which says which input each belongs to. An input is what one file of rows brings,
as a rule one day's: columns day, department, age, sex, positive (see `row_counts`). It may
hold late rows of earlier days: what it has of them is added. The same input in a corrected version
takes the place of its earlier one, and of nothing else. The past is not read for either.

An input is in the store whole or not at all: its counts are written under a name that nobody knows,
and the manifest that names them is replaced in one step. Counts whose digest is not the manifest's
are refused.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from pyarrow.dataset import dataset

from wardbook.datasets.test_counts import DATASET
from wardbook.epidemic.rates import sum_rows
from wardbook.epidemic.row_counts import count_rows
from wardbook.epidemic.sidep import COUNTS, KEY, TestCounts
from wardbook.errors import DataProblem, Refusal
from wardbook.files import hash_file, write_atomically

MANIFEST, FOLDER, FORM = "manifest.json", "counts", 1


class StoreDamaged(Refusal):
    """A store whose manifest cannot be read, or whose counts are not those that it names."""


@dataclass(frozen=True)
class Input:
    """One integrated input: digests of its rows' file and of its counts, first and last day."""

    rows_sha256: str
    counts: str
    counts_sha256: str
    tests: int
    first: str
    last: str


def integrate(store: Path, name: str, rows: Path) -> bool:
    """Count a file of rows into a store, in the place of what the input `name` brought before.

    Args:
        store: its folder, made if missing.
        name: the input, such as `2021-03-05`.
        rows: the Parquet file.

    Returns:
        Whether anything was new: False for the file that is there already.

    Raises:
        DataProblem: the rows are not what they promise, or are another input's already.
        StoreDamaged: the manifest cannot be read.
    """
    (store / FOLDER).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as aside, _alone(store):
        digesting = aside.submit(hash_file, rows)
        known = read_manifest(store)
        if name in known and known[name].rows_sha256 == digesting.result():
            return False
        frame = count_rows(rows)  # beside the digest, which takes as long as a third of it
        digest = digesting.result()
        twins = [n for n, one in known.items() if one.rows_sha256 == digest]
        if twins:
            raise DataProblem("input_twice", file=rows.name, other=twins[0])
        entry = _keep_counts(store, frame, digest)
        _write_manifest(store, {**known, name: entry})
        _sweep(store)
    return True


def load_counts(store: Path) -> TestCounts:
    """Return the counts of all inputs; several may have rows of the same day, to be summed.

    Raises:
        StoreDamaged: a file of counts is missing or is not the one that the manifest names.
        DataProblem: the store is empty.
    """
    known = read_manifest(store)
    if not known:
        raise DataProblem("no_rows", file=store.name)
    files = [str(_verify(store, entry)) for entry in known.values()]
    table = dataset(files).to_table()
    for column in KEY[1:]:
        place = table.column_names.index(column)
        table = table.set_column(
            place, column, table[column].dictionary_encode().unify_dictionaries()
        )
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    frame["date"] = frame["date"].astype("datetime64[us]")
    for column in KEY[1:]:
        categories = frame[column].cat.categories
        frame[column] = frame[column].cat.set_categories(sorted(categories))
    undetermined = int(frame.pop("undetermined").sum())
    dimensions = frozenset({"department", "age", "sex"})
    return TestCounts(frame, dimensions, odd={"undetermined": undetermined})


def export_counts(store: Path, out: Path) -> None:
    """Write the sums of all inputs, by the key, as a Parquet file of the dataset test-counts.

    The persons of a week are not known from rows without persons: those columns are empty.
    """
    frame = sum_rows(load_counts(store).rows, KEY[1:], COUNTS)
    frame = frame.astype(dict.fromkeys(KEY[1:], "str"))
    empty = dict.fromkeys(DATASET.names[-3:], pd.array([pd.NA] * len(frame), dtype="Int64"))
    frame.assign(**empty)[list(DATASET.names)].to_parquet(out, index=False)


def read_manifest(store: Path) -> dict[str, Input]:
    """Return the integrated inputs by name; none where there is no store yet.

    Raises:
        StoreDamaged: the manifest cannot be read.
    """
    file = store / MANIFEST
    if not file.exists():
        return {}
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        if raw["form"] != FORM:
            raise ValueError(raw["form"])
        return {name: Input(**entry) for name, entry in raw["inputs"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        raise StoreDamaged(
            f"{file}: not a manifest of this form. Put it back from a copy, or build it anew."
        ) from None


def _keep_counts(store: Path, frame: pd.DataFrame, digest: str) -> Input:
    """Write the counts of a file of rows; the store has them once the manifest names them."""
    part = store / FOLDER / f".{digest[:16]}.part"
    try:
        frame.to_parquet(part, index=False, compression="zstd")
        counts_digest = hash_file(part)
        name = f"{counts_digest[:32]}-{digest[:16]}.parquet"
        part.replace(store / FOLDER / name)
    finally:
        part.unlink(missing_ok=True)
    first, last = (day.date().isoformat() for day in (frame["date"].min(), frame["date"].max()))
    return Input(digest, name, counts_digest, int(frame["tests"].sum()), first, last)


@contextmanager
def _alone(store: Path) -> Iterator[None]:
    """Keep others from integrating at the same time."""
    with (store / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _verify(store: Path, entry: Input) -> Path:
    file = store / FOLDER / entry.counts
    if not file.is_file() or hash_file(file) != entry.counts_sha256:
        raise StoreDamaged(
            f"{file}: missing, or not the counts that were written. Integrate its rows anew."
        )
    return file


def _write_manifest(store: Path, inputs: Mapping[str, Input]) -> None:
    raw = {"form": FORM, "inputs": {name: asdict(inputs[name]) for name in sorted(inputs)}}
    write_atomically(store / MANIFEST, json.dumps(raw, indent=1), mode=0o640)


def _sweep(store: Path) -> None:
    """Remove counts that no input has: of an earlier version, or of a process that was killed."""
    used = {entry.counts for entry in read_manifest(store).values()}
    for file in (store / FOLDER).iterdir():
        if file.name not in used:
            file.unlink()


def _quote(path: Path) -> str:
    return str(path).replace("'", "''")


def main(arguments: Sequence[str] | None = None) -> None:
    """Integrate files into a store, and write its sums."""
    parser = argparse.ArgumentParser(prog="python -m wardbook.epidemic.counting")
    parser.add_argument("--store", type=Path, required=True, help="folder, made if missing")
    parser.add_argument("--add", action="append", default=[], metavar="NAME=FILE", help="an input")
    parser.add_argument("--out", type=Path, help="Parquet file for the source `tests`")
    chosen = parser.parse_args(arguments)
    for given in chosen.add:
        name, _, file = given.partition("=")
        done = integrate(chosen.store, name, Path(file))
        sys.stdout.write(f"{name}: {'counted' if done else 'there already'}\n")
    if chosen.out:
        export_counts(chosen.store, chosen.out)


if __name__ == "__main__":
    main()
