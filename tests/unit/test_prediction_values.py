"""Units of laboratory values, who is there at the moment of prediction, and what is known then."""

from __future__ import annotations

import pandas as pd
import pytest

from wardbook.errors import DataProblem
from wardbook.prediction.analytes import ANALYTES
from wardbook.prediction.moments import (
    count_recorded_late,
    keep_predictable,
    refuse_late_values,
)
from wardbook.prediction.study import tabulate_values
from wardbook.prediction.values import REFUSED, STATES, Settled, settle_values

HOUR = pd.Timedelta(hours=1)
ARRIVED = pd.Timestamp("2025-03-01T08:00")


def rows_with(creatinine: list[tuple[float | None, str | None]]) -> pd.DataFrame:
    count = len(creatinine)
    frame = pd.DataFrame({"patient": [f"P{at}" for at in range(count)]})
    for one in ANALYTES:
        frame[one.name] = (one.low + one.high) / 2
        frame[f"{one.name}_unit"] = one.unit
    frame["creatinine"] = [value for value, _ in creatinine]
    frame["creatinine_unit"] = pd.Series([unit for _, unit in creatinine], dtype="str")
    return frame


@pytest.mark.parametrize(
    ("value", "unit", "state", "becomes"),
    [
        (80.0, "umol/L", "measured", 80.0),
        (80.0, "µmol/L", "measured", 80.0),
        (1.0, "mg/dL", "converted", 88.42),
        (1.0, " MG/DL ", "converted", 88.42),
        (80.0, None, "unit_missing", None),
        (80.0, "mmol/L", "unit_unknown", None),
        (0.9, "umol/L", "implausible", None),
        (80.0, "mg/dL", "implausible", None),
        (15.0, "umol/L", "measured", 15.0),
        (14.9, "umol/L", "implausible", None),
        (2500.0, "umol/L", "measured", 2500.0),
        (2500.1, "umol/L", "implausible", None),
        (None, "umol/L", "missing", None),
        (None, None, "missing", None),
    ],
)
def test_a_value_is_converted_only_where_its_unit_is_written(
    value: float | None, unit: str | None, state: str, becomes: float | None
) -> None:
    settled = settle_values(rows_with([(value, unit)]))
    assert settled.states["creatinine"].tolist() == [state]
    found = settled.rows["creatinine"].iloc[0]
    assert pd.isna(found) if becomes is None else found == pytest.approx(becomes)


def test_a_value_in_another_unit_is_in_no_mean_unless_converted() -> None:
    settled = settle_values(rows_with([(88.42, "umol/L"), (1.0, "mg/dL"), (1.0, None)]))
    assert settled.rows["creatinine"].mean() == pytest.approx(88.42)
    assert "creatinine_unit" not in settled.rows


def test_every_analyte_s_own_unit_is_among_its_units() -> None:
    for one in ANALYTES:
        assert one.units[one.unit.lower()] == 1
        assert one.low < one.high


def test_what_befell_few_patients_is_told_of_nobody() -> None:
    often, rarely = [(80.0, "umol/L")] * 40, [(80.0, None)] * 10
    table = tabulate_values(settle_values(rows_with(often + rarely + [(None, None)] * 11)))
    of_creatinine = table[table["analyte"] == "creatinine"].set_index("state")["visits"]
    assert of_creatinine.to_dict() == {"measured": 40, "missing": 21}
    told = tabulate_values(settle_values(rows_with(often + [(80.0, None)] * 11)))
    assert "creatinine:unit_missing" in set(told["line"]), "eleven are enough"
    few = tabulate_values(settle_values(rows_with(often + rarely)))
    assert "creatinine" not in set(few["analyte"]), "its visits and the others' would tell the rest"
    assert len(few) == len(ANALYTES) - 1


def test_counts_are_of_different_patients() -> None:
    rows = rows_with([(80.0, "umol/L")] * 3).assign(patient=["A", "A", "B"])
    counted = settle_values(rows).count()
    assert set(counted["visits"]) == {3}
    assert set(counted["persons"]) == {2}
    assert set(REFUSED) < set(STATES)
    assert isinstance(settle_values(rows), Settled)


def visit(left: float | None, known: float | None = None, taken: float = 1.0) -> dict[str, object]:
    return {
        "patient": "A",
        "arrived": ARRIVED,
        "left": pd.NaT if left is None else ARRIVED + left * HOUR,
        "outcome_at": pd.NaT if known is None else ARRIVED + known * HOUR,
        "taken_at": ARRIVED + taken * HOUR,
    }


def test_who_is_gone_or_known_or_still_there_is_not_predicted_for() -> None:
    visits = [visit(5), visit(2), visit(1.9, 1.9), visit(9, 1.5), visit(9, 2.1), visit(None)]
    known = keep_predictable(pd.DataFrame(visits), 2)
    assert known.reasons.to_dict() == {1: "gone", 2: "gone", 3: "known", 5: "lasting"}
    assert len(known.rows) == 2


def test_values_of_after_the_prediction_are_refused() -> None:
    rows = pd.DataFrame([visit(5), visit(5, taken=2.0), visit(5, taken=2.1)])
    refuse_late_values(rows[:2], 2, file="values.csv")
    with pytest.raises(DataProblem) as caught:
        refuse_late_values(rows, 2, file="values.csv")
    assert caught.value.code == "recorded_late"
    assert caught.value.details["count"] == 1
    assert "more than 2 h after arrival" in str(caught.value)
    assert count_recorded_late(rows, 2, "taken_at") == 1
