"""The invented files: same format, same bytes, consistent with each other."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wardbook.epidemic.generate import generate_files, main
from wardbook.epidemic.geography import expected_departments
from wardbook.epidemic.indicators import find_gaps
from wardbook.epidemic.spf import FLOW, STOCK, read_admissions, read_stock, select_totals


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return generate_files(tmp_path_factory.mktemp("spf"), seed=11, days=40)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    again = generate_files(tmp_path, seed=11, days=40)
    assert [f.read_bytes() for f in again] == [f.read_bytes() for f in files]
    other = generate_files(tmp_path, seed=12, days=40)
    assert all(a.read_bytes() != b.read_bytes() for a, b in zip(other, files, strict=True))


def test_the_reader_accepts_them_whole(files: tuple[Path, Path]) -> None:
    stock, flow = read_stock(files[0]), read_admissions(files[1])
    assert len(stock) == 40 * 101 * 3
    assert len(flow) == 39 * 101
    assert set(stock["department"]) == expected_departments()
    assert find_gaps(select_totals(stock)).department_days == 0
    assert (stock["rea"] <= stock["hosp"]).all()


def test_sex_0_is_not_always_the_sum_of_1_and_2(files: tuple[Path, Path]) -> None:
    by_sex = read_stock(files[0]).pivot(index=["department", "date"], columns="sex", values="hosp")
    unknown = by_sex["0"] - by_sex["1"] - by_sex["2"]
    assert (unknown >= 0).all()
    assert 0 < (unknown > 0).mean() < 1


def test_stock_and_flow_agree_on_every_day(files: tuple[Path, Path]) -> None:
    keys = ["department", "date"]
    stock = select_totals(read_stock(files[0])).astype({"department": str})
    flow = read_admissions(files[1]).astype({"department": str}).set_index(keys)
    stock = stock.sort_values(keys).set_index(keys)
    steps = stock.groupby("department")[list(STOCK)].diff().dropna().astype(int)
    flow = flow.loc[steps.index, list(FLOW)]
    left = flow["incid_rad"] + flow["incid_dc"]
    pd.testing.assert_series_equal(steps["rad"], flow["incid_rad"], check_names=False)
    pd.testing.assert_series_equal(steps["dc"], flow["incid_dc"], check_names=False)
    pd.testing.assert_series_equal(steps["hosp"], flow["incid_hosp"] - left, check_names=False)


def test_the_command_makes_the_folder_and_names_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--out", str(tmp_path / "new"), "--seed", "1", "--days", "2"])
    named = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [file.parent for file in named] == [tmp_path / "new"] * 2
    assert all(file.is_file() for file in named)
