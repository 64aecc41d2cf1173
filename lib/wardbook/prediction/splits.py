"""Training and test data that share neither a patient nor a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd


class LeakySplit(ValueError):
    """What is tested on was known to the training; the message says by how many visits."""


@dataclass(frozen=True)
class Split:
    """Rows to train on and rows to test on; making one checks that nothing leaks.

    Both have the columns patient, arrived and left.

    Raises:
        LeakySplit: a patient is in both, or a training visit ended after the first test arrival,
            so that its outcome was not known when the model was fitted.
    """

    train: pd.DataFrame
    test: pd.DataFrame

    def __post_init__(self) -> None:
        shared = self.test["patient"].isin(self.train["patient"])
        if shared.any():
            raise LeakySplit(f"{int(shared.sum())} test visits are of patients of the training")
        late = self.train["left"] >= self.test["arrived"].min()
        if late.any():
            raise LeakySplit(f"{int(late.sum())} training visits end after the first test visit")


@dataclass(frozen=True)
class Parted:
    """A split, and of each visit left out why: `straddling` or `returning`."""

    split: Split
    reasons: pd.Series[str]


def part_by_time(rows: pd.DataFrame, first_test_day: date) -> Parted:
    """Train on visits that ended before a day, test on those of other patients from it on.

    Left out are visits that straddle the day, and test visits of patients with a visit in the
    training. The other way round, leaving them out of the training, would choose who is trained on
    by whether they come back later.
    """
    day = pd.Timestamp(first_test_day)
    before, after = rows["left"] < day, rows["arrived"] >= day
    returning = after & rows["patient"].isin(rows.loc[before, "patient"])
    reasons = pd.Series(pd.NA, index=rows.index, dtype="object")
    reasons = reasons.mask(~before & ~after, "straddling").mask(returning, "returning")
    split = Split(
        rows[before].reset_index(drop=True), rows[after & ~returning].reset_index(drop=True)
    )
    return Parted(split, reasons.dropna().astype("str"))
