"""Estimates against the truth that the synthetic exports were drawn with.

Tolerances are four standard errors, told beside each; the controls show that they are narrow enough
to find what is wrong.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from wardbook.activity import (
    clock,
    emergency,
    laboratory,
    movements,
    presence,
    results,
    stays,
    synthetic,
    visits,
)

NOW = pd.Timestamp("2026-12-01", tz="UTC")
SEED = 20260209
pytestmark = pytest.mark.xdist_group("activity_truth")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("activity")
    truth = synthetic.write_wards(folder, seed=SEED) | {
        "laboratory": synthetic.write_laboratory(folder, seed=SEED)
    }
    return folder, truth


@pytest.fixture(scope="module")
def period(made: tuple[Path, dict[str, Any]]) -> tuple[date, date]:
    truth = made[1]
    return date.fromisoformat(truth["first"]), date.fromisoformat(truth["last"])


def read_stays(folder: Path) -> pd.DataFrame:
    beds = stays.read_beds(folder / "beds.csv")
    found = stays.sort_out(stays.read_stays(folder / "stays.csv"), set(beds["ward"]), NOW)
    assert found.odd == {}
    return found.rows


def read_tests(folder: Path) -> pd.DataFrame:
    return laboratory.sort_out(laboratory.read_tests(folder / "tests.csv"), None, NOW).rows


def mean_presence(rows: pd.DataFrame, period: tuple[date, date]) -> pd.Series:
    days = clock.days_between(*period)
    present = presence.list_present(rows, days, "midnight")
    return presence.sum_by_ward(present, len(days)).set_index("ward")["mean_present"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def write(name: str, seed: int) -> list[bytes]:
        folder = tmp_path / name
        folder.mkdir()
        synthetic.write_wards(folder, seed=seed, days=14)
        synthetic.write_laboratory(folder, seed=seed, days=7)
        return [(folder / file).read_bytes() for file in sorted(p.name for p in folder.iterdir())]

    first = write("first", 1)
    assert first == write("again", 1)
    assert first != write("other", 2)


def test_mean_presence_and_occupancy(
    made: tuple[Path, dict[str, Any]], period: tuple[date, date]
) -> None:
    folder, truth = made
    found = mean_presence(read_stays(folder), period)
    for ward, true in truth["present"].items():
        # A ward with Poisson entries: the census has variance `true` and is correlated over about
        # two mean stays, so its mean over 56 days has the variance 2 · nights · true / 56.
        error = (2 * truth["nights"][ward] * true / synthetic.DAYS) ** 0.5
        assert abs(found[ward] - true) < 4 * error, ward


def test_a_stay_less_a_day_is_noticed(
    made: tuple[Path, dict[str, Any]], period: tuple[date, date]
) -> None:
    """The control: with stays that end a day too early the hospital is outside the tolerance."""
    folder, truth = made
    rows = read_stays(folder)
    rows["left"] = (rows["left"] - pd.Timedelta(days=1)).clip(lower=rows["entered"])
    variances = (2 * truth["nights"][w] * true for w, true in truth["present"].items())
    error = (sum(variances) / synthetic.DAYS) ** 0.5
    total = sum(truth["present"].values())
    assert abs(mean_presence(read_stays(folder), period).sum() - total) < 4 * error
    assert abs(mean_presence(rows, period).sum() - total) > 4 * error


def test_length_of_stay(made: tuple[Path, dict[str, Any]], period: tuple[date, date]) -> None:
    folder, truth = made
    nights = movements.measure_nights(read_stays(folder), *period)
    table = movements.summarise_nights(nights, ["ward"]).set_index("ward")
    for ward, true in truth["nights"].items():
        # Geometric: standard deviation sqrt(n² - n).
        error = (true**2 - true) ** 0.5 / table.loc[ward, "stays"] ** 0.5
        assert abs(table.loc[ward, "mean_nights"] - true) <= 4 * error + 0.005, ward
    # The control: with the day of leaving counted too.
    days = table["mean_nights"] + 1
    errors = pd.Series(truth["nights"]).pipe(lambda n: (n**2 - n) ** 0.5) / table["stays"] ** 0.5
    assert (abs(days - pd.Series(truth["nights"])) > 4 * errors).sum() >= 3


def test_transfers_go_to_aftercare_alone(
    made: tuple[Path, dict[str, Any]], period: tuple[date, date]
) -> None:
    folder, _ = made
    moves = movements.list_movements(read_stays(folder), *period)
    sizes = moves.groupby(["movement", "ward"]).size()
    assert set(sizes["transfer_in"].index) == {synthetic.AFTERCARE}
    left = sizes["transfer_out"].sum() + sizes["discharge"].drop(synthetic.AFTERCARE).sum()
    share = sizes["transfer_out"].sum() / left
    assert share == pytest.approx(synthetic.SHARE_TO_AFTERCARE, abs=4 * (0.06 * 0.94 / left) ** 0.5)


def test_emergency_flow(made: tuple[Path, dict[str, Any]], period: tuple[date, date]) -> None:
    folder, truth = made
    found = emergency.read_emergency(folder / "emergency.csv", NOW)
    assert found.visits is not None
    assert found.daily["arrivals"].mean() == pytest.approx(truth["arrivals"], abs=4 * 1.52)
    ended = visits.list_ended(found.visits.rows)
    size = len(ended)
    assert ended["minutes"].median() == pytest.approx(truth["median_minutes"], rel=0.04)
    for column, share in (("over_4h", truth["share_over_4h"]), ("admitted", truth["admitted"])):
        error = (share * (1 - share) / size) ** 0.5
        assert abs(ended[column].mean() - share) < 4 * error, column
    # The control: visits of half an hour more.
    longer = (ended["minutes"] + 30 > visits.LONG_MINUTES).mean()
    assert abs(longer - truth["share_over_4h"]) > 8 * (0.33 * 0.67 / size) ** 0.5


def test_positivity(made: tuple[Path, dict[str, Any]], period: tuple[date, date]) -> None:
    folder, truth = made
    told = results.list_results(read_tests(folder), *period)
    table = results.measure_positivity(told, ["analysis"]).set_index("analysis")
    assert set(table.index) == set(truth["laboratory"]["positivity"])
    for analysis, true in truth["laboratory"]["positivity"].items():
        error = (true * (1 - true) / table.loc[analysis, "tests"]) ** 0.5
        assert abs(table.loc[analysis, "positivity"] - true) < 4 * error


def test_turnaround(made: tuple[Path, dict[str, Any]], period: tuple[date, date]) -> None:
    folder, truth = made
    planted = truth["laboratory"]
    rows = read_tests(folder)
    done = results.list_turnarounds(rows, *period, planted["target"])
    table = results.measure_turnaround(done, ["ward"]).set_index("ward")
    for ward, share in planted["share_within"].items():
        size = table.loc[ward, "tests"]
        assert (
            abs(table.loc[ward, "share_within"] - share) < 4 * (share * (1 - share) / size) ** 0.5
        )
        assert table.loc[ward, "median_minutes"] == pytest.approx(
            planted["median_minutes"][ward], rel=4 * 1.25 * 0.5 / size**0.5 + 0.02
        )
    # The control: from sampling, as one might take it by mistake.
    wrong = results.list_turnarounds(rows.assign(received=rows["sampled"]), *period, 60)
    assert wrong["within"].mean() < done["within"].mean() - 0.2


def test_the_bad_ward_and_no_other_stands_out(
    made: tuple[Path, dict[str, Any]], period: tuple[date, date]
) -> None:
    folder, truth = made
    planted = truth["laboratory"]
    tubes = results.list_tubes(read_tests(folder), *period, synthetic.HAEMOLYSED_ABOVE)
    table = results.measure_haemolysis(tubes, ["ward"])
    for row in table.itertuples():
        true = planted["haemolysis"][row.ward]
        assert abs(row.share - true) < 4 * (true * (1 - true) / row.tubes) ** 0.5, row.ward
    assert results.find_outstanding(table) == [planted["bad_ward"]]
    # The control: without it nobody stands out.
    assert results.find_outstanding(table[table["ward"] != planted["bad_ward"]]) == []
