"""Which isolates count: those that can be true, and of each patient the first.

M39 counts each patient once per species and period analysed, by the first isolate, whatever its
specimen and its susceptibility: who is treated in vain is sampled again, so that all isolates
together overstate resistance. Isolates of screening are not counted at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from wardbook.datasets.sorting import Sorted, leave_out
from wardbook.microbiology.catalogue import SCREENING, Catalogue

RESULTS = ("S", "I", "R")
LATE_DAYS = 7
"""An export that ends more days before the period is late: not each day has isolates."""
RENAMED_ISOLATES, RENAMED_DAYS = 30, 31
"""A ward that had so many isolates and ends, and another that begins within so many days."""


def sort_out(rows: pd.DataFrame, catalogue: Catalogue, now: pd.Timestamp) -> Sorted:
    """Part the rows that can be counted from those that cannot.

    Left out are rows of an organism (`organism`) or drug (`drug`) that the catalogue does not have,
    with a result that is neither S, I nor R (`result`), of a day after `now` (`future`), of an
    isolate and drug that came before (`repeated`), and of screening (`screening`): one reason each,
    in this order. A concentration in another unit than mg/L, or that is none, is emptied (`unit`).
    """
    mistakes = {
        "organism": ~rows["organism"].isin(list(catalogue.organisms)),
        "drug": ~rows["drug"].isin(list(catalogue.drugs)),
        "result": rows["result"].notna() & ~rows["result"].isin(RESULTS),
        "future": rows["day"] > now.tz_localize(None),
        "repeated": rows.duplicated(["isolate", "drug"]),
        "screening": rows["specimen"] == SCREENING,
    }
    counted = leave_out(rows, mistakes)
    kept = counted.rows
    # µ is written with two characters; a milligram per litre is a microgram per millilitre.
    unit = kept["unit"].str.lower().str.replace("μ", "u").str.replace("µ", "u")
    wrong = kept["mic"].notna() & (~unit.isin(["mg/l", "ug/ml"]) | (kept["mic"] <= 0))
    kept["mic"] = kept["mic"].mask(wrong)
    unit_wrong = {"unit": int(wrong.sum())} if wrong.any() else {}
    return Sorted(kept, {**counted.odd, **unit_wrong})


def keep_first(rows: pd.DataFrame, within: Sequence[str] = ()) -> pd.DataFrame:
    """Return the rows of the first isolate of each patient and organism, in their order.

    By day, then by the isolate's number; `within` are further columns of which each value has first
    isolates of its own (a year, a ward).
    """
    keys = ["patient", "organism", *within]
    isolates = rows.drop_duplicates("isolate").sort_values(["day", "isolate"], kind="stable")
    return rows[rows["isolate"].isin(isolates.drop_duplicates(keys)["isolate"])]


def find_renamed(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the pairs of wards of which one seems to go on under the name of the other.

    The one has no isolate any more before the last tenth of the period, the other none in the
    first, both have many, and the second begins within a month after the first ends. A pair is a
    question to who knows the wards.
    """
    isolates = rows.dropna(subset=["ward"]).drop_duplicates("isolate")
    wards = isolates.groupby("ward")["day"].agg(["min", "max", "size"])
    wards = wards[wards["size"] >= RENAMED_ISOLATES]
    first, last = rows["day"].min(), rows["day"].max()
    margin = (last - first) / 10
    ended = wards[wards["max"] < last - margin]
    begun = wards[wards["min"] > first + margin]
    limit = pd.Timedelta(days=RENAMED_DAYS)
    return [
        (str(old), str(new))
        for old, until in ended["max"].items()
        for new, since in begun["min"].items()
        if pd.Timedelta(0) <= since - until <= limit
    ]
