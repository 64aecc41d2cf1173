"""Who is in which ward at the daily census: patients present, occupancy of the beds.

The census of a day is taken at midnight at its end, as French hospitals count their days (a stay
counts the day of its beginning and not that of its end), or at 8 in the morning. A patient is
present when a stay began before that moment and does not end before it, so that the census at
midnight adds up to the nights of the stays; a patient with two stays in one ward is there once,
with stays in two wards in both.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from wardbook.activity.clock import start_of_days
from wardbook.activity.persons import largest_two

Census = Literal["midnight", "08:00"]


def list_present(stays: pd.DataFrame, days: pd.DatetimeIndex, census: Census) -> pd.DataFrame:
    """Return one row per patient, ward and day on which they were there: date, ward, patient."""
    one_day = pd.Timedelta(days=1)
    moments = start_of_days(days + one_day) if census == "midnight" else start_of_days(days, 8)
    never = moments[-1] + one_day
    first = moments.searchsorted(stays["entered"], side="right")
    after = moments.searchsorted(stays["left"].fillna(never), side="right")
    times = np.maximum(after - first, 0)
    rows = np.repeat(np.arange(len(stays)), times)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(times) - times, times)
    present = pd.DataFrame(
        {
            "date": days[first[rows] + offset],
            "ward": stays["ward"].astype(str).to_numpy()[rows],
            "patient": stays["patient"].astype(str).to_numpy()[rows],
        }
    )
    return present.drop_duplicates(ignore_index=True)


def count_present(present: pd.DataFrame, wards: list[str], days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the patients present by day and ward, zeros included: date, ward, patients."""
    places = pd.MultiIndex.from_product([days, sorted(wards)], names=["date", "ward"])
    counts = present.groupby(["date", "ward"]).size().reindex(places, fill_value=0)
    return counts.rename("patients").reset_index()


def beds_by_day(beds: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the beds that are valid on each day: date, ward, beds; wards without any are absent.

    A ward has as many beds as its latest line at or before the day says.
    """
    wards = beds["ward"].unique()
    grid = pd.MultiIndex.from_product([days, wards], names=["date", "ward"]).to_frame(index=False)
    valid = beds.sort_values("valid_from", kind="stable").rename(columns={"valid_from": "date"})
    found = pd.merge_asof(grid, valid[["date", "ward", "beds"]], on="date", by="ward")
    found = found[found["beds"] > 0].astype({"beds": "int64"})
    return found.sort_values(["date", "ward"], ignore_index=True)


def measure_occupancy(presence: pd.DataFrame, beds: pd.DataFrame) -> pd.DataFrame:
    """Return how many of a ward's beds are taken: date, ward, patients, beds, occupancy.

    `occupancy = patients / beds` at the census; it is above 1 where there are more patients than
    beds. Ward-days without a number of beds are absent. `presence` is that of `count_present`,
    `beds` that of `beds_by_day`.
    """
    joined = presence.merge(beds, on=["date", "ward"])
    return joined.assign(occupancy=(joined["patients"] / joined["beds"]).round(4))


def occupancy_persons(occupancy: pd.DataFrame) -> pd.DataFrame:
    """Return what single persons make up of the occupancy: date, ward, patients, first, second.

    Each patient takes one bed: the two largest contributions are one bed's share each.
    """
    one = 1 / occupancy["beds"]
    parts = {"first": one.where(occupancy["patients"] > 0, 0.0)}
    parts["second"] = one.where(occupancy["patients"] > 1, 0.0)
    return occupancy[["date", "ward", "patients"]].assign(**parts)


def sum_hospital(presence: pd.DataFrame) -> pd.DataFrame:
    """Return the patients present in all wards together by day: date, patients."""
    return presence.groupby("date")[["patients"]].sum().reset_index()


def sum_by_ward(present: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return each ward's whole period: ward, patients, patient_days, mean_present.

    `patients` are different persons, `patient_days` the sum of the daily census, `mean_present`
    that divided by the days.
    """
    by_ward = present.groupby("ward")
    table = pd.DataFrame({"patients": by_ward["patient"].nunique(), "patient_days": by_ward.size()})
    return table.assign(mean_present=(table["patient_days"] / days).round(2)).reset_index()


def ward_persons(present: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return the two longest presences of single patients in each ward, in days and of the mean.

    Columns: ward, longest, second_longest, longest_share, second_share.
    """
    names = ("longest", "second_longest")
    table = largest_two(present.assign(days=1), ["ward"], "days", names)
    shares = {"longest_share": table[names[0]] / days, "second_share": table[names[1]] / days}
    return table.assign(**shares)


def sum_beds(occupancy: pd.DataFrame) -> pd.DataFrame:
    """Return each ward's whole period, fullest first: ward, occupancy.

    `occupancy` is the sum of patients over the sum of beds on the days with a number of beds.
    """
    sums = occupancy.groupby("ward")[["patients", "beds"]].sum()
    table = (sums["patients"] / sums["beds"]).round(4).rename("occupancy").reset_index()
    return table.sort_values("occupancy", ascending=False, kind="stable", ignore_index=True)


def beds_persons(present: pd.DataFrame, occupancy: pd.DataFrame) -> pd.DataFrame:
    """Return who is behind `sum_beds`: ward, persons, first, second.

    `persons` are different patients on the days with beds, `first` and `second` the largest parts
    of single ones in the occupancy.
    """
    beds = occupancy.groupby("ward")["beds"].sum()
    counted = present.merge(occupancy[["date", "ward"]], on=["date", "ward"])
    persons = counted.groupby("ward")["patient"].nunique().reindex(beds.index, fill_value=0)
    parts = counted.assign(part=1 / counted["ward"].map(beds))
    largest = largest_two(parts, ["ward"], "part").set_index("ward").reindex(beds.index)
    return largest.fillna(0).assign(persons=persons)[["persons", "first", "second"]].reset_index()
