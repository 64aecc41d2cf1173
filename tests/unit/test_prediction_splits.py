"""Training and test share neither a patient nor a day; a split that leaks is found out."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from wardbook.prediction.splits import LeakySplit, Split, part_by_time

FIRST = pd.Timestamp("2025-01-01")


def some_visits(count: int = 400, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arrived = FIRST + pd.to_timedelta(rng.integers(-300, 300, count), unit="D")
    return pd.DataFrame(
        {
            "patient": [f"P{number}" for number in rng.integers(0, count // 2, count)],
            "arrived": arrived,
            "left": arrived + pd.to_timedelta(rng.integers(0, 9, count), unit="D"),
        }
    )


def test_no_patient_is_in_both_and_all_training_is_over_before_the_test() -> None:
    rows = some_visits()
    parted = part_by_time(rows, date(2025, 1, 1))
    train, test = parted.split.train, parted.split.test
    assert set(train["patient"]).isdisjoint(test["patient"])
    assert train["left"].max() < FIRST <= test["arrived"].min()
    assert set(parted.reasons) == {"straddling", "returning"}
    assert len(train) + len(test) + len(parted.reasons) == len(rows)
    straddling = rows.loc[parted.reasons.index[parted.reasons == "straddling"]]
    assert ((straddling["arrived"] < FIRST) & (straddling["left"] >= FIRST)).all()


def test_a_split_by_rows_is_found_out() -> None:
    rows = some_visits()
    chosen = np.random.default_rng(2).random(len(rows)) < 0.5
    with pytest.raises(LeakySplit, match="patients of the training"):
        Split(rows[chosen], rows[~chosen])


def test_a_split_by_patients_alone_is_found_out() -> None:
    """It shares no patient, and yet learns from days that are after those it is judged by."""
    rows = some_visits()
    odd = rows["patient"].str[-1].isin(list("13579"))
    with pytest.raises(LeakySplit, match="end after the first test visit"):
        Split(rows[odd], rows[~odd])


def test_a_split_by_time_alone_is_found_out() -> None:
    rows = some_visits()
    with pytest.raises(LeakySplit, match="patients of the training"):
        Split(rows[rows["left"] < FIRST], rows[rows["arrived"] >= FIRST])


def test_a_training_visit_that_lasts_into_the_test_is_found_out() -> None:
    parted = part_by_time(some_visits(), date(2025, 1, 1)).split
    late = parted.train.copy()
    late.loc[0, "left"] = parted.test["arrived"].min()
    with pytest.raises(LeakySplit, match="1 training visits"):
        Split(late, parted.test)
    late.loc[0, "left"] -= pd.Timedelta(minutes=1)
    assert len(Split(late, parted.test).train) == len(parted.train)
