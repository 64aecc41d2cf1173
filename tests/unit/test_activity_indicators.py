"""Indicators of wards, visits and tests, on small cases counted by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wardbook.activity import clock, movements, presence, results, visits
from wardbook.activity.persons import LEAST_BEYOND, keep_percentile, largest_two

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)
DAYS = clock.days_between(FIRST, LAST)


def frame(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Return stays of rows patient, ward, entered, left, in local time, in order of entry."""
    stays = pd.DataFrame(rows, columns=["patient", "ward", "entered", "left"])
    for column in ("entered", "left"):
        times = pd.to_datetime(stays[column].replace("", None)).astype("datetime64[us]")
        stays[column] = times.dt.tz_localize(clock.ZONE).dt.tz_convert("UTC")
    return stays.sort_values(["patient", "entered"], ignore_index=True)


def count(stays: pd.DataFrame, census: str = "midnight") -> pd.DataFrame:
    present = presence.list_present(stays, DAYS, census)  # type: ignore[arg-type]
    return presence.count_present(present, ["V", "W"], DAYS)


def test_presence_at_midnight_and_in_the_morning() -> None:
    stays = frame(
        ("A", "W", "2026-03-02T10:00", "2026-03-04T09:00"),
        ("B", "W", "2026-02-20T10:00", ""),
        ("C", "W", "2026-03-05T00:00", "2026-03-06T00:00"),
        ("D", "V", "2026-03-03T07:00", "2026-03-03T09:00"),
    )
    wards = count(stays).pivot(index="date", columns="ward", values="patients")
    # C is there at the midnight at which the stay ends, and not at that at which it begins.
    assert list(wards["W"]) == [2, 2, 1, 2, 1, 1, 1]
    assert list(wards["V"]) == [0] * 7
    wards = count(stays, "08:00").pivot(index="date", columns="ward", values="patients")
    assert list(wards["W"]) == [1, 2, 2, 2, 1, 1, 1]
    assert list(wards["V"]) == [0, 1, 0, 0, 0, 0, 0]


def test_a_patient_with_two_stays_counts_once_in_a_ward_and_once_in_each() -> None:
    stays = frame(
        ("A", "W", "2026-03-02T10:00", "2026-03-04T09:00"),
        ("A", "W", "2026-03-02T11:00", "2026-03-04T09:00"),
        ("A", "V", "2026-03-02T12:00", "2026-03-03T09:00"),
    )
    daily = count(stays)
    assert list(daily["patients"].head(2)) == [1, 1]
    assert list(presence.sum_hospital(daily)["patients"].head(3)) == [2, 1, 0]


def test_beds_are_those_valid_that_day() -> None:
    beds = pd.DataFrame(
        {
            "ward": ["W", "W", "V", "U"],
            "name": ["w", "w", "v", "u"],
            "beds": [10, 20, 0, 5],
            "valid_from": pd.to_datetime(["2026-01-01", "2026-03-04", "2026-01-01", "2026-03-08"]),
        }
    ).astype({"valid_from": "datetime64[us]"})
    found = presence.beds_by_day(beds, DAYS)
    assert list(found[found["ward"] == "W"]["beds"]) == [10, 10, 20, 20, 20, 20, 20]
    assert "V" not in set(found["ward"])
    assert list(found[found["ward"] == "U"]["date"].dt.day) == [8]
    stays = frame(*((name, "W", "2026-03-01T10:00", "") for name in "ABCDE"))
    taken = presence.measure_occupancy(count(stays), found)
    assert list(taken["occupancy"]) == [0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25]
    assert presence.sum_beds(taken)["occupancy"].iloc[0] == pytest.approx(35 / 120, abs=1e-4)


