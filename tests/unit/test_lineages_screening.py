"""Santé publique France's screening: every row's rates, the sliding windows, the regions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import binomtest

from wardbook.epidemic.geography import all_regions
from wardbook.errors import DataProblem
from wardbook.lineages import screening

FILE = "data/variants/spf_muta_dep_vintage2021-10-02.csv"
PERIOD = date(2021, 5, 31), date(2021, 9, 26)
HEADER = ";".join(screening.COLUMNS)
ROW = "35;2021-06-07-2021-06-13;40.00;50.00;80.00;30.00;10.00;25.00;20.00;0.00;0.00;5.00;5.00;50.00"


def write(folder: Path, *rows: str) -> Path:
    path = folder / "muta.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


@pytest.fixture(scope="module")
def published(shared: Path) -> pd.DataFrame:
    return screening.read_screening(shared / FILE)


@pytest.mark.shared_data
def test_every_published_rate_is_that_of_its_counts(shared: Path) -> None:
    """Read here without the library's own check: all 11,960 rows, four rates each."""
    raw = pd.read_csv(shared / FILE, sep=";", dtype={"dep": str})
    assert len(raw) == 11_960
    for letter in screening.MUTATIONS:
        whole = raw[f"nb_{letter}0"] + raw[f"nb_{letter}1"]
        rate = screening.measure_rate(raw[f"nb_{letter}1"], whole)
        assert (rate - raw[f"tx_{letter}1"]).abs().max() <= screening.HALF
        assert (whole == 0).any(), "rows with nobody below are among them"
    over = raw["nb_crib"] > raw["nb_pos"]
    rate = screening.measure_rate(raw["nb_crib"], raw["nb_pos"])
    assert (rate - raw["tx_crib"])[~over].abs().max() <= screening.HALF
    assert over.sum() == 6
    assert set(raw.loc[over, "tx_crib"]) == {99.0}


@pytest.mark.shared_data
def test_the_windows_slide_and_only_whole_weeks_are_added(published: pd.DataFrame) -> None:
    assert len(published) == 11_960
    weeks = screening.choose_weeks(published, *PERIOD, file="muta")
    assert sorted(weeks["week"].unique()) == [f"2021-W{n}" for n in range(22, 39)]
    starts = weeks["first"].drop_duplicates().sort_values()
    assert set(starts.diff().dropna()) == {pd.Timedelta(days=7)}
    # The trap: all windows of a department together count nearly every test seven times.
    inside = published[published["last"] <= pd.Timestamp(PERIOD[1])]
    assert inside["nb_pos"].sum() / weeks["nb_pos"].sum() == pytest.approx(6.7, abs=0.5)
    with pytest.raises(DataProblem) as caught:
        screening.sum_places(inside.assign(week="2021-W22"))
    assert caught.value.code == "windows_overlap"


@pytest.mark.shared_data
def test_regions_add_up_to_france_and_are_no_means_of_rates(published: pd.DataFrame) -> None:
    weeks = screening.choose_weeks(published, *PERIOD, file="muta")
    places = screening.sum_places(weeks)
    france = places[places["place"] == "FR"].set_index("week")
    regions = places[places["place"] != "FR"]
    assert set(regions["place"]) == set(all_regions())
    counts = list(screening.COUNTS)
    assert regions.groupby("week")[counts].sum().equals(france[counts])
    assert weeks.groupby("week")[counts].sum().equals(france[counts])
    mutations = screening.list_mutations(places)
    of_bretagne = {d.code for d in all_regions()["53"].departments}
    here = weeks[weeks["department"].isin(of_bretagne) & (weeks["week"] == "2021-W24")]
    carriers, others = here["nb_C1"].sum(), here["nb_C0"].sum()
    told = mutations.set_index(["week", "place", "mutation"]).loc[("2021-W24", "53", "L452R")]
    assert told["share"] == round(carriers / (carriers + others), 4)
    interval = binomtest(int(carriers), int(carriers + others)).proportion_ci(method="wilson")
    assert told["low"] == pytest.approx(interval.low, abs=1e-4)
    mean = (here["nb_C1"] / (here["nb_C0"] + here["nb_C1"])).mean()
    assert abs(mean - told["share"]) > 0.001, "the control: the mean of the rates is another"


@pytest.mark.shared_data
def test_l452r_takes_over_in_summer(published: pd.DataFrame) -> None:
    weeks = screening.choose_weeks(published, PERIOD[0], date(2021, 7, 11), file="muta")
    mutations = screening.list_mutations(screening.sum_places(weeks))
    speeds = screening.measure_mutations(mutations).set_index(["place", "mutation"])
    assert speeds.loc[("FR", "L452R"), "growth_low"] > 0
    assert 4 < speeds.loc[("FR", "L452R"), "doubling_days"] < 14
    assert (speeds["dispersion"] >= 1).all()


def test_a_row_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, ROW)
    assert screening.is_screening(path)
    row = screening.read_screening(path).iloc[0]
    assert (row["department"], row["nb_A1"]) == ("35", 10)
    assert (row["first"], row["last"]) == (pd.Timestamp(2021, 6, 7), pd.Timestamp(2021, 6, 13))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("25.00", "25.10", "rate_wrong"),
        ("80.00", "99.00", "rate_wrong"),
        ("2021-06-07-2021-06-13", "2021-W23", "window_form"),
        ("2021-06-07-2021-06-13", "2021-06-07-2021-06-14", "window_form"),
        ("2021-06-07-2021-06-13", "2021-02-27-2021-02-31", "window_form"),
        ("35;", "99;", "department_unknown"),
        ("30.00", "30.50", "number_invalid"),
        ("30.00", "-3.00", "number_invalid"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert old in ROW
    with pytest.raises(DataProblem) as caught:
        screening.read_screening(write(tmp_path, ROW.replace(old, new, 1)))
    assert caught.value.code == code


def test_a_row_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem) as caught:
        screening.read_screening(write(tmp_path, ROW, ROW))
    assert caught.value.code == "key_duplicated"


def test_a_period_without_a_whole_week_is_refused(tmp_path: Path) -> None:
    rows = screening.read_screening(write(tmp_path, ROW))
    with pytest.raises(DataProblem) as caught:
        screening.choose_weeks(rows, date(2021, 6, 8), date(2021, 6, 13), file="muta")
    assert caught.value.code == "period_without_data"
