"""Data that changed or went between the laying out of a run and its beginning."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from trial_runs import make_run

from wardbook.domain.output import Sensitivity
from wardbook.domain.run import Failure, FailureKind, SourceFile
from wardbook.engines.failures import describe_failure
from wardbook.engines.warm_engine import WarmEngine
from wardbook.files import hash_file


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine(())) as engine:
        yield engine


def lay_out(folder: Path) -> tuple[Path, Path]:
    """Return a run and its one source, as they are when the run is laid out."""
    stays = folder / "stays.csv"
    stays.write_text("day,n\n2026-01-01,1\n")
    found = stays.stat()
    source = SourceFile(
        str(stays), hash_file(stays), Sensitivity.PUBLIC, found.st_size, found.st_mtime_ns
    )
    count = folder / "count"
    cell = f"open({str(count)!r}, 'a').write('x')"
    return make_run(folder, "run", cell, sources={"stays": source}), stays


@pytest.mark.parametrize("problem", ["file_changed", "file_missing"])
def test_other_data_than_asked_for_are_named_and_nothing_is_executed(
    tmp_path: Path, engine: WarmEngine, problem: str
) -> None:
    run, stays = lay_out(tmp_path)
    if problem == "file_missing":
        stays.unlink()
    else:
        stays.write_text("day,n\n2026-01-01,2\n")
    failure = engine.execute(run).failure
    details = {"file": "stays.csv"}
    assert failure == Failure(FailureKind.DATA_PROBLEM, problem=problem, details=details)
    assert "stays.csv" in describe_failure(failure, "fr").cause
    assert not (tmp_path / "count").exists()


def test_the_same_data_with_another_time_are_good(tmp_path: Path, engine: WarmEngine) -> None:
    run, stays = lay_out(tmp_path)
    os.utime(stays, ns=(1, 1))
    assert engine.execute(run).failure is None
    assert (tmp_path / "count").read_text() == "x"


def test_nothing_of_an_attempt_that_was_cut_off_is_left_beside_the_failure(
    tmp_path: Path, engine: WarmEngine
) -> None:
    run, stays = lay_out(tmp_path)
    (run / "outputs").mkdir()
    (run / "outputs" / "partial.csv").touch()
    (run / "executed.ipynb").write_text("{}")
    stays.unlink()
    assert engine.execute(run).failure is not None
    assert list((run / "outputs").iterdir()) == []
    assert not (run / "executed.ipynb").exists()
