"""Indicators of the emergency department, by day of arrival.

A visit lasts from arrival to departure. `over_4h` are visits of more than 240 minutes: the French
network of regional observatories (FEDORU, panorama of the indicators of emergency activity) counts
those under four hours; admissions are moves to a ward or to another hospital, as it counts them.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from wardbook.activity.emergency import ADMITTED
from wardbook.activity.persons import keep_percentile, largest_two

LONG_MINUTES = 240


def keep_days(table: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return the rows whose `date` is from `first` to `last`."""
    inside = table["date"].between(pd.Timestamp(first), pd.Timestamp(last))
    return table[inside].reset_index(drop=True)


def list_ended(visits: pd.DataFrame) -> pd.DataFrame:
    """Return the visits with departure and outcome: date, triage, patient, minutes, admitted, …

    The last columns are admitted and over_4h, each 0 or 1.
    """
    known = visits[visits["departure"].notna() & (visits["outcome"] != "")]
    minutes = (known["departure"] - known["arrival"]).dt.total_seconds() / 60
    return known[["date", "triage", "patient"]].assign(
        minutes=minutes,
        admitted=known["outcome"].isin(ADMITTED).astype(int),
        over_4h=(minutes > LONG_MINUTES).astype(int),
    )


def measure_visits(ended: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return what became of visits that ended: keys, visits, admitted, other, median_minutes, …

    Then over_4h, share_over_4h, and what the rules read: persons (different patients), first,
    second (the most visits over four hours of single patients). The median is missing where it
    rests on too few persons. `ended` is that of `list_ended`.
    """
    groups = ended.groupby(keys)
    table = pd.DataFrame(
        {
            "visits": groups.size(),
            "admitted": groups["admitted"].sum(),
            "median_minutes": groups["minutes"].median(),
            "over_4h": groups["over_4h"].sum(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    table["other"] = table["visits"] - table["admitted"]
    table["share_over_4h"] = (table["over_4h"] / table["visits"]).round(4)
    table["median_minutes"] = keep_percentile(table["median_minutes"], table["persons"], 50)
    return table.merge(largest_two(ended, keys, "over_4h"), on=keys)
