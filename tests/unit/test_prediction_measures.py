"""Discrimination, calibration, net benefit, subgroups: by hand and against other libraries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss, roc_auc_score

from wardbook.prediction.calibration import (
    LEAST,
    group_risks,
    measure_brier,
    measure_intercept,
    measure_slope,
)
from wardbook.prediction.decision import draw_up_decisions, net_benefit
from wardbook.prediction.discrimination import compare_auc, measure_auc
from wardbook.prediction.fitting import count_points
from wardbook.prediction.interval import Interval
from wardbook.prediction.judging import (
    OTHERS,
    Judged,
    tabulate_groups,
    tabulate_performance,
    tabulate_periods,
    tabulate_subgroups,
)


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Risks that are true, outcomes of them, and patients with a visit each."""
    rng = np.random.default_rng(3)
    risk = expit(rng.normal(-2.2, 1.3, 4000))
    return risk, (rng.random(4000) < risk).astype(int), np.arange(4000)


def width(found: Interval) -> float:
    return found.high - found.low


def test_the_area_by_hand_and_as_scikit_learn_has_it(drawn) -> None:
    found = measure_auc(np.array([1, 2, 2, 3]), np.array([0, 0, 1, 1]), np.arange(4))
    assert found.value == (1 + 1 + 1 + 0.5) / 4
    risk, outcome, patients = drawn
    found = measure_auc(risk, outcome, patients)
    assert found.value == pytest.approx(roc_auc_score(outcome, risk), abs=1e-12)
    assert 0.5 < found.low < found.value < found.high < 1
    with pytest.raises(ValueError, match="with the outcome"):
        measure_auc(risk, np.zeros(len(risk)), patients)


def test_the_area_s_interval_is_that_of_resampled_patients(drawn) -> None:
    risk, outcome, patients = (part[:1000] for part in drawn)
    rng = np.random.default_rng(4)
    areas = []
    for _ in range(150):
        chosen = rng.integers(0, len(risk), len(risk))
        areas.append(roc_auc_score(outcome[chosen], risk[chosen]))
    error = width(measure_auc(risk, outcome, patients)) / 3.92
    assert error == pytest.approx(np.std(areas), rel=0.2)


def test_visits_written_twice_tell_nothing_new(drawn) -> None:
    """Each patient's visits are taken together; taken apart, the interval would shrink."""
    twice = [np.concatenate([part, part]) for part in drawn]
    for measure in (measure_auc, measure_brier, measure_intercept, measure_slope):
        once = width(measure(*drawn))
        assert width(measure(*twice)) == pytest.approx(once, rel=1e-3)
        apart = measure(*twice[:2], np.arange(len(twice[0])))
        assert width(apart) == pytest.approx(once / np.sqrt(2), rel=1e-2)


def test_a_better_score_is_told_from_a_worse_and_not_from_itself(drawn) -> None:
    risk, outcome, patients = drawn
    noisy = expit(logit(risk) + np.random.default_rng(5).normal(0, 1.5, len(risk)))
    assert compare_auc(risk, noisy, outcome, patients).low > 0
    same = compare_auc(risk, risk, outcome, patients)
    assert (same.low, same.value, same.high) == (0, 0, 0)


def test_true_risks_are_calibrated_and_others_not(drawn) -> None:
    risk, outcome, patients = drawn
    intercept, slope = measure_intercept(*drawn), measure_slope(*drawn)
    assert intercept.low < 0 < intercept.high
    assert slope.low < 1 < slope.high
    higher = expit(logit(risk) - 0.5)
    assert measure_intercept(higher, outcome, patients).value == pytest.approx(
        intercept.value + 0.5, abs=1e-6
    )
    extreme = expit(2 * logit(risk))
    assert measure_slope(extreme, outcome, patients).value == pytest.approx(slope.value / 2)
    assert measure_brier(*drawn).value == pytest.approx(brier_score_loss(outcome, risk))


