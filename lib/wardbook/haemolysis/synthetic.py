"""A CSV file of invented blood tubes, as a laboratory would export it, with its truth.

    python -m wardbook.haemolysis.synthetic --out DIR --patients N --seed S

Tubes of the embedded hospital (`wardbook.hospital.parts.tubes`): nobody in it exists. The same
arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wardbook.datasets.blood_tubes import DATASET
from wardbook.files import write_atomically


def write_tubes(folder: Path, *, patients: int, seed: int) -> Path:
    """Write `tubes.csv` and the planted `truth.json` into `folder`; returns the first."""
    from wardbook.hospital.building import build_hospital
    from wardbook.warehouse import extract, open_warehouse

    with tempfile.TemporaryDirectory() as place:
        hospital = Path(place)
        database = build_hospital(hospital, patients=patients, seed=seed, parts=("tubes",))
        with open_warehouse(f"duckdb://{database}") as open_table:
            extract(DATASET, open_table, {}, hospital / "tubes.parquet")
        tubes = DATASET.read(hospital / "tubes.parquet")
        truth = (hospital / "truth.json").read_text(encoding="utf-8")
    text = tubes.to_csv(
        sep=DATASET.delimiter, index=False, date_format="%Y-%m-%dT%H:%M", lineterminator="\n"
    )
    write_atomically(folder / "tubes.csv", text)
    write_atomically(folder / "truth.json", truth)
    return folder / "tubes.csv"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the file and its truth into a folder."""
    parser = argparse.ArgumentParser(prog="python -m wardbook.haemolysis.synthetic")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    parser.add_argument("--patients", type=int, default=5_000, help="default 5000")
    parser.add_argument("--seed", type=int, required=True)
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{write_tubes(chosen.out, patients=chosen.patients, seed=chosen.seed)}\n")


if __name__ == "__main__":
    main()