moment = st.datetimes(
    min_value=pd.Timestamp("2026-03-20").to_pydatetime(),
    max_value=pd.Timestamp("2026-04-05").to_pydatetime(),
).map(lambda one: one.replace(second=0, microsecond=0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(moment, st.integers(0, 20_000)), min_size=1, max_size=12))
def test_the_census_at_midnight_adds_up_to_the_nights(
    drawn: list[tuple[pd.Timestamp, int]],
) -> None:
    """Also over the change of the clock: the sum of the census is the sum of the nights."""
    rows = [
        (f"P{at}", "W", begin.isoformat(), (begin + timedelta(minutes=length)).isoformat())
        for at, (begin, length) in enumerate(drawn)
        if not (begin.date() == date(2026, 3, 29) and begin.hour == 2)
    ]
    rows = [row for row in rows if not row[3].startswith("2026-03-29T02")]
    if not rows:
        return
    stays = frame(*rows)
    first, last = date(2026, 3, 1), date(2026, 5, 1)
    days = clock.days_between(first, last)
    census = len(presence.list_present(stays, days, "midnight"))
    assert census == movements.measure_nights(stays, first, last)["nights"].sum()


def moves_of(*rows: tuple[str, str, str, str]) -> dict[tuple[str, str], int]:
    moves = movements.list_movements(frame(*rows), FIRST, LAST)
    return {key: int(size) for key, size in moves.groupby(["ward", "movement"]).size().items()}  # type: ignore[misc]


def test_a_transfer_is_neither_an_admission_nor_a_discharge() -> None:
    assert moves_of(
        ("A", "W", "2026-03-02T10:00", "2026-03-03T10:00"),
        ("A", "V", "2026-03-03T12:00", "2026-03-05T10:00"),
    ) == {
        ("W", "admission"): 1,
        ("W", "transfer_out"): 1,
        ("V", "transfer_in"): 1,
        ("V", "discharge"): 1,
    }


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("2026-03-03T16:00", {("W", "transfer_out"): 1, ("V", "transfer_in"): 1}),
        ("2026-03-03T16:01", {("W", "discharge"): 1, ("V", "admission"): 1}),
    ],
)
def test_six_hours_part_a_transfer_from_a_new_admission(
    second: str, expected: dict[tuple[str, str], int]
) -> None:
    found = moves_of(("A", "W", "2026-02-01T10:00", "2026-03-03T10:00"), ("A", "V", second, ""))
    assert found == expected


def test_going_on_in_the_same_ward_is_no_movement() -> None:
    assert (
        moves_of(
            ("A", "W", "2026-02-01T10:00", "2026-03-03T10:00"),
            ("A", "W", "2026-03-03T10:05", ""),
        )
        == {}
    )


def test_a_stay_beside_one_that_lasts_is_a_transfer() -> None:
    assert moves_of(("A", "W", "2026-02-01T10:00", ""), ("A", "V", "2026-03-03T10:00", "")) == {
        ("V", "transfer_in"): 1
    }


def test_another_patient_s_stay_is_no_transfer() -> None:
    assert moves_of(
        ("A", "W", "2026-02-01T10:00", "2026-03-03T10:00"), ("B", "V", "2026-03-03T10:10", "")
    ) == {("W", "discharge"): 1, ("V", "admission"): 1}


def test_whole_weeks_only() -> None:
    assert movements.whole_weeks(date(2026, 3, 2), date(2026, 3, 15)) == ["2026-W10", "2026-W11"]
    assert movements.whole_weeks(date(2026, 3, 3), date(2026, 3, 15)) == ["2026-W11"]
    assert movements.whole_weeks(date(2026, 3, 3), date(2026, 3, 8)) == []
    assert movements.whole_weeks(date(2026, 12, 28), date(2027, 1, 3)) == ["2026-W53"]