def test_groups_of_risk_have_enough_on_both_sides_and_lose_nobody(drawn) -> None:
    groups = group_risks(*drawn)
    assert groups["visits"].sum() == 4000
    assert groups["events"].sum() == drawn[1].sum()
    assert groups["cases"].min() >= LEAST
    assert (groups["visits"] - groups["events"]).min() >= LEAST
    assert (groups["high"].to_numpy()[:-1] == groups["low"].to_numpy()[1:]).all()
    assert len(groups) > 5
    few = group_risks(*(part[:60] for part in drawn))
    assert len(few) < len(groups)
    # Of one patient with many visits there is no group, however many visits have the outcome.
    alone = group_risks(*drawn[:2], np.zeros(4000))
    assert len(alone) == 1


def test_the_net_benefit_by_hand() -> None:
    outcome = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    positive = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=bool)
    assert net_benefit(positive, outcome, 0.2) == pytest.approx(0.1 - 0.1 * 0.25)
    table = draw_up_decisions(np.full(10, 0.2), np.zeros(10), outcome, [0.2, 0.5])
    assert table["everybody"].tolist() == pytest.approx([0.2 - 0.8 * 0.25, 0.2 - 0.8])
    assert table["model"].tolist() == [table["everybody"].iloc[0], 0], "at the threshold one acts"
    assert table["rule"].tolist() == table["nobody"].tolist() == [0, 0]


def test_the_simple_rule_by_hand() -> None:
    rows = pd.DataFrame(
        {
            "leukocytes": [12.1, 3.9, 12.0, np.nan],
            "crp": [100.0, 99.0, 1.0, np.nan],
            "lactate": [2.0, 1.9, 1.0, np.nan],
            "procalcitonin": [0.5, 0.4, 0.1, np.nan],
            "creatinine": [177.0, 176.0, 80.0, np.nan],
        }
    )
    assert count_points(rows).tolist() == [5, 1, 0, 0]


def judged(count: int = 3000, seed: int = 6) -> Judged:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(-2, 1.2, count))
    rows = pd.DataFrame(
        {
            "patient": [f"P{number}" for number in range(count)],
            "arrived": pd.Timestamp("2025-01-01")
            + pd.to_timedelta(rng.integers(0, 365, count), "D"),
            "ward": rng.choice(["URGE", "CARD", "REAC"], count, p=[0.8, 0.18, 0.02]),
            "age": rng.integers(18, 100, count),
            "sex": rng.choice(["F", "M"], count),
        }
    )
    return Judged(rows, risk, (rng.random(count) < risk).astype(int))


def test_small_subgroups_are_joined_with_the_next_until_they_suffice() -> None:
    whole = judged()
    table = tabulate_subgroups(whole, 9)
    wards = table[table["variable"] == "ward"]
    assert wards["code"].tolist() == ["URGE", OTHERS], "REAC alone is too small: CARD joins it"
    assert (table.groupby("variable")["visits"].sum() == len(whole.rows)).all()
    assert table["cases"].min() >= LEAST
    assert set(table.loc[table["variable"] == "age", "code"]) == {"18-49", "50-64", "65-74", "75+"}
    larger = tabulate_subgroups(judged(12_000), 9)
    assert OTHERS not in set(larger["code"]), "there are enough of each"


def test_performance_of_a_score_that_is_no_probability_is_its_area_alone() -> None:
    whole = judged()
    points = Judged(whole.rows, np.round(10 * whole.risk), whole.outcome)
    table = tabulate_performance({"logistic": whole, "rule": points}, 9)
    assert table.groupby("score")["measure"].apply(list).to_dict() == {
        "logistic": ["auc", "brier", "intercept", "slope"],
        "rule": ["auc"],
    }
    assert set(table["degrees"]) == {len(whole.rows) - 9}


def test_quarters_and_groups_add_up_and_small_quarters_are_joined() -> None:
    whole = judged()
    table = tabulate_periods(whole, 9)
    assert len(table) == 4
    assert table["visits"].sum() == len(whole.rows)
    few = whole.choose((whole.rows["arrived"] < "2025-04-03").to_numpy())
    assert tabulate_periods(few, 9)["period"].tolist() == ["2025-01-01/2025-06-30"]
    assert tabulate_groups(whole)["group"].iloc[0].startswith("0-")
