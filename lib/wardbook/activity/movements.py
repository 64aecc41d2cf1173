"""How patients move and how long they stay: admissions, discharges, transfers, length of stay.

The length of a stay is the number of nights, date of leaving minus date of entering, as the French
case-mix programme counts it (ATIH, Guide méthodologique de production des informations relatives à
l'activité médicale et à sa facturation en MCO: durée de séjour = date de sortie - date d'entrée).
So a stay over a change of the clock has as many nights as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from wardbook.activity.clock import local_days
from wardbook.activity.persons import keep_percentile, largest_two

TRANSFER = pd.Timedelta(hours=6)
"""Who enters a ward within this time of leaving another was transferred."""
MOVEMENTS = ("admission", "discharge", "transfer_in", "transfer_out")


def list_movements(stays: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return one row per movement from `first` to `last`: date, ward, movement, patient.

    An entry is a transfer where the same patient's stay before ended in another ward no more than
    six hours earlier, or lasts still; a leaving likewise, by the stay that follows. A stay that
    goes on in the same ward is no movement. All other entries are admissions, all other leavings
    discharges. `stays` are in order of patient and entry, of all wards: a choice of wards made
    before would turn transfers into admissions.
    """
    by_patient = stays.groupby("patient", observed=True)
    ward = stays["ward"].astype(str)
    other_before = by_patient["ward"].shift().astype(object)
    other_after = by_patient["ward"].shift(-1).astype(object)
    came = stays["entered"] - by_patient["left"].shift() <= TRANSFER
    came |= other_before.notna() & by_patient["left"].shift().isna()
    went = by_patient["entered"].shift(-1) - stays["left"] <= TRANSFER
    entries = _name(came, other_before == ward, "admission", "transfer_in")
    leavings = _name(went, other_after == ward, "discharge", "transfer_out")
    parts = [
        pd.DataFrame({"date": local_days(stays[column]), "ward": ward, "movement": names}).assign(
            patient=stays["patient"].astype(str)
        )
        for column, names in (("entered", entries), ("left", leavings))
    ]
    moves = pd.concat(parts).dropna(subset=["date", "movement"])
    inside = moves["date"].between(pd.Timestamp(first), pd.Timestamp(last))
    return moves[inside].reset_index(drop=True)


def count_by_day(moves: pd.DataFrame, days: pd.DatetimeIndex, *, persons: str) -> pd.DataFrame:
    """Return the movements of all wards by day: date, movement, movements, `persons`.

    `persons` is the name of the column with the number of different patients.
    """
    return _count(moves, {"date": list(days), "movement": list(MOVEMENTS)}, persons)


def count_by_week(
    moves: pd.DataFrame, wards: list[str], weeks: list[str], *, persons: str
) -> pd.DataFrame:
    """Return the movements by ISO week and ward: week, ward, movement, movements, `persons`."""
    named = moves.assign(week=name_weeks(moves["date"]))
    places = {"week": weeks, "ward": sorted(wards), "movement": list(MOVEMENTS)}
    return _count(named, places, persons)


def measure_nights(stays: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return the stays that ended from `first` to `last`: date (of the end), week, ward, …, nights.

    Columns: date, week, ward, patient, nights.
    """
    ended = stays[stays["left"].notna()]
    left = local_days(ended["left"])
    nights = (left - local_days(ended["entered"])).dt.days
    frame = pd.DataFrame({"date": left, "ward": ended["ward"].astype(str)}).assign(
        week=name_weeks(left), patient=ended["patient"].astype(str), nights=nights
    )
    inside = left.between(pd.Timestamp(first), pd.Timestamp(last))
    return frame.loc[inside, ["date", "week", "ward", "patient", "nights"]].reset_index(drop=True)


def summarise_nights(nights: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the length of stay at each place: keys, stays, mean_nights, median_nights, persons.

    `persons` are different patients; `first` and `second` the two longest times that single
    patients spent there. A median that rests on too few persons is missing.
    """
    groups = nights.groupby(keys)
    table = pd.DataFrame(
        {
            "stays": groups.size(),
            "mean_nights": groups["nights"].mean().round(2),
            "median_nights": groups["nights"].median(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    table["median_nights"] = keep_percentile(table["median_nights"], table["persons"], 50)
    return table.merge(largest_two(nights, keys, "nights"), on=keys)


def whole_weeks(first: date, last: date) -> list[str]:
    """Return the ISO weeks, such as 2026-W03, all of whose days are from `first` to `last`."""
    days = pd.Series(pd.date_range(first, last, freq="D"))
    sizes = name_weeks(days).value_counts(sort=False)
    return sorted(sizes.index[sizes == 7])


def name_weeks(days: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    """Return the ISO week of each day, such as 2026-W03."""
    parts = days.dt.isocalendar()
    return parts["year"].astype(str) + "-W" + parts["week"].astype(str).str.zfill(2)


def _name(
    moved: pd.Series[bool], same: pd.Series[bool], alone: str, transferred: str
) -> pd.Series[str]:
    names = pd.Series(alone, index=moved.index, dtype=object)
    return names.mask(moved, transferred).mask(moved & same)


def _count(
    moves: pd.DataFrame, places: Mapping[str, Sequence[object]], persons: str
) -> pd.DataFrame:
    keys = list(places)
    grid = pd.MultiIndex.from_product(list(places.values()), names=keys)
    groups = moves.groupby(keys)
    table = pd.DataFrame({"movements": groups.size(), persons: groups["patient"].nunique()})
    return table.reindex(grid, fill_value=0).reset_index()
