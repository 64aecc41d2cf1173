"""A whole study without its database: who is kept, what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wardbook.errors import DataProblem
from wardbook.prediction.analytes import ANALYTES
from wardbook.prediction.study import Study, fit_study, prepare_study

ASKED: dict[str, Any] = {
    "start": date(2024, 1, 1),
    "first_test_day": date(2025, 1, 1),
    "end": date(2025, 12, 31),
    "hours": 2,
    "predictors": ("crp",),
    "file": "values.csv",
}


def some_rows(count: int = 2400, *, telling: bool) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    arrived = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 730 * 24, count), "h")
    rows = pd.DataFrame(
        {
            "patient": [f"P{number}" for number in range(count)],
            "arrived": arrived,
            "left": arrived + pd.Timedelta(hours=8),
            "taken_at": arrived + pd.Timedelta(hours=1),
            "outcome_at": pd.NaT,
            "antibiotic_at": pd.NaT,
            "ward": "URGE",
            "age": 60,
            "sex": "F",
        }
    )
    for one in ANALYTES:
        rows[one.name] = 10.0 if one.logarithm else 140.0
        rows[f"{one.name}_unit"] = one.unit
    odds = np.full(count, -1.5)
    if telling:
        crp = rng.normal(3, 1, count)
        rows["crp"], odds = np.exp(crp), odds + crp - 3
    rows["outcome"] = rng.random(count) < 1 / (1 + np.exp(-odds))
    return rows


def prepare(rows: pd.DataFrame, **changes: Any) -> Study:
    return prepare_study(rows, **(ASKED | changes))


def test_who_is_outside_the_period_is_nowhere() -> None:
    rows = some_rows(telling=True)
    whole, part = prepare(rows), prepare(rows, end=date(2025, 9, 30))
    assert whole.flow["visits"].sum() == len(rows)
    assert part.flow["visits"].sum() == (rows["arrived"] < "2025-10-01").sum()


def test_a_model_that_gives_everybody_the_same_risk_is_refused() -> None:
    with pytest.raises(DataProblem) as caught:
        fit_study(prepare(some_rows(telling=False)), ("crp",), file="values.csv")
    assert caught.value.code == "risks_alike"
    fitted = fit_study(prepare(some_rows(telling=True)), ("crp",), file="values.csv")
    assert fitted.judged.measure("auc").low > 0.65


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"first_test_day": date(2024, 1, 1)}, "day_outside"),
        ({"first_test_day": date(2025, 12, 31)}, "day_outside"),
        ({"start": date(2026, 1, 1)}, "period_reversed"),
        ({"first_test_day": date(2025, 11, 1)}, "few_cases"),
        ({"first_test_day": date(2024, 2, 1)}, "few_cases"),
        ({"hours": 0}, "recorded_late"),
    ],
)
def test_what_cannot_be_studied_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(DataProblem) as caught:
        prepare(some_rows(telling=True), **changes)
    assert caught.value.code == code
    assert str(caught.value) != code, "the catalogue knows it"
