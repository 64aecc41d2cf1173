"""Local times over the two changes of the clock of 2026 in Paris: 29 March and 25 October."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from wardbook.activity import clock, movements, presence, stays
from wardbook.errors import DataProblem

NOW = pd.Timestamp("2026-12-01", tz="UTC")


def read(tmp_path: Path, *lines: str) -> pd.DataFrame:
    file = tmp_path / "stays.csv"
    file.write_text("stay;patient;ward;entered;left\n" + "".join(f"{one}\n" for one in lines))
    return stays.read_stays(file)


def hours(frame: pd.DataFrame) -> list[float]:
    return list((frame["left"] - frame["entered"]).dt.total_seconds() / 3600)


def test_a_night_of_the_change_is_an_hour_shorter_or_longer_than_the_clock_says(
    tmp_path: Path,
) -> None:
    frame = read(
        tmp_path,
        "1;A;W;2026-03-28T22:00;2026-03-29T06:00",
        "2;B;W;2026-10-24T22:00;2026-10-25T06:00",
        "3;C;W;2026-06-01T22:00;2026-06-02T06:00",
    )
    assert hours(frame) == [7.0, 9.0, 8.0]
    assert not frame["doubtful"].any()


def test_half_past_two_comes_twice(tmp_path: Path) -> None:
    frame = read(
        tmp_path,
        "1;A;W;2026-10-25T02:30;2026-10-25T03:30",
        "2;B;W;2026-10-25T02:30;2026-10-25T02:10",
        "3;C;W;2026-10-25T02:30+02:00;2026-10-25T02:30+01:00",
        "4;D;W;2026-10-25T02:10;2026-10-25T02:40",
    )
    # The second can only have ended in the second of the two hours; the third says it by itself.
    assert hours(frame) == [2.0, pytest.approx(40 / 60), 1.0, 0.5]
    assert list(frame["doubtful"]) == [True, True, False, True]
    assert stays.sort_out(frame, None, NOW).odd == {"clock": 3}


def test_half_past_two_never_comes(tmp_path: Path) -> None:
    frame = read(tmp_path, "1;A;W;2026-03-29T02:30;2026-03-29T04:30")
    assert hours(frame) == [1.0]
    assert stays.sort_out(frame, None, NOW).odd == {"clock": 1}


def test_an_hour_that_comes_twice_does_not_hide_an_end_before_its_beginning(tmp_path: Path) -> None:
    frame = read(tmp_path, "1;A;W;2026-10-25T04:30;2026-10-25T02:30")
    assert stays.sort_out(frame, None, NOW).odd == {"reversed": 1}


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_nights_and_census_do_not_know_the_change(tmp_path: Path, change: str) -> None:
    before = pd.Timestamp(change) - pd.Timedelta(days=1)
    after = pd.Timestamp(change) + pd.Timedelta(days=1)
    frame = read(tmp_path, f"1;A;W;{before:%Y-%m-%d}T23:59;{after:%Y-%m-%d}T00:01")
    first, last = before.date(), after.date()
    nights = movements.measure_nights(frame, first, last)
    assert list(nights["nights"]) == [2]
    days = clock.days_between(first, last)
    for census, there in (("midnight", [1, 1, 0]), ("08:00", [0, 1, 0])):
        present = presence.list_present(frame, days, census)  # type: ignore[arg-type]
        assert list(presence.count_present(present, ["W"], days)["patients"]) == there


def test_the_local_day_of_a_moment_is_that_of_paris() -> None:
    moments = pd.Series(pd.to_datetime(["2026-06-30T22:30Z", "2026-01-31T22:30Z"]))
    assert list(clock.local_days(moments).dt.date) == [date(2026, 7, 1), date(2026, 1, 31)]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("25/10/2026 02:30", "time_form"),
        ("2026-02-30T10:00", "date_impossible"),
        ("2026-10-25T25:00", "date_impossible"),
        ("2026-10-25", "time_form"),
        ("", "time_form"),
    ],
)
def test_a_time_in_another_form_is_refused_with_its_line(
    tmp_path: Path, written: str, problem: str
) -> None:
    with pytest.raises(DataProblem) as caught:
        read(tmp_path, "1;A;W;2026-01-01T10:00;", f"2;B;W;{written};")
    assert caught.value.code == problem
    assert (caught.value.details["row"], caught.value.details["column"]) == (3, "entered")
