"""`wardbook hospital`: the embedded hospital, for trying, teaching and testing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipelines.cli.terminal import working
from wardbook.errors import EnvironmentFault, Refusal


@click.group()
def hospital() -> None:
    """Build an invented hospital with known truths in it."""


@hospital.command("build")
@click.option(
    "--patients",
    type=click.IntRange(1, 10_000_000),
    default=20_000,
    show_default=True,
    help="How many persons.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    help="Another seed, another hospital; the same seed, the same bytes.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder for DuckDB, Parquet and truth.  [default: hospital, unless --to is given]",
)
@click.option(
    "--to",
    metavar="URL",
    envvar="WARDBOOK_HOSPITAL_URL",
    help="Fill a schema of PostgreSQL too: postgresql://USER@HOST/DATABASE?schema=NAME.",
)
@click.option(
    "--parts",
    metavar="NAMES",
    help="Only these parts, separated by commas; `stays` is always there.  [default: all]",
)
def build(patients: int, seed: int, out: Path | None, to: str | None, parts: str | None) -> int:
    """Build a hospital of the OMOP model 5.4 in which nobody exists.

    \b
    hospital/hospital.duckdb   all tables, for duckdb:///…/hospital.duckdb
    hospital/cdm/*.parquet     the same, for parquet:///…/cdm and spark:///…/cdm
    hospital/beds.csv          beds of the wards, a source of the kind ward-beds
    hospital/truth.json        what was planted: effects and their sizes

    Effects of known size are planted in it, so that a method can be held against the truth. All
    happens in 2024 and 2025. docs/hospital.md tells the tables, the codes and what is planted.

    \b
    A first look:       wardbook hospital build
    Only what you need: wardbook hospital build --patients 5000 --parts stays,care
    Into PostgreSQL:    wardbook hospital build --to 'postgresql://ada@db/unit?schema=hospital'

    A schema is filled whole or not at all. One that holds anything but an earlier hospital is left
    alone, as is a folder that holds other files. A password is better put into PGPASSWORD or
    ~/.pgpass than into the address.
    """
    from wardbook.hospital.building.postgresql import Place, check_place

    chosen = choose_parts(parts)
    place = Place.parse(to) if to else None
    if out is None and place is None:
        out = Path("hospital")
    with tempfile.TemporaryDirectory() as spare:
        folder = out or Path(spare)
        _refuse_others(folder)
        if place is not None:
            check_place(place)
        rows = _build(folder, patients, seed, chosen, place)
    if out is not None:
        click.echo(f"Built {out}: {patients:,} persons, seed {seed}, {', '.join(chosen)}")
        click.echo(f"Open it:   duckdb://{(out / 'hospital.duckdb').resolve()}")
    if place is not None:
        click.echo(f"PostgreSQL has {rows:,} rows in the schema {place.schema}")
    return 0


def choose_parts(names: str | None) -> tuple[str, ...]:
    """Return the parts that are asked for, in the order in which they draw.

    Raises:
        Refusal: there is no such part.
    """
    from wardbook.hospital.parts import PARTS

    if names is None:
        return PARTS
    asked = {name.strip() for name in names.split(",")} | {"stays"}
    unknown = sorted(asked - set(PARTS))
    if unknown:
        raise Refusal(f"The hospital has no part {unknown[0]!r}. There are: {', '.join(PARTS)}.")
    return tuple(name for name in PARTS if name in asked)


def _refuse_others(folder: Path) -> None:
    """Leave alone a folder that holds what no build of ours has left there."""
    from wardbook.hospital.building.build import MADE

    others = sorted({path.name for path in folder.iterdir()} - {*MADE}) if folder.is_dir() else []
    if others:
        raise Refusal(
            f"{folder} holds other files ({others[0]!r} for one). Name an empty folder with --out, "
            "or one that does not exist yet."
        )


def _build(folder: Path, patients: int, seed: int, parts: tuple[str, ...], place: object) -> int:
    from wardbook.hospital.building import build_hospital
    from wardbook.hospital.building.postgresql import Place, copy_to_postgresql

    try:
        with _bar(patients) as progress:
            build_hospital(folder, patients=patients, seed=seed, parts=parts, progress=progress)
    except OSError as error:
        raise EnvironmentFault(
            f"{folder} cannot be written ({error.strerror or error}). Check the rights and the "
            "room there; nothing of it was kept."
        ) from error
    if not isinstance(place, Place):
        return 0
    with working("Copying to PostgreSQL"):
        return copy_to_postgresql(folder / "cdm", place)


@contextmanager
def _bar(patients: int) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many persons there are; shows a bar on a terminal, else one line."""
    console = Console(stderr=True)
    if not console.is_terminal:
        click.echo(f"Drawing {patients:,} persons …", err=True)
        yield lambda _: None
        return
    columns = (TextColumn("Drawing persons"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=patients)
        yield lambda done: progress.update(task, completed=done)
