"""`wardbook hospital build`: a folder, a schema of PostgreSQL, and what is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psycopg
import pytest

from pipelines.cli.main import FAULT, REFUSED, main
from wardbook.activity.stays import read_beds
from wardbook.hospital.building import build_hospital
from wardbook.hospital.building.postgresql import Place, copy_to_postgresql
from wardbook.omop.tables import TABLES
from wardbook.warehouse import open_warehouse

# Compressed files may look like anything, a canary's digits too.
pytestmark = pytest.mark.secure("*.duckdb", "*.parquet")
SCHEMA = 'Hôpital "1" %s'


def build(*arguments: object) -> int:
    return main(["hospital", "build", "--patients", "60", *map(str, arguments)])


def test_a_folder_is_filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "hospital"
    assert build("--out", folder, "--seed", 3) == 0
    told = capsys.readouterr().out
    address = f"duckdb://{(folder / 'hospital.duckdb').resolve()}"
    assert address in told
    with open_warehouse(address) as table:
        assert table("person").count().execute() == 60
    beds = read_beds(folder / "beds.csv")
    assert set(beds["beds"]) >= {1} and len(beds) == 20
    assert build("--out", folder, "--seed", 4) == 0, "an earlier hospital is replaced"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--parts", "stays,nurses"], "no part 'nurses'. There are: stays, care"),
        (["--to", "oracle://h/x?schema=y"], "postgresql://USER@HOST/DATABASE?schema=NAME"),
        (["--to", "postgresql:///x"], "Add ?schema=NAME"),
    ],
)
def test_what_cannot_be_built_is_refused_before_anything_is_made(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert build(*arguments) == REFUSED
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert build("--out", tmp_path) == REFUSED
    assert "'thesis.txt'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_server_that_is_not_there_is_told_without_the_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"postgresql://ada:pa55word@/unit?host={tmp_path}&schema=h"
    assert build("--to", missing) == FAULT
    told = capsys.readouterr()
    assert "PostgreSQL did not take the hospital" in told.err
    assert "pa55word" not in told.out + told.err


@pytest.fixture
def place(postgresql_url: str) -> Place:
    return Place(postgresql_url, SCHEMA)


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folders = tuple(tmp_path_factory.mktemp(f"seed{seed}") for seed in (1, 2))
    for seed, folder in enumerate(folders, 1):
        build_hospital(folder, patients=120, seed=seed)
    return folders[0] / "cdm", folders[1] / "cdm"


def rows(place: Place, table: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(place.url) as connection:
        connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", (SCHEMA,))
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def rows_of_parquet(tables: Path, table: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(
            "SELECT * FROM read_parquet(?) ORDER BY 1", [str(tables / f"{table}.parquet")]
        ).fetchall()


@pytest.mark.postgresql
def test_postgresql_has_every_row_of_the_parquet(
    hospitals: tuple[Path, Path], place: Place
) -> None:
    copied = copy_to_postgresql(hospitals[0], place)
    for table in TABLES:
        assert rows(place, table) == rows_of_parquet(hospitals[0], table)
    assert copied == sum(len(rows(place, table)) for table in TABLES) > 1000


@pytest.mark.postgresql
def test_an_empty_text_is_not_a_missing_one(place: Place, tmp_path: Path) -> None:
    build_hospital(tmp_path, patients=3, seed=1, parts=("stays",))
    file = tmp_path / "cdm" / "person.parquet"
    texts = ["", 'quoted "é";\n,', "\\N"]
    pd.read_parquet(file).assign(person_source_value=texts, race_source_value=None).to_parquet(file)
    copy_to_postgresql(tmp_path / "cdm", place)
    columns = list(TABLES["person"])
    at, missing = columns.index("person_source_value"), columns.index("race_source_value")
    assert [(row[at], row[missing]) for row in rows(place, "person")] == [(t, None) for t in texts]


@pytest.mark.postgresql
def test_a_hospital_is_replaced_whole_or_not_at_all(
    hospitals: tuple[Path, Path], place: Place, tmp_path: Path
) -> None:
    copy_to_postgresql(hospitals[0], place)
    before = rows(place, "visit_detail")
    torn = tmp_path / "torn"
    torn.mkdir()
    for table in list(TABLES)[:-1]:
        (torn / f"{table}.parquet").symlink_to(hospitals[1] / f"{table}.parquet")
    with pytest.raises(FileNotFoundError):
        copy_to_postgresql(torn, place)
    assert rows(place, "visit_detail") == before
    copy_to_postgresql(hospitals[1], place)
    assert rows(place, "visit_detail") == rows_of_parquet(hospitals[1], "visit_detail") != before


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "holding",
    [
        "CREATE TABLE theses (n int)",
        "CREATE TABLE person (n int)",
        "CREATE VIEW person AS SELECT 1 AS n",
        "CREATE FUNCTION age_of() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE sex AS ENUM ('F', 'M')",
        "CREATE TABLE cdm_source AS SELECT 'Another hospital' AS cdm_source_name",
    ],
)
def test_a_schema_that_holds_something_else_is_refused(
    holding: str, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE SCHEMA unit")
        connection.execute("SET search_path TO unit")
        connection.execute(holding)
    assert build("--to", f"{postgresql_url}&schema=unit") == REFUSED
    told = capsys.readouterr().err
    assert "The schema unit holds something else" in told
    assert "Drawing" not in told, "it is said before the work"
    with psycopg.connect(postgresql_url) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'unit'"
        ).fetchone()
    assert tables is not None and tables[0] <= 1


@pytest.mark.postgresql
def test_the_command_fills_a_schema_again_and_again(
    postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        assert build("--to", f"{postgresql_url}&schema=unit", "--seed", seed) == 0
    assert "in the schema unit" in capsys.readouterr().out
    with open_warehouse(f"{postgresql_url}&schema=unit") as table:
        assert table("person").count().execute() == 60
