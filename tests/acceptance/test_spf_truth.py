"""Our figures against those that Santé publique France published itself, and the source's traps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from wardbook.epidemic.geography import all_departments, all_regions
from wardbook.epidemic.indicators import find_gaps, sum_by_day
from wardbook.epidemic.spf import FLOW, STOCK, read_admissions, read_stock, select_totals

pytestmark = pytest.mark.shared_data

PUBLISHED = {"dc": "dchosp", "incid_dc": "incid_dchosp"}


@pytest.fixture(scope="module")
def spf(shared: Path) -> Path:
    return shared / "data" / "spf"


@pytest.fixture(scope="module")
def stock(spf: Path) -> pd.DataFrame:
    return read_stock(spf / "hosp_donnees-hospitalieres-covid19_vintage2021-01-08.csv")


@pytest.fixture(scope="module")
def admissions(spf: Path) -> pd.DataFrame:
    return read_admissions(spf / "hosp_nouveaux_vintage2021-01-08.csv")


@pytest.fixture(scope="module")
def published(spf: Path) -> pd.DataFrame:
    file = spf / "published_table-indicateurs-france_2023-06-30.csv"
    return pd.read_csv(file, parse_dates=["date"], index_col="date")


def differing_days(
    daily: pd.DataFrame, published: pd.DataFrame, counts: tuple[str, ...]
) -> Iterator[tuple[pd.Timestamp, str]]:
    ours = daily.set_index("date")
    for count in counts:
        theirs = published.loc[ours.index, PUBLISHED.get(count, count)]
        yield from ((day, count) for day in ours.index[ours[count].to_numpy() != theirs.to_numpy()])


def test_the_stock_of_france_equals_the_published_series_on_every_day(
    stock: pd.DataFrame, published: pd.DataFrame
) -> None:
    france = sum_by_day(select_totals(stock), "france")
    assert (len(france), str(france["date"].min().date())) == (297, "2020-03-18")
    assert list(differing_days(france, published, STOCK)) == []


def test_the_flow_of_france_equals_the_published_series_on_every_day(
    admissions: pd.DataFrame, published: pd.DataFrame
) -> None:
    france = sum_by_day(admissions, "france")
    assert (len(france), str(france["date"].min().date())) == (296, "2020-03-19")
    assert list(differing_days(france, published, FLOW)) == []


def test_the_sum_of_both_sexes_is_not_the_published_series(
    stock: pd.DataFrame, published: pd.DataFrame
) -> None:
    both = stock[stock["sex"] != "0"].drop(columns="sex")
    assert list(differing_days(sum_by_day(both, "france"), published, STOCK)) != []
    by_sex = stock.pivot(index=["department", "date"], columns="sex", values="hosp")
    unknown = by_sex["0"] - by_sex["1"] - by_sex["2"]
    assert (unknown != 0).mean() > 1 / 3


@pytest.mark.parametrize("level", ["region", "department"])
def test_the_sums_over_places_equal_france_on_every_day(
    stock: pd.DataFrame, admissions: pd.DataFrame, level: str
) -> None:
    for frame, counts in ((select_totals(stock), STOCK), (admissions, FLOW)):
        france = sum_by_day(frame, "france").set_index("date")
        places = sum_by_day(frame, level).groupby("date")[list(counts)].sum()  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(places, france)


def test_the_real_files_have_no_gap(stock: pd.DataFrame, admissions: pd.DataFrame) -> None:
    for frame in (select_totals(stock), admissions):
        gaps = find_gaps(frame)
        assert (gaps.days, gaps.department_days) == ((), 0)


def test_our_rounded_populations_are_insee_s(spf: Path) -> None:
    insee = pd.read_csv(
        spf / "insee_pop_dep_2021.csv", names=["code", "people"], dtype={"code": str}
    ).set_index("code")["people"]
    ours = {code: d.population for code, d in all_departments().items() if d.region != "COM"}
    assert ours == {code: round(people / 1000) for code, people in insee.items()}
    for region in all_regions().values():
        if region.population is not None:
            people = insee[[d.code for d in region.departments]].sum()
            assert region.population == pytest.approx(people / 1000, rel=0.005)
