"""Where the engine stands against papermill: `python -m tests.corpus.check`.

Executes the corpus on both sides, prints a line for each notebook and then the differences.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from tests.corpus.compare import Executed
from tests.corpus.reading import Case, read_corpus
from tests.corpus.reference import Reference
from tests.corpus.sides import execute_reference, execute_with_engine, find_differences
from wardbook.engines import Engine, open_engine

_JUDGED_BY = ("papermill", "nbclient", "ipykernel", "ipython", "pandas", "matplotlib")


@dataclass(frozen=True)
class Row:
    """One notebook: what differs, and the seconds that each side took."""

    case: Case
    differences: list[str]
    reference_seconds: float
    engine_seconds: float


def main() -> None:
    """Compare what the command line asks for."""
    wanted = _parse()
    cases = [c for c in read_corpus().values() if _is_wanted(c, wanted.only)]
    work = Path(tempfile.mkdtemp(prefix="corpus-"))
    rows: list[Row] = []
    try:
        for row in _compare_all(cases, wanted, work):
            rows.append(row)
            mark = "DIFFERS" if row.differences else "same"
            times = f"{row.reference_seconds:6.2f} s {row.engine_seconds:6.2f} s"
            note = f"  (to a kernel: {row.case.hands_over})" if row.case.hands_over else ""
            print(f"{mark:8} {times}  {row.case.theme:20} {row.case.name}{note}", flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    different = [row for row in rows if row.differences]
    for row in different:
        print(f"\n{'=' * 20} {row.case.name}: {row.case.what}")
        print("\n".join(row.differences[: wanted.lines]))
    print(f"\n{len(rows)} notebooks, {len(different)} differ:")
    print(*(row.case.name for row in different))
    raise SystemExit(bool(different))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus.check", description=__doc__)
    parser.add_argument("--only", nargs="+", default=["*"], metavar="NAME", help="names, with *")
    parser.add_argument("--engine", choices=["warm", "kernel", "reference"], default="warm")
    parser.add_argument("--keep", type=Path, help="a folder where the reference's notebooks stay")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--lines", type=int, default=60, help="of each difference")
    return parser.parse_args()


def _is_wanted(case: Case, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatch(name, p) for p in patterns for name in (case.name, case.theme))


def _compare_all(cases: list[Case], wanted: argparse.Namespace, work: Path) -> Iterator[Row]:
    with _open_sides(wanted.workers) as (references, engine):

        def judge(case: Case) -> Row:
            (work / case.name).mkdir()
            reference = references.pop()
            try:
                started = time.monotonic()
                expected = _find_expected(case, reference, work / case.name / "ref", wanted.keep)
                between = time.monotonic()
                other = work / case.name / "run"
                if wanted.engine == "reference":
                    found = execute_reference(case, reference, other)
                else:
                    found = execute_with_engine(case, engine, other, wanted.engine)
                ended = time.monotonic()
            finally:
                references.append(reference)
            differences = find_differences(case, expected, found)
            shutil.rmtree(work / case.name)
            return Row(case, differences, between - started, ended - between)

        with ThreadPoolExecutor(wanted.workers) as pool:
            yield from pool.map(judge, cases)


@contextmanager
def _open_sides(workers: int) -> Iterator[tuple[list[Reference], Engine]]:
    references = [Reference() for _ in range(workers)]
    engine = open_engine()
    try:
        yield references, engine
    finally:
        engine.close()
        for reference in references:
            reference.close()


def _find_expected(case: Case, reference: Reference, folder: Path, keep: Path | None) -> Executed:
    """Execute the reference, or take what it left the last time with the same libraries."""
    if keep is None:
        return execute_reference(case, reference, folder)
    judged_by = ",".join(f"{name} {version(name)}" for name in _JUDGED_BY)
    digest = sha256((judged_by + case.kernel + case.text).encode()).hexdigest()[:16]
    kept = keep / f"{case.name}-{digest}.json"
    if not kept.exists():
        keep.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(asdict(execute_reference(case, reference, folder))))
    return Executed(**json.loads(kept.read_text()))


if __name__ == "__main__":
    main()
