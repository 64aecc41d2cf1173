"""Sums, means, rates, changes and gaps on series small enough to check by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from wardbook.epidemic.geography import all_departments, all_regions, expected_departments
from wardbook.epidemic.indicators import (
    add_means,
    add_rates,
    change_in_week,
    check_period,
    compare_with_week_before,
    find_gaps,
    keep_period,
    keep_regions,
    rank_last_day,
    rate_in_france,
    sum_by_day,
)
from wardbook.errors import DataProblem


def series(department: str, days: list[str], counts: list[int], name: str = "hosp") -> pd.DataFrame:
    return pd.DataFrame({"department": department, "date": pd.to_datetime(days), name: counts})


def days(first: str, number: int) -> list[str]:
    return [str(day.date()) for day in pd.date_range(first, periods=number)]


@pytest.fixture
def stock() -> pd.DataFrame:
    """Paris, Yvelines (Île-de-France), Haute-Corse and Saint-Martin on two days."""
    pair = ["2021-01-01", "2021-01-02"]
    counts = {"75": [10, 20], "78": [1, 2], "2B": [100, 200], "978": [1000, 2000]}
    return pd.concat([series(code, pair, values) for code, values in counts.items()])


def test_places_of_every_level_are_summed_and_named(stock: pd.DataFrame) -> None:
    assert sum_by_day(stock, "france")["hosp"].tolist() == [1111, 2222]
    regions = sum_by_day(stock, "region")
    assert list(regions.columns) == ["date", "region", "region_name", "hosp"]
    assert regions[["region", "region_name", "hosp"]].to_numpy().tolist()[:3] == [
        ["11", "Île-de-France", 11],
        ["94", "Corse", 100],
        ["COM", "Collectivités d'outre-mer", 1000],
    ]
    departments = sum_by_day(stock, "department")
    assert departments.iloc[0].tolist()[1:] == ["2B", "Haute-Corse", "Corse", 100]


def test_a_mean_is_over_the_day_and_the_six_before() -> None:
    frame = series("01", days("2021-01-01", 9), [7, 0, 0, 0, 0, 0, 0, 14, 3])
    means = add_means(sum_by_day(frame, "france"), "france", ["hosp"])["hosp_mean7"]
    assert means.isna().tolist() == [True] * 6 + [False] * 3
    assert means.tolist()[6:] == [1.0, 2.0, 2.43]


def test_a_mean_is_missing_for_six_days_after_a_gap() -> None:
    dates = days("2021-01-01", 16)
    frame = series("01", dates[:8] + dates[9:], [1] * 15)
    means = add_means(sum_by_day(frame, "region"), "region", ["hosp"])
    assert means["date"].is_monotonic_increasing
    present = means.loc[means["hosp_mean7"].notna(), "date"].dt.strftime("%Y-%m-%d").tolist()
    assert present == ["2021-01-07", "2021-01-08", "2021-01-16"]


def test_a_place_s_mean_does_not_take_from_another() -> None:
    whole = series("75", days("2021-01-01", 7), [1] * 7)
    short = series("2B", days("2021-01-04", 4), [100] * 4)
    means = add_means(sum_by_day(pd.concat([whole, short]), "department"), "department", ["hosp"])
    last = means[means["date"] == "2021-01-07"].set_index("department")["hosp_mean7"]
    assert last["75"] == 1.0
    assert pd.isna(last["2B"])


def test_columns_alternate_counts_and_means() -> None:
    frame = series("01", days("2021-01-01", 2), [1, 2]).assign(rea=0)
    means = add_means(sum_by_day(frame, "france"), "france", ["hosp", "rea"])
    assert list(means.columns) == ["date", "hosp", "hosp_mean7", "rea", "rea_mean7"]


def test_rates_are_per_100_000_and_missing_without_a_population(stock: pd.DataFrame) -> None:
    rates = add_rates(sum_by_day(stock.assign(rea=0), "region"), "region").set_index("region")
    corsica = all_regions()["94"].population
    assert corsica is not None
    assert rates.loc["94", "hosp_per_100k"].iloc[0] == round(100 / (corsica * 1000) * 100_000, 1)
    assert rates.loc["COM", "hosp_per_100k"].isna().all()


def test_the_rate_of_france_is_over_the_departments_with_a_population() -> None:
    frame = pd.concat([whole_country(["2021-01-01"]), series("978", ["2021-01-01"], [10_000])])
    france = 100 * 101 / sum(r.population or 0 for r in all_regions().values())
    assert rate_in_france(frame).tolist() == [round(france, 1)]
    assert rate_in_france(frame.assign(hosp=frame["hosp"] * 1000)).tolist() == [
        round(1000 * france, 1)
    ]


def test_the_last_day_is_compared_with_seven_days_earlier() -> None:
    paris = series("75", days("2021-01-01", 8), [5, 0, 0, 0, 0, 0, 0, 12])
    corsica = series("2A", days("2021-01-05", 4), [1, 1, 1, 1])
    frame = pd.concat([paris, corsica]).assign(rea=0)
    latest = compare_with_week_before(add_rates(sum_by_day(frame, "region"), "region"))
    latest = latest.set_index("region_name")
    assert latest.loc["Île-de-France", "hosp_change7"] == 7
    assert pd.isna(latest.loc["Corse", "hosp_change7"])
    assert latest["hosp_per_100k"].is_monotonic_decreasing
    assert change_in_week(sum_by_day(paris, "france"), "hosp") == 7
    assert change_in_week(sum_by_day(corsica, "france"), "hosp") is None


def test_places_are_ranked_by_rate_on_the_last_day(stock: pd.DataFrame) -> None:
    rates = add_rates(sum_by_day(stock.assign(rea=0), "region"), "region")
    assert rank_last_day(rates)["region_name"].tolist() == ["Corse", "Île-de-France"]


def test_both_ends_of_a_period_are_in_it() -> None:
    daily = sum_by_day(series("01", days("2021-01-01", 9), list(range(9))), "france")
    kept = keep_period(daily, date(2021, 1, 3), date(2021, 1, 5))
    assert kept["hosp"].tolist() == [2, 3, 4]
    assert len(keep_period(daily, None, date(2021, 1, 2))) == 2
    assert len(keep_period(daily, date(2021, 1, 9), None)) == 1
    assert len(keep_period(daily, None, None)) == 9


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (date(2021, 1, 5), date(2021, 1, 4), "period_reversed"),
        (date(2021, 2, 1), None, "period_without_data"),
        (None, date(2020, 1, 1), "period_without_data"),
    ],
)
def test_a_period_without_a_day_is_refused(start: date | None, end: date | None, code: str) -> None:
    frame = series("01", days("2021-01-01", 9), [1] * 9)
    with pytest.raises(DataProblem) as caught:
        check_period(frame, start, end, file="hosp.csv")
    assert caught.value.code == code
    check_period(frame, date(2021, 1, 4), date(2021, 1, 4), file="hosp.csv")


def test_regions_are_kept_by_name_and_absent_ones_refused(stock: pd.DataFrame) -> None:
    daily = sum_by_day(stock, "region")
    assert set(keep_regions(daily, ["Corse"], file="f")["region"]) == {"94"}
    assert keep_regions(daily, None, file="f") is daily
    with pytest.raises(DataProblem, match=r"f: no data for the regions") as problem:
        keep_regions(daily, ["Bretagne"], file="f")
    assert problem.value.code == "region_without_data"


def whole_country(dates: list[str]) -> pd.DataFrame:
    return pd.concat([series(c, dates, [1] * len(dates)) for c in sorted(expected_departments())])


def test_a_day_without_any_department_is_a_gap() -> None:
    dates = days("2021-01-01", 5)
    gaps = find_gaps(whole_country([dates[0], dates[1], dates[4]]))
    assert gaps.days == (date(2021, 1, 3), date(2021, 1, 4))
    assert (gaps.departments, gaps.department_days) == ((), 0)


def test_departments_missing_on_some_days_are_counted() -> None:
    frame = whole_country(days("2021-01-01", 5))
    late = (frame["department"] == "2B") & (frame["date"] > "2021-01-03")
    gaps = find_gaps(frame[~late & (frame["department"] != "976")])
    assert gaps.days == ()
    assert gaps.departments == ("2B", "976")
    assert gaps.department_days == 2 + 5


def test_collectivities_may_come_and_go() -> None:
    frame = pd.concat([whole_country(days("2021-01-01", 3)), series("978", ["2021-01-02"], [1])])
    assert find_gaps(frame).department_days == 0


def test_the_code_of_2021_has_18_regions_and_101_departments() -> None:
    regions = [region for region in all_regions().values() if region.code != "COM"]
    assert (len(regions), len(expected_departments())) == (18, 101)
    assert {d.code for r in regions for d in r.departments} == expected_departments()
    assert set(all_departments()) - expected_departments() == {"975", "977", "978"}
    tiles = [d.tile for d in all_departments().values() if d.tile is not None]
    assert len(tiles) == len(set(tiles)) == 101
    assert all_departments()["2A"].name == "Corse-du-Sud"
    assert [d.code for d in all_regions()["53"].departments] == ["22", "29", "35", "56"]
