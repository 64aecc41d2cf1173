"""Growth by multinomial regression: against known lines, another likelihood, and its limits."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from wardbook.activity.movements import name_weeks
from wardbook.lineages import growth
from wardbook.lineages.names import OTHER

DAYS = 84


def draw(seed: int, slopes: dict[str, float], each_day: int = 30) -> pd.DataFrame:
    """Return sequences with shares exp(slope (day - 42)), over their sum."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(DAYS), each_day)
    odds = np.exp(np.outer(day - DAYS / 2, list(slopes.values())))
    edges = (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)
    at = (edges[:, :-1] < rng.random(len(day))[:, None]).sum(axis=1)
    sampled = pd.Series(pd.Timestamp(2025, 1, 6) + pd.to_timedelta(day, unit="D"))
    return pd.DataFrame(
        {"sampled": sampled, "week": name_weeks(sampled), "lineage": np.array(list(slopes))[at]}
    )


def test_the_lines_are_found_and_the_reference_moves_nothing_but_itself() -> None:
    slopes = {"A.1": 0.0, "B.1": 0.03, "XEC": 0.07}
    chosen = draw(3, slopes)
    for reference in ("A.1", "B.1"):
        fit = growth.fit_growth(chosen, least=11, reference=reference)
        table = growth.measure_advantages(fit).set_index("lineage")
        assert table.loc[reference, "advantage"] == 0
        for name, slope in slopes.items():
            low, high = table.loc[name, ["advantage_low", "advantage_high"]]
            assert low <= slope - slopes[reference] <= high
        fastest = table.loc["XEC"]
        assert fastest["growth_low"] > 0
        assert fastest["doubling_days"] == pytest.approx(np.log(2) / fastest["growth"], abs=0.1)
        assert pd.isna(table.loc["A.1", "doubling_days"])
    shares = growth.follow_shares(fit, ["2025-W07"])
    assert shares["share"].sum() == pytest.approx(1, abs=0.001)
    assert (shares["low"] < shares["share"]).all()
    assert (shares["share"] < shares["high"]).all()


def test_two_lineages_are_a_logistic_regression() -> None:
    """statsmodels' binomial model, of another code, has the same slope and error."""
    chosen = draw(5, {"A.1": 0.0, "B.1": 0.05}, each_day=6)
    fit = growth.fit_growth(chosen, least=11, reference="A.1")
    day = (chosen["sampled"] - chosen["sampled"].min()).dt.days
    has = (chosen["lineage"] == "B.1").astype(float)
    other = sm.GLM(has, sm.add_constant(day), family=sm.families.Binomial()).fit()
    assert fit.coefficients[1, 1] == pytest.approx(other.params.iloc[1], rel=1e-5)
    error = np.sqrt(fit.covariance[1, 1] / fit.dispersion)
    assert error == pytest.approx(other.bse.iloc[1], rel=1e-4)
    table = growth.measure_advantages(fit).set_index("lineage")
    # Of two lineages the growth against all others is that against the one other.
    assert table.loc["B.1", "growth"] == table.loc["B.1", "advantage"]


def test_outbreaks_widen_the_intervals() -> None:
    chosen = draw(7, {"A.1": 0.0, "B.1": 0.03}, each_day=5)
    alone = growth.fit_growth(chosen, least=11, reference="A.1")
    assert alone.dispersion < 2
    # Each week, one outbreak of twelve patients with the same lineage.
    heads = chosen.groupby("week").sample(1, random_state=1)
    outbreaks = pd.concat([chosen, *[heads] * 12], ignore_index=True)
    together = growth.fit_growth(outbreaks, least=11, reference="A.1")
    assert together.dispersion > 2
    assert together.p_dispersion < 0.01


def test_the_day_of_one_percent() -> None:
    fit = growth.fit_growth(draw(11, {"A.1": 0.0, "B.1": 0.12}), least=11, reference="A.1")
    passing = growth.find_passing(fit, "B.1", 0.01)
    assert passing is not None
    truth = 42 + np.log(0.01 / 0.99) / 0.12
    assert abs(passing.place - truth) < 3 * passing.error
    assert passing.low <= passing.day <= passing.high
    assert growth.find_passing(fit, "A.1", 0.01) is None, "it only recedes"


@pytest.mark.parametrize("reference", [None, "XEC"])
def test_what_cannot_be_fitted_is_told(reference: str | None) -> None:
    alone = draw(1, {"A.1": 0.0}).assign(lineage="A.1")
    with pytest.raises(growth.NotFitted):
        growth.fit_growth(alone, least=11, reference=reference)
    rest = alone.assign(lineage=[OTHER, "A.1"] * (len(alone) // 2))
    with pytest.raises(growth.NotFitted):
        growth.fit_growth(rest, least=11, reference=reference)


def test_lineages_that_never_met_are_not_fitted() -> None:
    chosen = draw(1, {"A.1": 0.0})
    early = chosen["sampled"] < pd.Timestamp(date(2025, 2, 1))
    with pytest.raises(growth.NotFitted):
        growth.fit_growth(chosen.assign(lineage=np.where(early, "A.1", "B.1")), least=11)
