"""Where haemolysed tubes come from: sorting, regression, funnel, chart, avoidable share."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit
from statsmodels.discrete.discrete_model import Logit

from wardbook.errors import DataProblem
from wardbook.haemolysis import avoidable, chart, counts, design, funnel, potassium, tubes
from wardbook.haemolysis.mixed import LEAST_SPREAD, fit_mixed

NOW = pd.Timestamp("2026-02-01", tz="UTC")
GOOD: dict[str, Any] = {
    "tube": "T0",
    "patient": "P0",
    "ward": "CARD",
    "ward_name": "Cardiologie",
    "drawn": pd.Timestamp("2025-03-04T08:15"),
    "received": pd.Timestamp("2025-03-04T09:00"),
    "type": "serum",
    "device": "catheter",
    "site": "elbow",
    "transport": "porter",
    "haemolysis_index": 60.0,
    "index_unit": "mg/dL",
    "potassium": np.nan,
}


def make_tubes(*changes: dict[str, Any]) -> pd.DataFrame:
    """Return one tube a change, each with a number of its own unless it says another."""
    return pd.DataFrame([{**GOOD, "tube": f"T{at}", **one} for at, one in enumerate(changes)])


def sort(*changes: dict[str, Any]) -> tubes.Sorted:
    return tubes.sort_out(make_tubes(*changes), 50, NOW, file="tubes.csv")


def test_a_tube_that_can_be_true_is_counted() -> None:
    found = sort({}, {"haemolysis_index": 50.0}, {"haemolysis_index": 0.6, "index_unit": "g/L"})
    assert found.odd == {"g_l": 1}
    assert list(found.rows["haemolysed"]) == [1, 0, 1], "50 is not above 50; 0.6 g/L is 60 mg/dL"
    assert list(found.rows["hours"]) == [0.75] * 3
    assert set(found.rows["week"]) == {"2025-W10"}
    assert found.names == {"CARD": "Cardiologie"}
    assert found.renamed == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tube": "T0"}, "repeated"),
        ({"received": pd.Timestamp("2025-03-04T08:14")}, "reversed"),
        (
            {
                "drawn": pd.Timestamp("2026-02-01T08:00"),
                "received": pd.Timestamp("2026-02-01T09:00"),
            },
            "future",
        ),
        ({"received": pd.Timestamp("2025-03-05T08:16")}, "late"),
        (
            {
                "drawn": pd.Timestamp("2025-10-26T02:30"),
                "received": pd.Timestamp("2025-10-26T04:00"),
            },
            "clock",
        ),
        (
            {
                "drawn": pd.Timestamp("2025-03-30T01:30"),
                "received": pd.Timestamp("2025-03-30T02:30"),
            },
            "clock",
        ),
        ({"type": "edta"}, "type"),
        ({"device": "needle"}, "device"),
        ({"site": "bras"}, "site"),
        ({"transport": "drone"}, "transport"),
        ({"haemolysis_index": -1.0}, "negative"),
        ({"haemolysis_index": np.nan, "index_unit": None}, "without_index"),
    ],
)
def test_what_cannot_be_true_is_left_out_and_counted(change: dict[str, Any], reason: str) -> None:
    found = sort({}, change)
    assert found.odd == {reason: 1}
    assert (found.given, list(found.rows["tube"])) == (2, ["T0"])


@pytest.mark.parametrize("unit", ["µmol/L", "class", "mg/L", None, "g/L + mg/dL"])
def test_an_index_in_another_unit_is_refused(unit: str | None) -> None:
    with pytest.raises(DataProblem) as caught:
        sort({}, {"index_unit": unit})
    assert (caught.value.code, caught.value.details["count"]) == ("unit_unknown", 1)
    assert sort({}, {"index_unit": unit, "haemolysis_index": np.nan}).odd == {"without_index": 1}


def test_classes_are_no_amounts() -> None:
    classes = [{"haemolysis_index": float(at % 5)} for at in range(100)]
    with pytest.raises(DataProblem) as caught:
        sort(*classes)
    assert caught.value.code == "index_classes"
    assert len(sort(*classes[:99]).rows) == 99, "fewer may be so by chance"
    assert len(sort(*classes, {"haemolysis_index": 7.0}).rows) == 101


def test_a_renamed_ward_is_one_and_a_successor_is_named() -> None:
    def spell(ward: str, name: str, first: str, days: int) -> list[dict[str, Any]]:
        begin = pd.Timestamp(first) + pd.Timedelta(hours=8)
        moments = [begin + pd.Timedelta(days=at) for at in range(days)]
        more = pd.Timedelta(hours=1)
        return [
            {"ward": ward, "ward_name": name, "drawn": one, "received": one + more}
            for one in moments
        ]

    rows = [
        *spell("CARD", "Cardiologie", "2025-01-01", 60),
        *spell("CARD", "Cardiologie et rythmologie", "2025-03-02", 60),
        *spell("CHIR", "Chirurgie", "2025-01-01", 60),
        *spell("CHI2", "Chirurgie", "2025-03-05", 57),
    ]
    found = sort(*rows)
    assert found.odd == {}
    assert found.renamed == (
        tubes.Renamed("CARD", "Cardiologie", "Cardiologie et rythmologie", date(2025, 3, 2)),
        tubes.Renamed("", "CHIR", "CHI2", date(2025, 3, 5)),
    )
    assert found.names["CARD"] == "Cardiologie et rythmologie"
    assert sort(*rows[:120]).renamed == found.renamed[:1], "the control: nothing follows CHIR"


def test_the_period_and_the_wards_asked_for() -> None:
    rows = sort({}, {"ward": "MEDI", "ward_name": None}).rows
    first, last = date(2025, 3, 4), date(2025, 3, 4)
    assert len(tubes.keep_period(rows, first, last, None, file="f")) == 2
    assert set(tubes.keep_period(rows, first, last, ["MEDI"], file="f")["ward"]) == {"MEDI"}
    wrong = {
        "period_reversed": (date(2025, 3, 5), last, None),
        "period_too_long": (date(2020, 1, 1), last, None),
        "period_without_data": (date(2025, 3, 1), date(2025, 3, 2), None),
        "ward_unknown": (first, last, ["XXXX"]),
    }
    for code, (start, end, wards) in wrong.items():
        with pytest.raises(DataProblem) as caught:
            tubes.keep_period(rows, start, end, wards, file="f")
        assert caught.value.code == code


# ---- the regression ------------------------------------------------------------------------------


def draw_groups(seed: int, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(8), 60)
    factor = rng.integers(0, 2, len(group)).astype(float)
    linear = -1.0 + 0.7 * factor + rng.normal(0, spread, 8)[group]
    outcome = (rng.random(len(group)) < expit(linear)).astype(int)
    return outcome, np.column_stack([np.ones(len(group)), factor]), group


def test_the_likelihood_is_that_of_the_integral() -> None:
    """Each group's likelihood by scipy's quadrature, and the maximum no lower than beside it."""
    outcome, rows, group = draw_groups(3, 0.8)
    fit = fit_mixed(outcome, rows, group)

    def log_likelihood(coefficients: np.ndarray, spread: float) -> float:
        fixed, total = rows @ coefficients, 0.0
        for one in range(8):
            here = group == one

            def joint(b: float, here: np.ndarray = here) -> float:
                chance = expit(fixed[here] + b)
                each = np.where(outcome[here] == 1, chance, 1 - chance)
                return float(np.prod(each / 0.6) * stats.norm.pdf(b, 0, spread))

            value, _ = integrate.quad(joint, -8, 8, epsabs=0, epsrel=1e-9, limit=200, points=[0])
            total += np.log(value) + here.sum() * np.log(0.6)
        return float(total)

    top = log_likelihood(fit.coefficients, fit.spread)
    assert fit.log_likelihood == pytest.approx(top, abs=1e-5)
    for step in np.eye(2) * 0.02:
        for sign in (-1, 1):
            assert log_likelihood(fit.coefficients + sign * step, fit.spread) < top
    for spread in (0.95 * fit.spread, 1.05 * fit.spread):
        assert log_likelihood(fit.coefficients, spread) < top


def test_where_groups_do_not_differ_it_is_the_ordinary_regression() -> None:
    outcome, rows, group = draw_groups(5, 0.0)
    balanced = np.tile(outcome[:60], 8)
    same = np.tile(rows[:60], (8, 1))
    fit = fit_mixed(balanced, same, group)
    plain = Logit(balanced, same).fit(disp=0)
    assert fit.spread < 10 * LEAST_SPREAD
    assert fit.coefficients == pytest.approx(plain.params, abs=1e-4)
    assert fit.errors == pytest.approx(plain.bse, rel=1e-3)


def make_counted(seed: int = 1, wards: int = 6, size: int = 400) -> pd.DataFrame:
    """Return tubes of which the pneumatic ones are haemolysed twice as often, wards alike."""
    rng = np.random.default_rng(seed)
    count = wards * size
    pneumatic = np.arange(count) % 2 == 1
    bad = rng.random(count) < np.where(pneumatic, 0.2, 0.1)
    return pd.DataFrame(
        {
            "tube": [f"T{at}" for at in range(count)],
            "patient": [f"P{at // 3}" for at in range(count)],
            "ward": np.repeat([f"W{at}" for at in range(wards)], size),
            "haemolysed": bad.astype(int),
            "hours": 1.0,
            "transport": np.where(pneumatic, "pneumatic", "porter"),
            "device": "venepuncture",
            "site": "elbow",
            "type": "serum",
            "week": "2025-W10",
        }
    )


def test_one_circumstance_alone_gives_its_own_table() -> None:
    rows = make_counted()
    rows.loc[rows.index[:5], "device"] = "arterial"
    regression = design.fit_tubes(rows)
    assert regression is not None
    assert regression.terms == (("transport", "pneumatic"),)
    assert regression.left_out == (("device", "arterial"),)
    assert regression.degrees_of_freedom == len(rows) - 5 - 3
    table = design.tell_odds_ratios(regression)
    used = regression.rows.groupby("transport")["haemolysed"].agg(["sum", "size"])
    odds = used["sum"] / (used["size"] - used["sum"])
    ratio = odds["pneumatic"] / odds["porter"]
    assert table["crude"].iloc[0] == pytest.approx(ratio, rel=1e-6)
    assert table["odds_ratio"].iloc[0] == pytest.approx(ratio, rel=0.02)
    error = np.sqrt((1 / used["sum"] + 1 / (used["size"] - used["sum"])).sum())
    assert np.log(table["crude_high"] / table["crude"]).iloc[0] == pytest.approx(1.96 * error, 1e-3)
    assert table["high"].iloc[0] > table["crude_high"].iloc[0], "few wards: Student's interval"

    (avoided,) = avoidable.tell_avoidable(regression)
    shares = used["sum"] / used["size"]
    by_hand = 1 - shares["porter"] * len(regression.rows) / used["sum"].sum()
    assert avoided.change == "transport"
    assert avoided.share == pytest.approx(by_hand, abs=0.01)
    assert avoided.low < avoided.share < avoided.high


def test_too_little_to_fit() -> None:
    assert design.fit_tubes(make_counted(wards=2)) is None
    assert design.fit_tubes(make_counted(size=10)) is None


# ---- wards and weeks -----------------------------------------------------------------------------


def test_the_exact_limits_lie_within_a_tube_of_the_binomial_ones() -> None:
    tubes_of = np.array([50.0, 200.0, 1000.0, 20_000.0])
    low, high = funnel.exact_limits(0.06, tubes_of, 0.998)
    for side, probability in ((low, 0.001), (high, 0.999)):
        exact = stats.binom.ppf(probability, tubes_of, 0.06)
        assert np.all(side * tubes_of <= exact)
        assert np.all(side * tubes_of >= np.maximum(exact - 1, 0))
    normal = 0.06 + 3.09 * np.sqrt(0.06 * 0.94 / 20_000)
    assert high[-1] == pytest.approx(normal, rel=0.01)


def test_a_ward_beyond_the_usual_difference_is_found_and_no_other() -> None:
    rng = np.random.default_rng(4)
    shares = expit(np.log(0.05 / 0.95) + rng.normal(0, 0.25, 20))
    shares[7] = 0.2
    size = rng.integers(800, 4000, 20)
    table = pd.DataFrame({"ward": [f"W{at}" for at in range(20)], "tubes": size})
    table["haemolysed"] = rng.binomial(size, shares)
    found = funnel.compare_wards(table)
    assert set(found.wards.loc[found.wards["standing"] == "high", "ward"]) == {"W7"}
    assert found.between > 0.02
    low, high = funnel.exact_limits(found.target, size.astype(float), 0.998)
    outside = (found.wards["share"] < low) | (found.wards["share"] > high)
    assert outside.sum() > 5, "by chance alone many would be named: the wide limits are needed"
    alike = table.assign(haemolysed=np.round(0.05 * size).astype(int))
    level = funnel.compare_wards(alike)
    assert level.between == 0
    assert set(level.wards["standing"]) == {""}


WEEKS = [f"2024-W{at:02}" for at in range(1, 53)] + [f"2025-W{at:02}" for at in range(1, 53)]


def make_weekly(seed: int, later: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    shares = np.where(np.arange(104) < 60, 0.06, later)
    return pd.DataFrame(
        {"ward": "CARD", "week": WEEKS, "tubes": 40, "haemolysed": rng.binomial(40, shares)}
    )


def test_a_change_is_seen_and_dated_and_none_is_not() -> None:
    dated = []
    for seed in range(20):
        (steady,) = chart.draw_charts(make_weekly(seed, 0.06), WEEKS, 26)
        assert steady.since is None
        (changed,) = chart.draw_charts(make_weekly(seed, 0.18), WEEKS, 26)
        assert changed.since is not None
        first, last = map(WEEKS.index, changed.since)
        dated.append(first <= 60 <= last)
        signals = changed.weeks.loc[changed.weeks["signal"] != "", "signal"]
        assert set(signals) == {"high"}
        assert signals.index[0] >= 60
    assert sum(dated) >= 17
    (better,) = chart.draw_charts(make_weekly(1, 0.0), WEEKS, 26)
    assert set(better.weeks["signal"]) == {"", "low"}


def test_what_is_usual_must_be_known() -> None:
    weekly = make_weekly(1, 0.06)
    assert chart.draw_charts(weekly, WEEKS[:26], 26) == []
    assert chart.draw_charts(weekly.assign(haemolysed=0), WEEKS, 26) == []
    gaps = weekly[weekly.index % 4 != 1]
    (one,) = chart.draw_charts(gaps, WEEKS, 26)
    assert one.weeks["share"].isna().sum() == 26, "weeks without tubes are gaps, not zeros"
    assert one.weeks["ewma"].notna().all()


def test_weeks_that_vary_by_more_than_chance_widen_the_limits() -> None:
    weekly = make_weekly(2, 0.06)
    wild = weekly.assign(haemolysed=np.where(np.arange(104) % 2, 6, 0))
    (calm,), (rough,) = (chart.draw_charts(one, WEEKS, 26) for one in (weekly, wild))
    assert calm.dispersion < 1.5 < rough.dispersion
    assert rough.since is None


# ---- tables --------------------------------------------------------------------------------------


def test_bands_have_their_upper_end() -> None:
    rows = make_counted(size=2).assign(hours=[0.0, 0.5, 0.51, 1.0, 2.0, 4.0] * 2)
    table = counts.count_delays(rows)
    assert list(table["band"]) == ["0-0.5", "0.5-1", "1-2", "2-4"]
    assert list(table["tubes"]) == [4, 4, 2, 2]
    longer = counts.count_delays(rows.assign(hours=9.0))
    assert list(longer["band"]) == ["4+"]


def test_small_and_dominated_rows_are_not_shown() -> None:
    table = pd.DataFrame(
        {
            "persons": [11, 10, 40, 40, 40, 40],
            "haemolysed": [10, 10, 100, 100, 100, 0],
            "first": [2, 2, 86, 50, 50, 0],
            "second": [2, 2, 1, 41, 40, 0],
        }
    )
    assert list(counts.is_shown(table)) == [True, False, False, False, True, True]


def test_circumstances_are_counted_each_for_itself() -> None:
    rows = make_counted()
    table = counts.count_circumstances(rows).set_index("circumstance")
    assert table["tubes"].to_dict() == {
        "transport pneumatic": 1200,
        "transport porter": 1200,
        "device venepuncture": 2400,
        "site elbow": 2400,
        "type serum": 2400,
    }
    assert table.loc["site elbow", "haemolysed"] == rows["haemolysed"].sum()


def test_potassium_rises_with_free_haemoglobin() -> None:
    rng = np.random.default_rng(6)
    index = rng.exponential(60, 500)
    rows = pd.DataFrame({"index": index, "potassium": 4.1 + 0.003 * index})
    rows["potassium"] += rng.normal(0, 0.3, 500)
    found = potassium.measure_disturbance(rows)
    assert found is not None
    assert found.low < 0.003 < found.high
    assert found.low > 0
    assert potassium.measure_disturbance(rows[:99]) is None
