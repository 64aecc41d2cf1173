"""What single persons make up of a sum: what the disclosure rules read, and nobody else."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

LEAST_BEYOND = 11
"""A percentile is given only where at least so many persons stand on either side of it: with fewer
it is nearly one person's value, and says little of the others."""


def largest_two(
    rows: pd.DataFrame,
    keys: Sequence[str],
    value: str,
    names: tuple[str, str] = ("first", "second"),
) -> pd.DataFrame:
    """Return for each place the two largest sums of `value` by patient, 0 where there is none.

    `rows` has the keys, patient and the value, which is not negative.
    """
    sums = rows.groupby([*keys, "patient"], observed=True)[value].sum().reset_index()
    sums = sums.sort_values(value, ascending=False, kind="stable")
    rank = sums.groupby(list(keys), observed=True).cumcount()
    ranked = sums[rank < len(names)].assign(rank=rank)
    wide = ranked.pivot(index=list(keys), columns="rank", values=value)
    wide = wide.reindex(columns=range(len(names)), fill_value=0).fillna(0)
    return wide.set_axis(list(names), axis="columns").reset_index()


def keep_percentile(
    values: pd.Series[float], persons: pd.Series[int], percent: float
) -> pd.Series[float]:
    """Return the percentiles without those that rest on too few persons (see LEAST_BEYOND)."""
    beyond = persons * min(percent, 100 - percent) / 100
    return values.where(beyond >= LEAST_BEYOND)
