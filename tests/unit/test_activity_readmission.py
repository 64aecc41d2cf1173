"""Readmissions, on small cases counted by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd

from tests.unit.test_activity_indicators import frame
from wardbook.activity.readmission import follow_up, list_hospital_stays, measure_readmissions

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)


def measure(stays: pd.DataFrame) -> pd.DataFrame:
    whole = list_hospital_stays(stays, {"URGE"})
    return measure_readmissions(follow_up(whole, FIRST, LAST)).set_index("ward")


def test_a_return_within_thirty_days_counts_at_the_ward_that_was_left() -> None:
    stays = frame(
        # From the emergency department to V, on to W within six hours; back on the thirtieth day.
        ("A", "URGE", "2026-01-04T22:00", "2026-01-05T01:00"),
        ("A", "V", "2026-01-05T02:00", "2026-01-08T10:00"),
        ("A", "W", "2026-01-08T12:00", "2026-01-10T10:00"),
        ("A", "V", "2026-02-09T09:00", "2026-02-11T10:00"),
        # One minute over thirty days: no readmission.
        ("B", "W", "2026-01-05T10:00", "2026-01-10T10:00"),
        ("B", "W", "2026-02-09T10:01", "2026-02-10T10:00"),
        # A visit to the emergency department alone is no return.
        ("C", "W", "2026-01-05T10:00", "2026-01-10T10:00"),
        ("C", "URGE", "2026-01-12T10:00", "2026-01-12T14:00"),
    )
    table = measure(stays)
    assert table.loc["W", ["discharges", "readmitted", "persons"]].tolist() == [4, 1, 3]
    assert table.loc["W", "share_readmitted"] == 0.25
    assert table.loc["V", ["discharges", "readmitted"]].tolist() == [1, 0]


def test_who_left_too_late_or_is_still_there_is_not_followed() -> None:
    stays = frame(
        ("A", "W", "2026-02-01T10:00", "2026-03-01T10:00"),  # thirty days before the last
        ("B", "W", "2026-02-01T10:00", "2026-03-02T10:00"),  # a day less
        ("C", "W", "2026-02-01T10:00", ""),
        ("D", "W", "2025-12-01T10:00", "2025-12-31T23:59"),  # before the first day
    )
    assert measure(stays).loc["W", "discharges"] == 1


def test_a_stay_within_another_does_not_end_the_hospital_stay() -> None:
    stays = frame(
        ("A", "W", "2026-01-05T10:00", "2026-01-20T10:00"),
        ("A", "V", "2026-01-06T10:00", "2026-01-07T10:00"),
        ("A", "V", "2026-01-19T10:00", "2026-01-19T12:00"),
    )
    whole = list_hospital_stays(stays, set())
    assert len(whole) == 1
    assert whole["left"].dt.tz_convert("Europe/Paris").dt.day.tolist() == [20]


def test_the_largest_contributions_are_those_of_single_patients() -> None:
    rows = [
        ("A", "W", f"2026-01-{day:02}T10:00", f"2026-01-{day:02}T20:00") for day in (2, 6, 10, 14)
    ]
    rows += [("B", "W", "2026-01-05T10:00", "2026-01-06T10:00")]
    table = measure(frame(*rows))
    assert table.loc["W", ["readmitted", "first", "second", "persons"]].tolist() == [3, 3, 0, 2]


def test_who_died_in_hospital_did_not_leave_it() -> None:
    stays = frame(
        ("A", "W", "2026-01-05T10:00", "2026-01-10T23:30"),
        ("B", "W", "2026-01-05T10:00", "2026-01-10T10:00"),
    )
    whole = list_hospital_stays(stays, set())
    deaths = pd.DataFrame(
        {"patient": ["A", "B"], "day": pd.to_datetime(["2026-01-10", "2026-01-11"])}
    )
    assert list(follow_up(whole, FIRST, LAST, deaths)["patient"]) == ["B"]
    assert len(follow_up(whole, FIRST, LAST)) == 2, "the control"
