"""The first table of a cohort: who its persons are, in all and by group."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from wardbook.activity.persons import keep_percentile
from wardbook.cohort.criteria import Cohort, SexIs
from wardbook.cohort.flow import LEAST

ALL, WITH, WITHOUT = "all", "with", "without"
_PERCENTS = {"p25": 25.0, "median": 50.0, "p75": 75.0}


def part_groups(persons: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return the persons of all, and of each group where one was asked for."""
    groups = {ALL: persons}
    if persons["in_group"].notna().any():
        inside = pd.to_numeric(persons["in_group"]) == 1
        groups |= {WITH: persons[inside], WITHOUT: persons[~inside]}
    return groups


def count_traits(groups: Mapping[str, pd.DataFrame], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return for each group and trait: persons, having, lacking and share (0 to 1).

    `labels` are the traits to tell, boolean columns of the persons, with their names. The columns
    `first` and `second` are what single persons make up of `having`.
    """
    rows = [
        (
            group,
            trait,
            label,
            len(persons),
            having := int(persons[trait].sum()),
            len(persons) - having,
        )
        for group, persons in groups.items()
        if len(persons)
        for trait, label in labels.items()
    ]
    table = pd.DataFrame(rows, columns=["group", "trait", "label", "persons", "having", "lacking"])
    return table.assign(
        share=table["having"] / table["persons"],
        first=(table["having"] > 0).astype("int64"),
        second=(table["having"] > 1).astype("int64"),
    )


def part_small(traits: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the traits that can be told, and the names of those that too few have or lack in all.

    Traits do not exclude each other: one that nobody has says nothing of the others.
    """
    whole = traits[traits["group"] == ALL]
    small = whole[whole[["having", "lacking"]].min(axis=1) < LEAST]
    told: pd.DataFrame = traits[~traits["trait"].isin(small["trait"])]
    return told.reset_index(drop=True), list(small["label"])


def measure_numbers(groups: Mapping[str, pd.DataFrame], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return for each group and figure: persons with it, mean, sd, p25, median, p75.

    `labels` are the figures, columns of numbers of the persons, with their names. Percentiles that
    rest on too few persons are missing. `first` and `second` are the two largest numbers.
    """
    rows = []
    for group, persons in groups.items():
        for figure, label in labels.items():
            values = persons[figure].dropna().to_numpy(dtype=float)
            if not len(values):
                continue
            highest = np.sort(values)[::-1]
            rows.append(
                {
                    "group": group,
                    "figure": figure,
                    "label": label,
                    "persons": len(values),
                    "mean": values.mean(),
                    "sd": values.std(ddof=1) if len(values) > 1 else np.nan,
                    **{name: np.percentile(values, at) for name, at in _PERCENTS.items()},
                    "first": highest[0],
                    "second": highest[1] if len(highest) > 1 else 0.0,
                }
            )
    columns = [*("group", "figure", "label", "persons", "mean", "sd"), *_PERCENTS]
    table = pd.DataFrame(rows, columns=[*columns, "first", "second"])
    kept = {n: keep_percentile(table[n], table["persons"], at) for n, at in _PERCENTS.items()}
    return table.assign(**kept)


def compare_groups(traits: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the standardised difference of the two groups in each trait and figure.

    Columns term (the name), degrees_of_freedom, difference: that of the groups' means or shares
    over the root of the mean of their variances (Austin, Statistics in Medicine 2009; 28:
    3083-3107). One that rests on too few persons, on either side, is left out: it would tell how
    few they are.
    """
    shares = traits.assign(
        mean=traits["share"],
        variance=traits["share"] * (1 - traits["share"]),
        least=traits[["having", "lacking"]].min(axis=1),
    ).rename(columns={"trait": "term"})
    means = numbers.assign(variance=numbers["sd"] ** 2, least=numbers["persons"])
    means = means.rename(columns={"figure": "term"})
    columns = ["group", "term", "label", "mean", "variance", "least"]
    both = pd.concat([means[columns], shares[columns]], ignore_index=True)
    sides = [both[both["group"] == group].set_index("term") for group in (WITH, WITHOUT)]
    joined = sides[0].merge(sides[1], left_index=True, right_index=True, suffixes=("_1", "_0"))
    joined = joined[(joined["least_1"] >= LEAST) & (joined["least_0"] >= LEAST)]
    spread = np.sqrt((joined["variance_1"] + joined["variance_0"]) / 2)
    rows = pd.DataFrame(
        {
            "term": joined["label_1"].to_numpy(),
            "degrees_of_freedom": int(traits.loc[traits["group"] == ALL, "persons"].max()) - 2,
            "difference": ((joined["mean_1"] - joined["mean_0"]) / spread).to_numpy(),
        }
    )
    finite: pd.DataFrame = rows[np.isfinite(rows["difference"])]
    return finite.reset_index(drop=True)


def name_traits(cohort: Cohort, words: Mapping[str, str]) -> dict[str, str]:
    """Return the traits that every cohort has, and those that were asked for, with their names.

    Sex is none where it makes the cohort or its groups: all of them would have it, or nobody.
    """
    by_sex = any(isinstance(one, SexIs) for one in (*cohort.criteria, cohort.group))
    sex = {} if by_sex else {"female": words["female"]}
    asked = {f"c{at}": str(one) for at, one in enumerate(cohort.characteristics, 1)}
    return {**sex, "died": words["died"], **asked}
