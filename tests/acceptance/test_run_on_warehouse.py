"""`wardbook run --source NAME=ADDRESS`: the data are extracted before the notebook runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pipelines.cli.main import Context
from pipelines.cli.run import run
from tests.tiny_warehouse import python_path, register, write_tiny
from wardbook.hospital.building import build_hospital

pytestmark = [pytest.mark.xdist_group("by hand"), pytest.mark.usefixtures("lasting_server")]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_hospital(
        tmp_path_factory.mktemp("hospital"), patients=300, seed=3, parts=("stays",)
    )


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    register()
    monkeypatch.setenv("PYTHONPATH", python_path())
    write_tiny(tmp_path / "templates")
    return tmp_path / "templates"


def call(catalogue: Path, *arguments: str | Path) -> Result:
    return CliRunner().invoke(
        run,
        ["tiny", "--templates", str(catalogue), *map(str, arguments)],
        obj=Context(Path("wardbook.toml"), {}),
        standalone_mode=False,
    )


def test_a_source_is_extracted_from_a_database(
    hospital: Path, catalogue: Path, tmp_path: Path
) -> None:
    tables = {}
    for scheme, place in (("duckdb", hospital), ("parquet", hospital.parent / "cdm")):
        out = tmp_path / scheme
        done = call(
            catalogue, "--source", f"stays={scheme}://{place}",
            "-p", "start=2024-02-01", "--out", out,
        )  # fmt: skip
        assert done.return_value == 0, done.output
        tables[scheme] = pd.read_csv(out / "by_ward.csv")
    details = pd.read_parquet(hospital.parent / "cdm" / "visit_detail.parquet")
    wanted = (pd.to_datetime(details["visit_detail_start_date"]) >= "2024-02-01").sum()
    assert 0 < wanted < len(details)
    for table in tables.values():
        assert table["stays"].sum() == wanted


def test_a_period_without_data_is_a_problem_of_the_data(
    hospital: Path, catalogue: Path, tmp_path: Path
) -> None:
    done = call(
        catalogue, "--source", f"stays=duckdb://{hospital}",
        "-p", "start=2099-01-01", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.return_value == 1
    assert not (tmp_path / "out").exists()
