"""Shares of susceptible isolates with their intervals, by organism, drug and whatever else.

Intervals of a proportion (statsmodels): `exact` is Clopper and Pearson's (1934), which holds the
truth in at least 95 of 100 samples; `wilson` is Wilson's (1927), narrower, 95 on average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from wardbook.activity.persons import largest_two
from wardbook.microbiology.catalogue import Catalogue

Interval = Literal["exact", "wilson"]
SUSCEPTIBLE: Mapping[str, tuple[str, ...]] = {"S": ("S",), "SI": ("S", "I")}
"""What counts as susceptible, by the parameter's code."""
_METHODS = {"exact": "beta", "wilson": "wilson"}


def list_tested(rows: pd.DataFrame, count_as: str) -> pd.DataFrame:
    """Return the rows with a result: isolate, patient, day, …, and susceptible (1 or 0)."""
    tested = rows[rows["result"].notna()]
    return tested.assign(susceptible=tested["result"].isin(SUSCEPTIBLE[count_as]).astype("int64"))


def measure_shares(
    tested: pd.DataFrame, keys: Sequence[str], interval: Interval, *, least: int
) -> pd.DataFrame:
    """Return keys, isolates, share, low, high; then patients, first, second.

    `share` (0 to 1) of the isolates is susceptible. `patients` are different ones, `first` and
    `second` the most susceptible isolates of single ones. Only places with at least `least`
    isolates: M39 asks for 30.
    """
    groups = tested.groupby(list(keys), observed=True)
    table = pd.DataFrame(
        {
            "isolates": groups.size(),
            "susceptible": groups["susceptible"].sum(),
            "patients": groups["patient"].nunique(),
        }
    ).reset_index()
    table = table[table["isolates"] >= least].reset_index(drop=True)
    table["share"] = table["susceptible"] / table["isolates"]
    table["low"], table["high"] = find_bounds(table["susceptible"], table["isolates"], interval)
    largest = largest_two(tested, list(keys), "susceptible")
    return table.drop(columns="susceptible").merge(largest, on=list(keys))


def find_bounds(
    part: pd.Series[int], whole: pd.Series[int], interval: Interval
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of the 95 % interval of each share."""
    if whole.empty:
        return np.array([]), np.array([])
    low, high = proportion_confint(part, whole, 0.05, _METHODS[interval])
    # By the beta distribution a bound beside 0 or all is no number.
    return np.where(part == 0, 0.0, low), np.where(part == whole, 1.0, high)


def count_suppressed(tested: pd.DataFrame, keys: Sequence[str], *, least: int) -> int:
    """Return how many places have isolates, but too few for a share."""
    return int((tested.groupby(list(keys), observed=True).size() < least).sum())


def mark_intrinsic(rows: pd.DataFrame, catalogue: Catalogue) -> pd.Series[bool]:
    """Tell of each row whether its organism is expected to be resistant to its drug."""
    pairs = rows[["organism", "drug"]].drop_duplicates()
    marked = {
        (organism, drug)
        for organism, drug in pairs.itertuples(index=False)
        if catalogue.is_intrinsic(organism, drug)
    }
    keys = pd.MultiIndex.from_frame(rows[["organism", "drug"]])
    return pd.Series(keys.isin(list(marked)), index=rows.index)


def list_combined(
    tested: pd.DataFrame, pairs: Sequence[tuple[str, str]] | None = None
) -> pd.DataFrame:
    """Return for each isolate tested for both drugs of a pair whether one of them is active.

    Columns: isolate, patient, organism, drug (`A+B`), susceptible. Isolates tested for one alone
    are left out, whatever it found: who tests the second drug only where the first is not active
    would else make the pair look better.

    Args:
        tested: see `list_tested`.
        pairs: of drugs; None: all pairs that were tested.
    """
    wide = tested.pivot(index="isolate", columns="drug", values="susceptible")
    if pairs is None:
        pairs = list(combinations(sorted(wide.columns), 2))
    of = tested.drop_duplicates("isolate").set_index("isolate")[["patient", "organism"]]
    found = []
    for one, other in pairs:
        if one not in wide or other not in wide:
            continue
        both = wide[[one, other]].dropna()
        active = both.max(axis="columns").astype("int64").rename("susceptible")
        found.append(of.join(active, how="inner").assign(drug=f"{one}+{other}").reset_index())
    columns = ["isolate", "patient", "organism", "drug", "susceptible"]
    return pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)
