"""What leaves of a run: its outputs as they were checked, some of its tables cut.

Where a table is cut, the folder `leaving` beside `outputs` holds all files as they leave, and which
rows of which table show nothing. It is written whole and by rename.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wardbook.domain.output import Output

FOLDER = "leaving"
_INDEX = "cut.json"


def write_leaving(
    run: Path, outputs: Sequence[Output], cut: Mapping[str, tuple[bytes, frozenset[int]]]
) -> None:
    """Write a run's outputs as they leave, with the new content and hidden rows of those cut.

    Args:
        run: the run's folder.
        outputs: what the run recorded.
        cut: by name of the output.
    """
    folder, part = run / FOLDER, run / f".{FOLDER}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(run / "outputs", part)
    for output in outputs:
        if output.name in cut:
            (part / output.file).write_bytes(cut[output.name][0])
    rows = {name: sorted(hidden) for name, (_, hidden) in cut.items()}
    (part / _INDEX).write_text(json.dumps(rows), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def hidden_rows(run: Path) -> dict[str, frozenset[int]]:
    """Return which rows of which outputs of a run are not shown; nothing where none is cut."""
    try:
        found = json.loads((run / FOLDER / _INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: frozenset(rows) for name, rows in found.items()}


def read_leaving(run: Path, outputs: Sequence[Output]) -> tuple[Path, tuple[Output, ...]]:
    """Return the folder of a run's outputs as they leave, and what they are then."""
    cut = hidden_rows(run)
    if not cut:
        return run / "outputs", tuple(outputs)
    return run / FOLDER, tuple(
        _measure(run / FOLDER, output) if output.name in cut else output for output in outputs
    )


def _measure(folder: Path, output: Output) -> Output:
    content = (folder / output.file).read_bytes()
    return replace(output, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
