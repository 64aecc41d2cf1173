"""Laboratory values in one unit each: converted only where their unit is written, else refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wardbook.prediction.analytes import ANALYTES, Analyte

STATES = ("measured", "converted", "missing", "unit_missing", "unit_unknown", "implausible")
REFUSED = ("unit_missing", "unit_unknown", "implausible")


@dataclass(frozen=True)
class Settled:
    """Rows whose values are all in their analyte's unit, and what became of each value.

    rows: as given, without the columns of units; a value that was refused is missing.
    states: for each row and analyte one of `STATES`.
    """

    rows: pd.DataFrame
    states: pd.DataFrame

    def count(self) -> pd.DataFrame:
        """Return analyte, state, visits and persons (different patients), each pair that occurs."""
        told = self.states.assign(patient=self.rows["patient"]).melt(
            "patient", var_name="analyte", value_name="state"
        )
        groups = told.groupby(["analyte", "state"])["patient"]
        table = groups.agg(visits="size", persons="nunique").reset_index()
        order = {name: place for place, name in enumerate((*self.states.columns, *STATES))}
        return table.sort_values(["analyte", "state"], key=lambda c: c.map(order)).reset_index(
            drop=True
        )


def settle_values(rows: pd.DataFrame, analytes: Sequence[Analyte] = ANALYTES) -> Settled:
    """Bring every value to its analyte's unit, or refuse it.

    A value without a unit, in a unit that the analyte does not have, or beyond what is plausible
    in the unit that is written is refused: nobody knows what it means, and a guess would be wrong
    where it matters most. It then counts as not measured.
    """
    values, states = {}, {}
    for one in analytes:
        values[one.name], states[one.name] = _settle(rows, one)
    drop = [f"{one.name}_unit" for one in analytes]
    settled = rows.drop(columns=drop).assign(**values)
    return Settled(settled, pd.DataFrame(states, index=rows.index))


def _settle(rows: pd.DataFrame, one: Analyte) -> tuple[pd.Series[float], pd.Series[str]]:
    written = rows[f"{one.name}_unit"].astype("object").str.strip().str.lower()
    factor = written.map(one.units).astype("float64")
    given = rows[one.name].astype("float64")
    value = given * factor
    state = pd.Series("measured", index=rows.index)
    state = state.mask(factor != 1, "converted")
    state = state.mask(~value.between(one.low, one.high), "implausible")
    state = state.mask(factor.isna(), "unit_unknown")
    state = state.mask(written.isna(), "unit_missing")
    state = state.mask(given.isna(), "missing")
    return value.where(state.isin(["measured", "converted"]), np.nan), state
