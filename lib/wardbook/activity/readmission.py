"""Readmission within thirty days of leaving the hospital.

A hospital stay is a chain of stays in wards, each entered no more than six hours after the one
before was left (`movements.TRANSFER`); it counts at the ward that it ended in. As in the
hospital-wide measure of the Centers for Medicare & Medicaid Services, any return within thirty days
counts, for whatever cause; planned returns cannot be told from stays. Who died in hospital did not
leave it: without deaths they would count as patients who did not come back. Who left in the last
thirty days of the data could not have been seen to return in time, and is left out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import pandas as pd

from wardbook.activity.clock import local_days, start_of_days
from wardbook.activity.movements import TRANSFER
from wardbook.activity.persons import largest_two

WITHIN_DAYS = 30


def list_hospital_stays(stays: pd.DataFrame, passing: Collection[str]) -> pd.DataFrame:
    """Return one row per hospital stay: patient, entered, left (NaT while it lasts), ward (last).

    `stays` are in order of patient and entry, of all wards. Chains in wards of `passing` alone (the
    emergency department's) are visits and no hospital stays.
    """
    never = pd.Timestamp("2200-01-01", tz="UTC")
    until = stays["left"].fillna(never)
    latest = until.groupby(stays["patient"], observed=True).cummax()
    before = latest.groupby(stays["patient"], observed=True).shift()
    opens = before.isna() | (stays["entered"] - before > TRANSFER)
    marked = pd.DataFrame(
        {
            "patient": stays["patient"].astype(str),
            "ward": stays["ward"].astype(str),
            "entered": stays["entered"],
            "until": until,
            "inside": ~stays["ward"].astype(str).isin(list(passing)),
        }
    )
    groups = marked.groupby(opens.cumsum().rename("chain"))
    whole = pd.DataFrame(
        {
            "patient": groups["patient"].first(),
            "entered": groups["entered"].min(),
            "left": groups["until"].max(),
            "ward": groups["ward"].last(),
            "inside": groups["inside"].any(),
        }
    )
    whole["left"] = whole["left"].mask(whole["left"] == never)
    return whole.loc[whole["inside"], ["patient", "entered", "left", "ward"]].reset_index(drop=True)


def last_followed(last: date) -> date:
    """Return the last day whose leavings have been followed for thirty days by the day `last`."""
    return last - timedelta(days=WITHIN_DAYS)


def follow_up(
    hospital_stays: pd.DataFrame, first: date, last: date, deaths: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the leavings from `first` on that can be followed: ward, patient, readmitted (0, 1).

    Those of the thirty days up to `last`, the last day of the data, cannot; nor can those of
    patients who died by the day on which they left. `hospital_stays` are those of
    `list_hospital_stays`, `deaths` have patient and day.
    """
    by_patient = hospital_stays.groupby("patient")
    again = by_patient["entered"].shift(-1) - hospital_stays["left"]
    left = hospital_stays["left"]
    opening, closing = start_of_days(
        pd.DatetimeIndex([first, last_followed(last) + timedelta(days=1)])
    )
    kept = left.notna() & (left >= opening) & (left < closing)
    if deaths is not None:
        died = hospital_stays["patient"].map(deaths.set_index("patient")["day"])
        kept &= ~(died.notna() & (local_days(left) >= died))
    rows = hospital_stays.loc[kept, ["ward", "patient"]]
    within = again[kept] <= pd.Timedelta(days=WITHIN_DAYS)
    return rows.assign(readmitted=within.astype(int)).reset_index(drop=True)


def measure_readmissions(followed: pd.DataFrame) -> pd.DataFrame:
    """Return by ward: ward, discharges, readmitted, share_readmitted, persons, first, second.

    `persons` are different patients; `first` and `second` the most returns of single patients.
    `followed` is that of `follow_up`.
    """
    groups = followed.groupby("ward")
    table = pd.DataFrame(
        {
            "discharges": groups.size(),
            "readmitted": groups["readmitted"].sum(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    table["share_readmitted"] = (table["readmitted"] / table["discharges"]).round(4)
    return table.merge(largest_two(followed, ["ward"], "readmitted"), on="ward")
