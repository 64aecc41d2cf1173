"""What can be counted of a dataset's rows: each mistake once, each period with its bounds."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from wardbook.datasets.sorting import check_period, keep_days, leave_out
from wardbook.errors import DataProblem

ROWS = pd.DataFrame(
    {"day": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]), "code": ["a", "?", "?"]}
)


def test_a_row_with_two_mistakes_counts_for_the_first() -> None:
    unknown, late = ROWS["code"] == "?", ROWS["day"] > "2026-01-02"
    counted = leave_out(ROWS, {"late": late, "code": unknown, "never": ROWS["code"] == ""})
    assert counted.odd == {"late": 1, "code": 1}
    assert counted.rows["code"].tolist() == ["a"]


def test_both_days_of_a_period_count() -> None:
    kept = keep_days(ROWS, "day", date(2026, 1, 2), date(2026, 1, 3), file="f")
    assert kept["day"].dt.day.tolist() == [2, 3]
    assert kept.index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        (date(2026, 1, 2), date(2026, 1, 1), "period_reversed"),
        (date(2026, 1, 1), date(2027, 1, 2), "period_too_long"),
        (date(2025, 1, 1), date(2025, 12, 31), "period_without_data"),
    ],
)
def test_a_period_that_cannot_be_is_refused(start: date, end: date, code: str) -> None:
    with pytest.raises(DataProblem) as problem:
        keep_days(ROWS, "day", start, end, file="f")
    assert problem.value.code == code


def test_a_year_may_be_asked_for_and_more_where_nothing_bounds_it() -> None:
    check_period(date(2026, 1, 1), date(2027, 1, 1))
    check_period(date(2020, 1, 1), date(2026, 1, 1), None)
