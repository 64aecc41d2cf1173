"""Who is there at the moment of prediction, and what is known then.

The prediction is made a fixed number of hours after arrival. A visit that is over by then, whether
with the diagnosis or without, is none to predict for; what is recorded later is no predictor.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from wardbook.errors import DataProblem


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


def count_recorded_late(rows: pd.DataFrame, hours: int, column: str) -> int:
    """Count the visits in which what a column of moments tells was recorded after the prediction.

    Where there is one, nothing of it may be a predictor: whether it is filled tells of the future.
    """
    moment = rows["arrived"] + pd.Timedelta(hours=hours)
    return int((rows[column] > moment).sum())


def refuse_late_values(rows: pd.DataFrame, hours: int, *, file: str) -> None:
    """Refuse values that were taken after the moment of prediction.

    Raises:
        DataProblem: there is one, in the file `file`.
    """
    late = count_recorded_late(rows, hours, "taken_at")
    if late:
        raise DataProblem("recorded_late", file=file, column="taken_at", count=late, hours=hours)
