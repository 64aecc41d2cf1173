"""What an executed notebook tells about its failure: positions, names and codes, never a value.

The text of a traceback holds values of the data. Of it only the line's number is taken; everything
else comes from the exception's class name and from the structured problem that
`wardbook.notebook.display` shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wardbook.domain.run import Failure, FailureKind
from wardbook.notebook.display import PROBLEM_TYPE

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(r"^\s*Cell In\[(\d+)\], line (\d+)\b", re.MULTILINE)
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_LONGEST_DETAIL = 200


def read_notebook(file: Path) -> Mapping[str, Any] | None:
    """Read a notebook as it was left, or None when it is missing or was cut while written."""
    try:
        notebook = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return notebook if isinstance(notebook, dict) else None


def find_failure(notebook: Mapping[str, Any]) -> Failure | None:
    """Return the first error that a cell of the executed notebook shows, or None."""
    for number, cell in _code_cells(notebook):
        outputs = cell.get("outputs", [])
        for error in outputs:
            if error.get("output_type") == "error":
                return _name_failure(number, cell, error)
    return None


def find_unfinished_cell(notebook: Mapping[str, Any]) -> int | None:
    """Return the cell in which the notebook was cut off, or None."""
    for number, cell in _code_cells(notebook):
        metadata = cell.get("metadata", {})
        # The second word is papermill's, which drives kernels.
        for word in (metadata.get("wardbook", {}), metadata.get("papermill", {})):
            if word.get("status") in ("unfinished", "running", "failed"):
                return number
    return None


def _code_cells(notebook: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return enumerate((c for c in notebook["cells"] if c["cell_type"] == "code"), 1)


def _name_failure(number: int, cell: Mapping[str, Any], error: Mapping[str, Any]) -> Failure:
    name = str(error.get("ename", ""))
    error_class = name if _CLASS.fullmatch(name) else None
    line = _find_line(error.get("traceback", []), cell)
    for output in cell["outputs"]:
        problem = output.get("data", {}).get(PROBLEM_TYPE)
        if isinstance(problem, dict) and _CODE.fullmatch(str(problem.get("code"))):
            details = _take_details(problem.get("details"))
            kind = FailureKind.DATA_PROBLEM
            return Failure(kind, number, line, error_class, problem["code"], details)
    wanted_memory = name.endswith("MemoryError")
    kind = FailureKind.OUT_OF_MEMORY if wanted_memory else FailureKind.CELL_ERROR
    return Failure(kind, number, line, error_class)


def _find_line(traceback: list[str], cell: Mapping[str, Any]) -> int | None:
    """Return the last line that the traceback names in the failing cell itself."""
    found = (_LINE.findall(_COLOUR.sub("", part)) for part in traceback)
    execution = cell.get("execution_count")
    lines = [int(line) for part in found for count, line in part if int(count) == execution]
    return lines[-1] + _count_leading_blank_lines(cell) if lines else None


def _count_leading_blank_lines(cell: Mapping[str, Any]) -> int:
    # IPython drops them before it counts.
    source = "".join(cell.get("source", ""))
    return source[: len(source) - len(source.lstrip())].count("\n")


def _take_details(details: object) -> dict[str, str | int]:
    if not isinstance(details, dict):
        return {}
    return {
        name: value
        for name, value in details.items()
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= _LONGEST_DETAIL)
    }
