"""The data of a run, looked at once more when it begins: they may have changed meanwhile."""

from __future__ import annotations

from pathlib import Path

from wardbook.domain.run import Failure, FailureKind, RunSpec, SourceFile
from wardbook.files import hash_file


def find_data_failure(folder: Path, spec: RunSpec) -> Failure | None:
    """Return the failure to tell where a source is gone, or is not the version that was asked for.

    A file whose size and time are as they were is not read again.
    """
    for source in spec.sources.values():
        path = folder / source.path
        problem = _find_problem(path, source)
        if problem:
            details = {"file": path.name}
            return Failure(FailureKind.DATA_PROBLEM, problem=problem, details=details)
    return None


def _find_problem(path: Path, source: SourceFile) -> str | None:
    try:
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) == (source.size, source.mtime_ns):
            return None
        return None if hash_file(path) == source.sha256 else "file_changed"
    except OSError:
        return "file_missing"
