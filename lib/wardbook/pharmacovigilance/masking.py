"""Masking: a drug with very many reports of an event hides that others cause it too.

The reports with such a drug raise how often the event is reported at all, and so what is expected
of every other drug (Maignen 2014). Left out, the others are seen (Wang 2010).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from wardbook.pharmacovigilance.reports import count_pairs, keep_frequent
from wardbook.pharmacovigilance.signals import measure_signals

MASKING_SHARE = 0.25
"""Share of an event's reports that one drug has, from which it is looked behind."""


def find_masking(pairs: pd.DataFrame, signals: pd.DataFrame) -> Mapping[str, str]:
    """Return for each event the drug that may mask others: a signal with many of its reports."""
    called = signals[signals["evans"] == 1][["drug", "event"]]
    known = pairs.merge(called, on=["drug", "event"])
    share = known["reports"] / known["event_reports"]
    heavy = known[share >= MASKING_SHARE].sort_values("reports", ascending=False, kind="stable")
    first = heavy.drop_duplicates("event")
    return dict(zip(first["event"], first["drug"], strict=True))


def measure_without(rows: pd.DataFrame, masking: Mapping[str, str], least: int) -> pd.DataFrame:
    """Return the signals of each event, without the reports of the drug that may mask them.

    Columns as `measure_signals`, and masked_by: the drug that was left out.
    """
    found = []
    for event, drug in sorted(masking.items()):
        with_it = rows.loc[rows["drug"] == drug, "report"].unique()
        others = count_pairs(rows[~rows["report"].isin(with_it)])
        others = keep_frequent(others[others["event"] == event], least)
        if len(others):
            found.append(measure_signals(others).assign(masked_by=drug))
    if not found:
        return measure_signals(count_pairs(rows).iloc[:0]).assign(masked_by="")
    return pd.concat(found, ignore_index=True)


def list_unmasked(without: pd.DataFrame, signals: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs that Evans' criteria call a signal only without the masking drug."""
    called = signals[signals["evans"] == 1].set_index(["drug", "event"]).index
    before = pd.MultiIndex.from_frame(without[["drug", "event"]]).isin(called)
    return without[(without["evans"] == 1) & ~before].reset_index(drop=True)
