"""A small hospital that all tests share: built once in a run, whichever worker asks first."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

PATIENTS, SEED = 3_000, 7


@pytest.fixture(scope="session")
def small_hospital(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return the DuckDB database; `cdm/*.parquet` and `truth.json` stand beside it. Read only."""
    base = tmp_path_factory.getbasetemp()
    # On the secure side: compressed files may look like anything, a canary's digits too.
    folder = (base if worker_id == "master" else base.parent) / "data" / "small-hospital"
    folder.mkdir(parents=True, exist_ok=True)
    built = folder / "built"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            from wardbook.hospital.building import build_hospital

            build_hospital(folder, patients=PATIENTS, seed=SEED)
            built.touch()
    return folder / "hospital.duckdb"
