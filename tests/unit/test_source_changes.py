"""A database that is loaded while it is read: what was made of it is thrown away."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pipelines.sources import _forget_changed
from wardbook.datasets.finding import Expected
from wardbook.warehouse.order import Draw, Drawn

NOW = datetime(2026, 1, 1)  # noqa: DTZ001  local, as data are


def test_an_extract_of_a_database_that_changed_meanwhile_is_thrown_away(tmp_path: Path) -> None:
    draws = {
        name: Draw(name, "ward-stays", tmp_path / f"{name}.parquet", Expected(NOW))
        for name in ("same", "loaded")
    }
    for one in draws.values():
        one.file.write_bytes(b"rows")
    drawn = {name: Drawn(rows=1, version="v2") for name in draws}
    _forget_changed(draws, drawn, {"same": "v2", "loaded": "v1"})
    assert drawn["same"] == Drawn(rows=1, version="v2")
    assert draws["same"].file.exists()
    problem = drawn["loaded"].problem
    assert problem is not None
    assert (problem.code, problem.details) == ("source_changed", {"file": "loaded"})
    assert not draws["loaded"].file.exists()
