"""Files read in a process of their own, which may use so much memory and time and no more.

The readers keep to their bounds; this one holds for the libraries under them, and for what nobody
thought of: a damaged Parquet file can end pyarrow's process with a segmentation fault. A file that
ends its process is refused, and the next is read all the same.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wardbook.artefacts.bounds import MIB, Bounds
from wardbook.artefacts.finding import Fragment, Grid, Problem, Reading
from wardbook.artefacts.read import read_file

MEMORY = 1024 * MIB
SECONDS = 20
_ANSWER = 512 * MIB


def read_apart(
    files: Sequence[Path], bounds: Bounds | None = None, *, seconds: int = SECONDS
) -> tuple[Reading, ...]:
    """Return the reading of each file, in order.

    All are read in one process. If it ends badly, each half of them is read again in one of its
    own, so that in the end only the file that ended it is refused (`too_costly`).
    """
    if not files:
        return ()
    found = _read_in_one(files, bounds or Bounds(), seconds)
    if found is not None:
        return found
    if len(files) == 1:
        return (_REFUSED,)
    half = len(files) // 2
    return read_apart(files[:half], bounds, seconds=seconds) + read_apart(
        files[half:], bounds, seconds=seconds
    )


_REFUSED = Reading("unknown", problems=(Problem("too_costly", 1, ""),))


def _read_in_one(files: Sequence[Path], bounds: Bounds, seconds: int) -> tuple[Reading, ...] | None:
    asked = json.dumps({"files": [str(file.resolve()) for file in files],
                        "bounds": asdict(bounds), "seconds": seconds})  # fmt: skip
    # The answer is what patients' files say: memory that no disk ever holds, of bounded size.
    with os.fdopen(os.memfd_create("reading"), "w+b") as answer:
        try:
            ended = subprocess.run(
                [sys.executable, "-m", __name__],
                input=asked.encode(),
                stdout=answer,
                stderr=subprocess.DEVNULL,  # a traceback would show what was read
                env=_environment(),
                cwd="/",
                timeout=2 * seconds + 10,
            )
        except subprocess.TimeoutExpired:
            return None
        if ended.returncode != 0:
            return None
        answer.seek(0)
        return tuple(map(_parse_reading, json.load(answer)))


def _environment() -> Mapping[str, str]:
    library = Path(__file__).resolve().parents[2]
    kept = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(library), "PYTHONUTF8": "1"}
    # One thread: each of pyarrow's and OpenBLAS' would take memory of its own.
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _parse_reading(raw: Any) -> Reading:
    form, fragments, grids, problems = raw
    return Reading(
        form,
        tuple(Fragment(*one) for one in fragments),
        tuple(
            Grid(place, tuple(header), tuple(map(tuple, rows)), points)
            for place, header, rows, points in grids
        ),
        tuple(Problem(*one) for one in problems),
    )


def _write_reading(reading: Reading) -> list[Any]:
    return [
        reading.form,
        [(one.kind, one.place, one.text) for one in reading.fragments],
        [(one.place, one.header, one.rows, one.points) for one in reading.grids],
        [(one.code, one.count, one.place) for one in reading.problems],
    ]


def _answer() -> None:
    asked = json.load(sys.stdin.buffer)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (asked["seconds"], asked["seconds"] + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ANSWER, _ANSWER))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bounds = Bounds(**asked["bounds"])
    found = [_write_reading(read_file(Path(file), bounds)) for file in asked["files"]]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    _answer()
