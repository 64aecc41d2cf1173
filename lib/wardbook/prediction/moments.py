"""Who is there at the moment of prediction, and what is known then.

The prediction is made a fixed number of hours after arrival. A visit that is over by then, whether
with the diagnosis or without, is none to predict for; what is recorded later is no predictor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Known:
    """Visits to predict for, and those left out: of each a reason in `reasons`."""

    rows: pd.DataFrame
    reasons: pd.Series[str]


def keep_predictable(rows: pd.DataFrame, hours: int) -> Known:
    """Keep the visits that last at the moment of prediction and whose outcome became known later.

    Reasons: `lasting` (the visit is not over: nobody knows its outcome), `gone` (over before),
    `known` (the diagnosis was recorded before).
    """
    moment = rows["arrived"] + pd.Timedelta(hours=hours)
    reasons = pd.Series(pd.NA, index=rows.index, dtype="object")
    reasons = reasons.mask(rows["outcome_at"] <= moment, "known")
    reasons = reasons.mask(rows["left"] <= moment, "gone")
    reasons = reasons.mask(rows["left"].isna(), "lasting")
    kept = reasons.isna()
    return Known(rows[kept].reset_index(drop=True), reasons[~kept].astype("str"))


def count_recorded_late(rows: pd.DataFrame, hours: int, columns: Iterable[str]) -> dict[str, int]:
    """Count for each column of moments in how many visits it was recorded after the prediction.

    A column with any such visit must not be a predictor: whether it is filled tells of the future.
    """
    moment = rows["arrived"] + pd.Timedelta(hours=hours)
    return {column: int((rows[column] > moment).sum()) for column in columns}
