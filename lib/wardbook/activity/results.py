"""Indicators of the laboratory: tests and positivity, turnaround, haemolysis.

- Positivity: positive tests over positive and negative ones, by day of sampling; tests without
  such a result are in neither.
- Turnaround: minutes from received to validated, the laboratory's own part (ISO 15189 calls for
  turnaround times to be set and watched; the working group of the IFCC on errors and patient safety
  takes the 90th percentile), by day of reception. Percentiles by linear interpolation, as pandas.
- Haemolysis: tubes whose index is above the threshold over the tubes of which it was taken (the
  IFCC group's indicator of haemolysed samples), by ISO week of sampling. A tube counts once, with
  the highest index of its tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from scipy.stats import binomtest

from wardbook.activity.clock import local_days
from wardbook.activity.laboratory import NEGATIVE, POSITIVE
from wardbook.activity.movements import name_weeks
from wardbook.activity.persons import keep_percentile, largest_two


@dataclass(frozen=True)
class Counted:
    """How many tests, of how many different patients."""

    tests: int
    patients: int


def count_tests(tests: pd.DataFrame, first: date, last: date) -> Counted:
    """Count the tests sampled from `first` to `last`, whatever became of them."""
    kept = _keep(tests.assign(date=local_days(tests["sampled"])), first, last)
    return Counted(len(kept), kept["patient"].nunique())


def list_results(tests: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return the tests with a result, sampled from `first` to `last`: date, analysis, …, positive.

    Columns: date, analysis, patient, positive (0 or 1).
    """
    told = tests[tests["result"].isin([POSITIVE, NEGATIVE])]
    frame = told[["analysis", "patient"]].astype(str)
    frame = frame.assign(
        date=local_days(told["sampled"]), positive=(told["result"] == POSITIVE).astype(int)
    )
    return _keep(frame, first, last)


def measure_positivity(results: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return keys, tests, positive, negative, positivity; then persons, first, second.

    `persons` are different patients, `first` and `second` the most positive tests of single ones.
    """
    groups = results.groupby(keys)
    table = pd.DataFrame(
        {
            "tests": groups.size(),
            "positive": groups["positive"].sum(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    table["negative"] = table["tests"] - table["positive"]
    table["positivity"] = (table["positive"] / table["tests"]).round(4)
    return table.merge(largest_two(results, keys, "positive"), on=keys)


def list_turnarounds(tests: pd.DataFrame, first: date, last: date, target: int) -> pd.DataFrame:
    """Return the validated tests received from `first` to `last`: date, ward, …, minutes, within.

    Columns: date, ward, patient, emergency, minutes, within (1 where no more than `target`
    minutes, else 0).
    """
    done = tests[tests["validated"].notna() & tests["received"].notna()]
    minutes = (done["validated"] - done["received"]).dt.total_seconds() / 60
    frame = done[["ward", "patient"]].astype(str)
    frame = frame.assign(
        date=local_days(done["received"]),
        emergency=done["emergency"],
        minutes=minutes,
        within=(minutes <= target).astype(int),
    )
    return _keep(frame, first, last)


def measure_turnaround(turnarounds: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return keys, tests, median_minutes, p90_minutes, within, share_within; then the persons.

    `persons` are different patients, `first` and `second` the most tests within the target of
    single ones. Percentiles that rest on too few persons are missing.
    """
    groups = turnarounds.groupby(keys)
    table = pd.DataFrame(
        {
            "tests": groups.size(),
            "median_minutes": groups["minutes"].median().round(1),
            "p90_minutes": groups["minutes"].quantile(0.9).round(1),
            "within": groups["within"].sum(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    for column, percent in (("median_minutes", 50), ("p90_minutes", 90)):
        table[column] = keep_percentile(table[column], table["persons"], percent)
    table["share_within"] = (table["within"] / table["tests"]).round(4)
    return table.merge(largest_two(turnarounds, keys, "within"), on=keys)


def list_tubes(tests: pd.DataFrame, first: date, last: date, threshold: float) -> pd.DataFrame:
    """Return the tubes with an index, sampled from `first` to `last`: date, week, …, haemolysed.

    Columns: date, week, ward, patient, haemolysed (1 where the index is above `threshold`, else 0).
    """
    measured = tests[tests["haemolysis_index"].notna()]
    ordered = measured.sort_values("haemolysis_index", ascending=False, kind="stable")
    tubes = ordered.drop_duplicates("tube")
    days = local_days(tubes["sampled"])
    frame = tubes[["ward", "patient"]].astype(str)
    frame = frame.assign(
        date=days,
        week=name_weeks(days),
        haemolysed=(tubes["haemolysis_index"] > threshold).astype(int),
    )
    return _keep(frame, first, last)


def measure_haemolysis(tubes: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return keys, tubes, haemolysed, share; then persons, first, second.

    `persons` are different patients, `first` and `second` the most haemolysed tubes of single ones.
    """
    groups = tubes.groupby(keys)
    table = pd.DataFrame(
        {
            "tubes": groups.size(),
            "haemolysed": groups["haemolysed"].sum(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    table["share"] = (table["haemolysed"] / table["tubes"]).round(4)
    return table.merge(largest_two(tubes, keys, "haemolysed"), on=keys)


def find_outstanding(by_ward: pd.DataFrame, *, confidence: float = 0.998) -> list[str]:
    """Return the wards whose haemolysis is above that of all others together, highest share first.

    The lower bound of the ward's own share (Wilson's interval, scipy) is above the share of all
    other wards' tubes. 99.8 % is the outer limit of funnel plots (Spiegelhalter 2005): of 20 wards
    that do not differ, one list in fifty names one.
    """
    table = by_ward.sort_values("share", ascending=False, kind="stable")
    total, bad = table["tubes"].sum(), table["haemolysed"].sum()
    named = []
    for ward, tubes, haemolysed in table[["ward", "tubes", "haemolysed"]].itertuples(index=False):
        low, _ = wilson_interval(int(haemolysed), int(tubes), confidence=confidence)
        if total > tubes and low > (bad - haemolysed) / (total - tubes):
            named.append(str(ward))
    return named


def wilson_interval(part: int, whole: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share (Wilson 1927, by scipy)."""
    interval = binomtest(part, whole).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def _keep(frame: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    inside = frame["date"].between(pd.Timestamp(first), pd.Timestamp(last))
    return frame[inside].reset_index(drop=True)
