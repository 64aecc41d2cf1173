"""What of a dataset's rows an analysis can count: parted by reason, and narrowed to a period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pandas as pd

from wardbook.errors import DataProblem

LONGEST_DAYS = 366


@dataclass(frozen=True)
class Sorted:
    """The rows that can be counted, and how many cannot or are doubtful, by reason."""

    rows: pd.DataFrame
    odd: Mapping[str, int]


def leave_out(rows: pd.DataFrame, mistakes: Mapping[str, pd.Series[bool]]) -> Sorted:
    """Leave out the rows with a mistake; each counts once, for the first reason that it has."""
    kept = pd.Series(True, index=rows.index)
    odd = {}
    for reason, wrong in mistakes.items():
        odd[reason] = int((kept & wrong).sum())
        kept &= ~wrong
    left = {reason: count for reason, count in odd.items() if count}
    return Sorted(rows[kept].reset_index(drop=True), left)


def check_period(start: date, end: date, longest: int | None = LONGEST_DAYS) -> None:
    """Refuse a period that is reversed, or has more than `longest` days; None: it may.

    Raises:
        DataProblem: with the days asked for.
    """
    asked = {"start": start.isoformat(), "end": end.isoformat()}
    if start > end:
        raise DataProblem("period_reversed", **asked)
    if longest is not None and (end - start).days >= longest:
        raise DataProblem("period_too_long", **asked, limit=longest)


def keep_days(
    rows: pd.DataFrame,
    column: str,
    start: date,
    end: date,
    *,
    file: str,
    longest: int | None = LONGEST_DAYS,
) -> pd.DataFrame:
    """Return the rows whose day in `column` is from `start` to `end`, both included.

    Raises:
        DataProblem: the period is reversed or too long, or has no row.
    """
    check_period(start, end, longest)
    kept = rows[rows[column].between(pd.Timestamp(start), pd.Timestamp(end))]
    if kept.empty:
        raise DataProblem(
            "period_without_data", file=file, start=start.isoformat(), end=end.isoformat()
        )
    return kept.reset_index(drop=True)
