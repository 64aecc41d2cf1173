"""Builds the embedded hospital: Parquet, a DuckDB database of it, the truth and the beds beside."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from wardbook.files import write_atomically
from wardbook.hospital.building.batch import BATCH_PERSONS, FIRST_DAY, LAST_DAY
from wardbook.hospital.building.people import draw_batch
from wardbook.hospital.building.wards import write_beds
from wardbook.hospital.building.writer import ParquetWriter
from wardbook.hospital.parts import PARTS, load_parts
from wardbook.hospital.parts.stays import fixed_rows
from wardbook.omop.tables import TABLES
from wardbook.omop.vocabulary import COMMON, EHR, Concept


def build_hospital(
    folder: Path,
    *,
    patients: int,
    seed: int,
    parts: Sequence[str] = PARTS,
    progress: Callable[[int], object] = lambda _: None,
) -> Path:
    """Write the hospital into `folder`: `cdm/*.parquet`, `hospital.duckdb`, `beds.csv` and
    `truth.json`.

    The same patients, seed and parts give the same rows.

    Args:
        folder: is made; what an earlier build left there is replaced.
        patients: how many persons.
        seed: of the random numbers.
        parts: which parts draw; "stays" is always among them.
        progress: told the number of persons after each batch.

    Returns:
        The DuckDB database.
    """
    drawn = load_parts(tuple(dict.fromkeys(("stays", *parts))))
    with ParquetWriter(folder / "cdm") as writer:
        writer.write(fixed_rows())
        concepts = {c.id: c for part in drawn.values() for c in (*COMMON, *part.CONCEPTS)}
        writer.write({"concept": _concepts(list(concepts.values()))})
        writer.write({"cdm_source": _source(seed)})
        for number, first in enumerate(range(1, patients + 1, BATCH_PERSONS)):
            batch = draw_batch(seed, number, first, min(BATCH_PERSONS, patients + 1 - first))
            for part in drawn.values():
                writer.write(part.draw(batch))
            progress(first - 1 + len(batch.persons))
    truth: dict[str, Any] = {"patients": patients, "seed": seed}
    truth |= {name: dict(part.TRUTH) for name, part in drawn.items()}
    write_atomically(folder / "truth.json", json.dumps(truth, indent=1, ensure_ascii=False))
    write_atomically(folder / "beds.csv", write_beds(patients, FIRST_DAY.isoformat()))
    return _open_with_duckdb(folder)


def _open_with_duckdb(folder: Path) -> Path:
    import duckdb

    database = folder / "hospital.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        for table in TABLES:
            connection.execute(
                f"CREATE TABLE {table} AS SELECT * FROM read_parquet(?)",  # noqa: S608  our names
                [str(folder / "cdm" / f"{table}.parquet")],
            )
    return database


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
            "cdm_source_name": ["Wardbook's embedded hospital: nobody in it exists"],
            "cdm_source_abbreviation": ["embedded"],
            "cdm_holder": ["Wardbook"],
            "source_description": [f"seed {seed}, from {FIRST_DAY} to {LAST_DAY}"],
            "source_release_date": [pd.Timestamp(LAST_DAY)],
            "cdm_release_date": [pd.Timestamp(LAST_DAY)],
            "cdm_version": ["5.4"],
            "cdm_version_concept_id": [EHR.id],
        }
    )
