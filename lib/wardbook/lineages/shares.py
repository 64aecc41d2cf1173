"""Shares of lineages with simultaneous intervals, and counts by week as the checks can judge them.

The intervals are Goodman's (Technometrics 1965, doi 10.1080/00401706.1965.10490252; by
statsmodels): those of all lineages hold together with 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from statsmodels.stats.proportion import multinomial_proportions_confint

from wardbook.activity.persons import largest_two
from wardbook.lineages.names import OTHER, Aliases, is_within
from wardbook.lineages.sequences import Newcomer

TOTAL = "TOTAL"
MINIMUM = 11
"""Rows of fewer patients are not shown: see `list_shares`."""


def list_shares(chosen: pd.DataFrame, aliases: Aliases) -> pd.DataFrame:
    """Return each group's share of the period: lineage, full, patients, share, low, high, degrees.

    The commonest first, OTHER last. Groups of fewer than eleven patients are left out, of the
    shares too: told as a share of all, they could be worked out. `degrees` are the patients less
    one for each share that is free.
    """
    counts = chosen["lineage"].value_counts()
    shown = counts[counts >= MINIMUM]
    table = shown.rename("patients").rename_axis("lineage").reset_index()
    table = table.sort_values(["patients", "lineage"], ascending=[False, True])
    table = pd.concat([table[table["lineage"] != OTHER], table[table["lineage"] == OTHER]])
    if table.empty:
        return table.assign(full="", share=0.0, low=0.0, high=0.0, degrees=0)
    bounds = multinomial_proportions_confint(table["patients"], alpha=0.05, method="goodman")
    total = int(table["patients"].sum())
    table = table.reset_index(drop=True).assign(
        full=[aliases.unfold(name) for name in table["lineage"]],
        share=(table["patients"] / total).to_numpy().round(4),
        low=bounds[:, 0].round(4),
        high=bounds[:, 1].round(4),
        degrees=total - len(table) + 1,
    )
    return table[["lineage", "full", "patients", "share", "low", "high", "degrees"]]


def count_weeks(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return the patients of each week and lineage: week, lineage, patients.

    Every week with a sequence has a row for each lineage, zeros included, and one for TOTAL: where
    something must be hidden, the total shows what could be worked out of it.
    """
    counts = chosen.groupby(["week", "lineage"]).size().unstack(fill_value=0)
    wide = counts.assign(**{TOTAL: counts.sum(axis=1)}).reset_index()
    table = wide.melt("week", var_name="lineage", value_name="patients")
    return table.sort_values(["week", "lineage"], ignore_index=True)


def count_new(chosen: pd.DataFrame, newcomers: Sequence[Newcomer]) -> pd.DataFrame:
    """Return week, sequences, new, others, share_new; then persons, first, second.

    `new` are sequences of the newcomers and their descendants; weeks are those with a sequence.
    """
    heads = [one.full for one in newcomers]
    fresh = {
        full: int(any(is_within(full, head) for head in heads)) for full in chosen["full"].unique()
    }
    marked = chosen.assign(new=chosen["full"].map(fresh))
    groups = marked.groupby("week")
    table = pd.DataFrame(
        {
            "sequences": groups.size(),
            "new": groups["new"].sum(),
            "persons": groups["patient"].nunique(),
        }
    ).reset_index()
    table["others"] = table["sequences"] - table["new"]
    table["share_new"] = (table["new"] / table["sequences"]).round(4)
    return table.merge(largest_two(marked, ["week"], "new"), on="week")
