"""The tables of tubes that leave, and what the disclosure rules read of them.

Haemolysis is of a tube and of the work on it, no trait of a person: a count of haemolysed tubes is
judged as a sum of what single patients make up of it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from wardbook.activity.persons import LEAST_BEYOND
from wardbook.activity.results import measure_haemolysis, wilson_interval
from wardbook.haemolysis.design import FACTORS

BANDS = (0.0, 0.5, 1.0, 2.0, 4.0, np.inf)
"""Hours from draw to reception; a band has its upper end."""
BAND_NAMES = ("0-0.5", "0.5-1", "1-2", "2-4", "4+")
MOST_OF_ONE, MOST_OF_TWO = 0.85, 0.9
"""A row to whose haemolysed tubes one patient, or two, add more is not shown."""


def count_wards(tubes: pd.DataFrame, weeks: list[str] | None = None) -> pd.DataFrame:
    """Return ward (and week, of `weeks`), tubes, haemolysed, share, persons, first, second."""
    if weeks is None:
        return measure_haemolysis(tubes, ["ward"])
    whole = tubes[tubes["week"].isin(weeks)]
    return measure_haemolysis(whole, ["week", "ward"])


def count_circumstances(tubes: pd.DataFrame) -> pd.DataFrame:
    """Return circumstance, tubes, haemolysed, share, persons, first, second.

    The circumstance is factor and code, as in "transport pneumatic".
    """
    parts = [
        measure_haemolysis(
            tubes.assign(circumstance=factor + " " + tubes[factor]), ["circumstance"]
        )
        for factor in FACTORS
    ]
    return pd.concat(parts, ignore_index=True)


def count_delays(tubes: pd.DataFrame) -> pd.DataFrame:
    """Return band, tubes, haemolysed, share, low, high (Wilson, 95 %), persons, first, second."""
    places = np.searchsorted(np.array(BANDS[1:]), tubes["hours"].to_numpy(), side="left")
    banded = tubes.assign(band=np.array(BAND_NAMES)[np.minimum(places, len(BAND_NAMES) - 1)])
    table = measure_haemolysis(banded, ["band"])
    order = table["band"].map(BAND_NAMES.index)
    table = table.loc[order.sort_values(kind="stable").index].reset_index(drop=True)
    bounds = [
        wilson_interval(bad, size)
        for bad, size in table[["haemolysed", "tubes"]].itertuples(index=False)
    ]
    return table.assign(low=[low for low, _ in bounds], high=[high for _, high in bounds])


def is_shown(table: pd.DataFrame) -> pd.Series[bool]:
    """Tell which rows the disclosure rules let through: enough patients, none of whom dominates."""
    most = (table["first"] + table["second"]).clip(lower=0)
    alone = table["first"] > MOST_OF_ONE * table["haemolysed"]
    pair = most > MOST_OF_TWO * table["haemolysed"]
    some = table["haemolysed"] > 0
    return (table["persons"] >= LEAST_BEYOND) & ~(some & (alone | pair))
