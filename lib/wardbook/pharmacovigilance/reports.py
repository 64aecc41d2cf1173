"""Which reports count, and how many have each drug, each event and both.

A *report* is what is counted: a case of a registry, or a hospital stay in which a drug was given.
A pair is counted in a report when the event began after the drug; the event alone is counted where
it began after any drug. All reports with a drug, with or without an event, are the whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from wardbook.datasets.sorting import Sorted, leave_out

ATC = re.compile(r"[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?")
"""A code of the Anatomical Therapeutic Chemical classification, of level 2 to 5."""
LATE_DAYS = 7
"""An export that ends more days before the period is late: not each day has reports."""


def sort_out(rows: pd.DataFrame, now: pd.Timestamp) -> Sorted:
    """Part the rows that can be counted from those that cannot.

    Left out are rows whose drug has not the form of an ATC code (`drug`), of a day after `now`
    (`future`), of a report with more than one patient or day (`mixed`), and those that came before
    (`repeated`): one reason each, in this order.
    """
    by_report = rows.groupby("report")[["patient", "day"]].transform("nunique")
    mistakes = {
        "drug": ~rows["drug"].map(lambda code: bool(ATC.fullmatch(code))),
        "future": rows["day"] > now.tz_localize(None),
        "mixed": (by_report > 1).any(axis="columns"),
        "repeated": rows.duplicated(["report", "drug", "event"]),
    }
    return leave_out(rows, mistakes)


def count_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each drug and event that some report has, by drug and event.

    Columns: drug, event, reports (with both), drug_reports, event_reports, all_reports; and the
    different patients behind the first three: patients, drug_patients, event_patients.
    """
    having = rows.dropna(subset=["event"])
    pairs = _count(having, ["drug", "event"], "")
    pairs = pairs.merge(_count(rows, ["drug"], "drug_"), on="drug")
    pairs = pairs.merge(_count(having, ["event"], "event_"), on="event")
    pairs["all_reports"] = rows["report"].nunique()
    return pairs.sort_values(["drug", "event"], kind="stable", ignore_index=True)


def keep_frequent(pairs: pd.DataFrame, least: int) -> pd.DataFrame:
    """Return the pairs of which no part is small.

    At least so many patients have both, the drug without the event, and the event without the
    drug: each of these numbers could be computed from what is published.
    """
    parts = (
        pairs["patients"],
        pairs["drug_patients"] - pairs["patients"],
        pairs["event_patients"] - pairs["patients"],
    )
    enough = pd.concat(parts, axis="columns").min(axis="columns") >= least
    return pairs[enough].reset_index(drop=True)


def choose_pairs(
    pairs: pd.DataFrame, drugs: Sequence[str] | None, events: Sequence[str] | None
) -> pd.DataFrame:
    """Return the pairs of the drugs and events asked for, by the beginning of their codes."""
    for column, wanted in (("drug", drugs), ("event", events)):
        if wanted:
            pairs = pairs[pairs[column].str.startswith(tuple(wanted))]
    return pairs.reset_index(drop=True)


def name_codes(rows: pd.DataFrame) -> dict[str, str]:
    """Return the name of each drug and event, its code where the file has none."""
    names: dict[str, str] = {}
    for code in ("drug", "event"):
        known = rows[[code, f"{code}_name"]].dropna().drop_duplicates(code)
        names |= dict(zip(known[code], known[f"{code}_name"], strict=True))
    return names


def _count(rows: pd.DataFrame, keys: list[str], prefix: str) -> pd.DataFrame:
    groups = rows.groupby(keys, observed=True)
    counts = groups.agg(reports=("report", "nunique"), patients=("patient", "nunique"))
    return counts.add_prefix(prefix).reset_index()