def test_length_of_stay_counts_those_that_ended() -> None:
    stays = frame(
        ("A", "W", "2026-03-02T23:59", "2026-03-03T00:01"),
        ("B", "W", "2026-02-27T10:00", "2026-03-04T09:00"),
        ("B", "W", "2026-03-05T10:00", "2026-03-05T19:00"),
        ("C", "W", "2026-03-02T10:00", ""),
        ("D", "W", "2026-03-02T10:00", "2026-03-09T10:00"),
    )
    nights = movements.measure_nights(stays, FIRST, LAST)
    table = movements.summarise_nights(nights, ["week", "ward"]).iloc[0]
    assert (table["week"], table["stays"], table["persons"]) == ("2026-W10", 3, 2)
    assert table["mean_nights"] == 2.0
    assert (table["first"], table["second"]) == (5, 1)
    assert pd.isna(table["median_nights"])


def test_percentiles_need_persons_on_either_side() -> None:
    values = pd.Series([1.0, 1.0, 1.0])
    persons = pd.Series([2 * LEAST_BEYOND - 1, 2 * LEAST_BEYOND, 10 * LEAST_BEYOND])
    assert list(keep_percentile(values, persons, 50).notna()) == [False, True, True]
    assert list(keep_percentile(values, persons, 90).notna()) == [False, False, True]


def test_the_two_largest_of_single_patients() -> None:
    rows = pd.DataFrame({"ward": ["W"] * 4 + ["V"], "patient": list("AABCD"), "n": [2, 3, 4, 1, 0]})
    table = largest_two(rows, ["ward"], "n").set_index("ward")
    assert tuple(table.loc["W"]) == (5, 4)
    assert tuple(table.loc["V"]) == (0, 0)


def test_visits_over_four_hours_are_those_of_more_than_240_minutes() -> None:
    start = pd.Timestamp("2026-03-02T10:00", tz="UTC")
    minutes = [240, 241, 60, 60]
    ended = visits.list_ended(
        pd.DataFrame(
            {
                "date": pd.Timestamp("2026-03-02"),
                "triage": "3",
                "patient": list("ABCC"),
                "arrival": start,
                "departure": [start + pd.Timedelta(minutes=n) for n in minutes],
                "outcome": ["6", "7", "8", ""],
            }
        )
    )
    table = visits.measure_visits(ended, ["date"]).iloc[0]
    assert tuple(table[["visits", "admitted", "other", "over_4h", "persons"]]) == (3, 2, 1, 1, 3)


def frame_of_tests() -> pd.DataFrame:
    sampled = pd.Timestamp("2026-03-02T10:00", tz="UTC")
    frame = pd.DataFrame(
        {
            "tube": ["1", "1", "2", "3", "4"],
            "patient": list("AABCD"),
            "ward": "W",
            "analysis": "X",
            "result": ["positive", "negative", "negative", "", "negative"],
            "haemolysis_index": [10.0, 90.0, 50.0, 51.0, None],
            "emergency": False,
            "sampled": sampled,
            "received": sampled + pd.Timedelta(minutes=30),
        }
    )
    lasted = pd.to_timedelta(pd.Series([60, 61, 10, 10, None]), unit="min")
    return frame.assign(validated=frame["received"] + lasted)


def test_positivity_leaves_out_tests_without_such_a_result() -> None:
    told = results.list_results(frame_of_tests(), FIRST, LAST)
    table = results.measure_positivity(told, ["date", "analysis"]).iloc[0]
    assert tuple(table[["tests", "positive", "negative", "positivity"]]) == (4, 1, 3, 0.25)


def test_the_target_is_included_and_what_is_not_validated_left_out() -> None:
    done = results.list_turnarounds(frame_of_tests(), FIRST, LAST, 60)
    table = results.measure_turnaround(done, ["date", "ward"]).iloc[0]
    assert (table["tests"], table["within"], table["share_within"]) == (4, 3, 0.75)


def test_a_tube_counts_once_with_its_highest_index() -> None:
    tubes = results.list_tubes(frame_of_tests(), FIRST, LAST, 50)
    table = results.measure_haemolysis(tubes, ["week", "ward"]).iloc[0]
    assert (table["week"], table["tubes"], table["haemolysed"]) == ("2026-W10", 3, 2)


def test_wilson_s_interval_is_that_of_the_published_example() -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263, 15 of 148."""
    assert results.wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert results.wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
