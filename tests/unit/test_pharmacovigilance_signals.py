"""Reports counted by hand, measures against scipy, and a drug that masks another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats.contingency import odds_ratio, relative_risk

from wardbook.pharmacovigilance import masking, reports, signals

NOW = pd.Timestamp("2026-01-01", tz="UTC")
DRUG, OTHER = "J01XA01", "B01AA03"


def frame(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["report", "drug", "event"])
    return table.assign(
        patient="P" + table["report"], day=pd.Timestamp("2025-01-01"), drug_name=None
    ).assign(event_name=None)


def test_reports_are_counted_once_for_each_pair() -> None:
    rows = frame(
        *(("1", DRUG, "N17"), ("1", DRUG, "R58"), ("1", OTHER, "N17")),
        *(("2", DRUG, None), ("3", OTHER, "N17"), ("4", OTHER, None)),
    )
    pairs = reports.count_pairs(rows).set_index(["drug", "event"])
    row = pairs.loc[(DRUG, "N17")]
    assert tuple(row[["reports", "drug_reports", "event_reports", "all_reports"]]) == (1, 2, 2, 4)
    same = rows.assign(patient="P")
    assert reports.count_pairs(same)["event_patients"].max() == 1


@pytest.mark.parametrize("four", [(20, 80, 30, 870), (3, 7, 40, 950), (12, 0, 5, 100)])
def test_the_measures_are_those_of_scipy(four: tuple[int, int, int, int]) -> None:
    a, b, c, d = four
    pairs = pd.DataFrame(
        {
            "drug": [DRUG],
            "event": ["N17"],
            "reports": [a],
            "drug_reports": [a + b],
            "event_reports": [a + c],
            "all_reports": [a + b + c + d],
        }
    )
    row = signals.measure_signals(pairs).iloc[0]
    expected = (a + b) * (a + c) / (a + b + c + d)
    assert row["expected"] == pytest.approx(expected)
    assert row["exact"] == (expected < 5)
    table = np.array([[a, b], [c, d]]) + (0.5 if min(four) == 0 else 0)
    assert row["ror"] == pytest.approx(table[0, 0] * table[1, 1] / (table[0, 1] * table[1, 0]))
    kind = "conditional" if expected < 5 else "sample"
    bounds = odds_ratio([[a, b], [c, d]], kind=kind).confidence_interval()
    assert (row["ror_low"], row["ror_high"]) == pytest.approx((bounds.low, bounds.high))
    if min(four) > 0:
        risk = relative_risk(a, a + b, c, c + d)
        limits = risk.confidence_interval()
        assert row["prr"] == pytest.approx(risk.relative_risk)
        assert (row["prr_low"], row["prr_high"]) == pytest.approx((limits.low, limits.high))
        chi2 = stats.chi2_contingency([[a, b], [c, d]], correction=True).statistic
        assert row["chi2"] == pytest.approx(chi2)
    shape, rate = a + 0.5, expected + 0.5
    assert 2 ** row["ic"] == pytest.approx(shape / rate)
    posterior = stats.gamma(shape, scale=1 / rate)
    assert posterior.cdf(2 ** row["ic_low"]) == pytest.approx(0.025)
    assert posterior.cdf(2 ** row["ic_high"]) == pytest.approx(0.975)


def many(drug: str, event: str | None, count: int, start: int) -> list[tuple[str, str, str | None]]:
    return [(f"{start + n}", drug, event) for n in range(count)]


def test_a_drug_that_is_hidden_by_another_is_found_without_it() -> None:
    third = "A02BC01"
    rows = frame(
        *(*many(OTHER, "R58", 300, 0), *many(OTHER, None, 700, 1000)),
        *(*many(DRUG, "R58", 30, 3000), *many(DRUG, None, 470, 4000)),
        *(*many(third, "R58", 20, 5000), *many(third, None, 1980, 6000)),
    )
    pairs = reports.count_pairs(rows)
    found = signals.measure_signals(pairs)
    assert set(found.loc[found["evans"] == 1, "drug"]) == {OTHER}
    heavy = masking.find_masking(pairs, found)
    assert heavy == {"R58": OTHER}
    without = masking.measure_without(rows, heavy, 3)
    unmasked = masking.list_unmasked(without, found)
    assert list(unmasked["drug"]) == [DRUG]
    assert unmasked["prr"].iloc[0] == pytest.approx((30 / 500) / (20 / 2000))
    assert masking.measure_without(rows, {}, 3).empty


def test_small_parts_are_not_shown() -> None:
    rows = frame(
        *many(DRUG, "N17", 10, 0), *many(DRUG, None, 50, 100), *many(OTHER, "N17", 40, 200)
    )
    pairs = reports.count_pairs(rows)
    assert set(reports.keep_frequent(pairs, 10)["drug"]) == {DRUG}, "the other has no b"
    assert reports.keep_frequent(pairs, 11).empty
    assert set(reports.choose_pairs(pairs, ["J01"], ["N"])["drug"]) == {DRUG}
    assert reports.choose_pairs(pairs, None, ["R"]).empty


WRONG = {
    "drug": {"drug": "vancomycin"},
    "future": {"day": pd.Timestamp("2091-01-01")},
    "repeated": {"report": "1", "patient": "P1"},
    "mixed": {"report": "1", "patient": "PX", "event": "R58"},
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_row_that_cannot_be_counted_is_counted_as_such(reason: str) -> None:
    rows = frame(("1", DRUG, "N17"), ("9", DRUG, "N17"))
    assert reports.sort_out(rows, NOW).odd == {}
    rows.loc[1, list(WRONG[reason])] = list(WRONG[reason].values())  # type: ignore[arg-type]
    found = reports.sort_out(rows, NOW)
    assert found.odd == {reason: 2 if reason == "mixed" else 1}
    assert len(found.rows) == 2 - found.odd[reason]
