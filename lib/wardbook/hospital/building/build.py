"""Builds the embedded hospital: Parquet, a DuckDB database of it, the truth and the beds beside."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from wardbook.files import write_atomically
from wardbook.hospital.building.batch import BATCH_PERSONS, FIRST_DAY, LAST_DAY
from wardbook.hospital.building.people import draw_batch
from wardbook.hospital.building.wards import write_beds
from wardbook.hospital.building.writer import LABELS, ParquetWriter
from wardbook.hospital.parts import PARTS, load_parts
from wardbook.omop.tables import TABLES
from wardbook.omop.vocabulary import COMMON, EHR, Concept

DATABASE, TABLES_FOLDER, BEDS, TRUTH = "hospital.duckdb", "cdm", "beds.csv", "truth.json"
MADE = (TRUTH, *(f"{name}.parquet" for name in LABELS), BEDS, DATABASE, TABLES_FOLDER)
"""What a build leaves in its folder, the truth first."""
SOURCE_NAME = "Wardbook's embedded hospital: nobody in it exists"
_DUCKDB_MEMORY = "1GB"


def build_hospital(
    folder: Path,
    *,
    patients: int,
    seed: int,
    parts: Sequence[str] = PARTS,
    progress: Callable[[int], object] = lambda _: None,
) -> Path:
    """Write the hospital into `folder`; see docs/hospital.md for what is in it.

    The same patients, seed and parts give the same Parquet, `beds.csv` and `truth.json`, byte for
    byte; `hospital.duckdb` has the same rows in the same order, but DuckDB leaves chance in the
    unused bytes of its files. Persons are drawn in batches, so memory does not grow with their
    number.

    Args:
        folder: is made. What an earlier build left there is replaced, at the end: a build that
            fails or is stopped leaves it as it was, and `truth.json` stands only where all does.
        patients: how many persons.
        seed: of the random numbers.
        parts: which parts draw; "stays" is always among them.
        progress: told the number of persons after each part of a batch, a batch in even pieces.

    Returns:
        The DuckDB database.
    """
    from wardbook.hospital.parts.stays import fixed_rows  # it imports this package

    drawn = load_parts(tuple(dict.fromkeys(("stays", *parts))))
    with _replacing(folder) as new:
        with ParquetWriter(new) as writer:
            writer.write(fixed_rows())
            concepts = {c.id: c for part in drawn.values() for c in (*COMMON, *part.CONCEPTS)}
            writer.write({"concept": _concepts(list(concepts.values()))})
            writer.write({"cdm_source": _source(seed)})
            for number, first in enumerate(range(1, patients + 1, BATCH_PERSONS)):
                batch = draw_batch(seed, number, first, min(BATCH_PERSONS, patients + 1 - first))
                for count, part in enumerate(drawn.values(), 1):
                    writer.write(batch.leave_out_dead(part.draw(batch)))
                    progress(first - 1 + len(batch.persons) * count // len(drawn))
        _fill_duckdb(new / DATABASE, new / TABLES_FOLDER)
        write_atomically(new / BEDS, write_beds(patients, FIRST_DAY.isoformat()), mode=0o644)
        truth: dict[str, Any] = {"patients": patients, "seed": seed}
        truth |= {name: dict(part.TRUTH) for name, part in drawn.items()}
        write_atomically(new / TRUTH, json.dumps(truth, indent=1, ensure_ascii=False), mode=0o644)
    return folder / DATABASE


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """Yield a new folder; in the end what was made there takes the place of what was before."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=".part") as new:
        yield Path(new)
        for name in MADE:
            old = folder / name
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink(missing_ok=True)
        for name in reversed(MADE):
            if (Path(new) / name).exists():
                (Path(new) / name).rename(folder / name)


def _fill_duckdb(database: Path, tables: Path) -> None:
    import duckdb

    with duckdb.connect(str(database), config={"memory_limit": _DUCKDB_MEMORY}) as connection:
        for table in TABLES:
            connection.execute(
                f"CREATE TABLE {table} AS SELECT * FROM read_parquet(?)",  # noqa: S608  our names
                [str(tables / f"{table}.parquet")],
            )


def _concepts(concepts: Sequence[Concept]) -> pd.DataFrame:
    rows = pd.DataFrame([{**asdict(one), "id": one.id} for one in concepts])
    return pd.DataFrame(
        {
            "concept_id": rows["id"],
            "concept_name": rows["name"],
            "domain_id": rows["domain"],
            "vocabulary_id": rows["vocabulary"],
            "concept_class_id": rows["domain"],
            "concept_code": rows["code"],
            "valid_start_date": pd.Timestamp(1970, 1, 1),
            "valid_end_date": pd.Timestamp(2099, 12, 31),
        }
    )


def _source(seed: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cdm_source_name": [SOURCE_NAME],
            "cdm_source_abbreviation": ["embedded"],
            "cdm_holder": ["Wardbook"],
            "source_description": [f"seed {seed}, from {FIRST_DAY} to {LAST_DAY}"],
            "source_release_date": [pd.Timestamp(LAST_DAY)],
            "cdm_release_date": [pd.Timestamp(LAST_DAY)],
            "cdm_version": ["5.4"],
            "cdm_version_concept_id": [EHR.id],
        }
    )
