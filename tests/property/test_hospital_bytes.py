"""The same patients, seed and parts give the same hospital; no part changes another's rows."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from wardbook.hospital.building import build_hospital
from wardbook.hospital.building.people import draw_batch
from wardbook.hospital.parts import PARTS, load_parts
from wardbook.omop.tables import TABLES

# Compressed files may look like anything, a canary's digits too.
pytestmark = pytest.mark.secure("*.duckdb", "*.parquet")
PATIENTS, SEED = 250, 11
ELSEWHERE = f"""
import sys
from pathlib import Path
import pyarrow
from wardbook.hospital.building import build
pyarrow.set_cpu_count(1)
build.BATCH_PERSONS = 100
build.build_hospital(Path(sys.argv[1]), patients={PATIENTS}, seed={SEED})
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hospital of three batches."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wardbook.hospital.building.build.BATCH_PERSONS", 100)
        build_hospital(folder, patients=PATIENTS, seed=SEED)
    return folder


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file but DuckDB's, which leaves chance in its unused bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".duckdb"
    }


def test_another_process_with_one_thread_writes_the_same_bytes(built: Path, tmp_path: Path) -> None:
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_IO_THREADS"), "1")
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, tmp_path / "again"],
        check=True,
        env={**os.environ, **one, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "9"},
    )
    assert digests(tmp_path / "again") == digests(built)
    assert len(digests(built)) == len(TABLES) + 3  # beds, truth and labels


def test_another_seed_is_another_hospital(built: Path, tmp_path: Path) -> None:
    build_hospital(tmp_path, patients=PATIENTS, seed=SEED + 1)
    same = digests(built).items() & digests(tmp_path).items()
    fixed = {f"cdm/{table}.parquet" for table in ("care_site", "concept", "location")}
    empty = {f"cdm/{name}.parquet" for name in TABLES if not len(rows_of(built, name))}
    assert {name for name, _ in same} == {*fixed, *empty, "beds.csv"}


def rows_of(folder: Path, table: str) -> pd.DataFrame:
    with duckdb.connect() as connection:
        return connection.read_parquet(str(folder / "cdm" / f"{table}.parquet")).df()


def test_duckdb_has_the_rows_of_the_parquet_in_their_order(built: Path) -> None:
    with duckdb.connect(str(built / "hospital.duckdb"), read_only=True) as connection:
        for table in TABLES:
            pd.testing.assert_frame_equal(connection.table(table).df(), rows_of(built, table))


@pytest.mark.parametrize("name", PARTS)
def test_a_part_keeps_nothing_between_batches_and_changes_none(name: str) -> None:
    part = load_parts((name,))[name]
    first = part.draw(draw_batch(SEED, 1, 101, 100))
    part.draw(draw_batch(SEED, 0, 1, 100))
    batch = draw_batch(SEED, 1, 101, 100)
    other = draw_batch(SEED, 1, 101, 100)
    again = part.draw(batch)
    assert first.keys() == again.keys()
    for table, rows in first.items():
        pd.testing.assert_frame_equal(again[table], rows)
    for mine, untouched in ((batch.persons, other.persons), (batch.visits, other.visits)):
        pd.testing.assert_frame_equal(mine, untouched)
    pd.testing.assert_frame_equal(batch.stays, other.stays)


def test_visits_are_the_same_whichever_parts_draw(built: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wardbook.hospital.building.build.BATCH_PERSONS", 100)
        build_hospital(tmp_path, patients=PATIENTS, seed=SEED, parts=("notes",))
    tables = ("person", "visit_occurrence", "visit_detail", "note", "location", "care_site")
    for table in tables:
        file = f"cdm/{table}.parquet"
        assert digests(tmp_path)[file] == digests(built)[file]
    assert not (rows_of(tmp_path, "drug_exposure").size)
    assert not (tmp_path / "truth.json").read_text().count('"chronic"')


def test_the_first_whole_batches_of_a_larger_hospital_are_the_same(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wardbook.hospital.building.build.BATCH_PERSONS", 100)
    build_hospital(tmp_path, patients=PATIENTS + 100, seed=SEED, parts=("stays",))
    few, more = rows_of(built, "visit_detail"), rows_of(tmp_path, "visit_detail")
    shared = few["person_id"] <= 200
    pd.testing.assert_frame_equal(few[shared], more[more["person_id"] <= 200])
    assert len(more) > len(few) > shared.sum()


@pytest.mark.parametrize("patients", [1, 2, 7])
def test_a_tiny_hospital_is_built_too(patients: int, tmp_path: Path) -> None:
    build_hospital(tmp_path, patients=patients, seed=1)
    assert len(rows_of(tmp_path, "person")) == patients


def test_a_build_that_stops_leaves_the_hospital_that_was_there(tmp_path: Path) -> None:
    build_hospital(tmp_path, patients=20, seed=1, parts=("notes",))
    before = digests(tmp_path)

    def stop(done: int) -> None:
        raise KeyboardInterrupt(done)

    with pytest.raises(KeyboardInterrupt):
        build_hospital(tmp_path, patients=20, seed=2, progress=stop)
    assert digests(tmp_path) == before
    build_hospital(tmp_path, patients=20, seed=1, parts=("stays",))
    assert not (tmp_path / "truth-notes.parquet").exists(), "labels of the hospital before"
