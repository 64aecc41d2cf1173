"""Growth, shares and emergence of lineages; positivity by age and sex."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from tests.planted_effects import Estimate
from wardbook.covid import tests as covid_tests
from wardbook.datasets import find_dataset
from wardbook.lineages import growth, sequences
from wardbook.lineages.names import Aliases
from wardbook.warehouse import extract, open_warehouse

PARTS = ("sars_cov_2",)
PATIENTS = 20_000
FIRST = date(2024, 1, 1)
TODAY = date(2026, 1, 1)
ALIASES = Aliases(
    {
        "BA": "B.1.1.529",
        "JN": "B.1.1.529.2.86.1",
        "KP": "B.1.1.529.2.86.1.1.11.1",
        "LP": "B.1.1.529.2.86.1.1.11.1.1.1.3",
    },
    frozenset({"A", "B", "XEC", "XFG"}),
)
"""The few aliases of which the hospital writes lineages both ways."""
YEARS = ((2024, "KP.3.1.1", "2024-W28"), (2025, "XFG", "2025-W46"))
"""A year, the reference in it, and the week whose shares are looked at."""
LEAST = 11
ONE_PERCENT = 0.01


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital, through the views, as the templates have them."""
    truth = json.loads((database.parent / "truth.json").read_text())["sars_cov_2"]
    return [*_estimate_lineages(database, truth), *_estimate_ratios(database, truth)]


def _estimate_lineages(database: Path, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    rows = sequences.name_lineages(
        _extract(database, "sequences", {"end": TODAY}), TODAY, ALIASES
    ).rows
    slopes = truth["growth_advantage_per_day"]
    for year, reference, week in YEARS:
        span = date(year, 1, 1), date(year, 12, 31)
        chosen = sequences.choose_period(rows, *span, file="sequences")
        apart = sequences.keep_apart(rows, *span)
        named = sequences.group_lineages(chosen["full"], ALIASES, least=LEAST, apart=apart)
        fit = growth.fit_growth(chosen.assign(lineage=named), least=LEAST, reference=reference)
        for one in growth.measure_advantages(fit).to_dict("records")[1:]:
            planted = slopes[one["lineage"]] - slopes[reference]
            bounds = one["advantage_low"], one["advantage_high"]
            yield Estimate(f"growth {one['lineage']} {year}", planted, *bounds)
        followed = growth.follow_shares(fit, [week])
        thursday = date.fromisocalendar(int(week[:4]), int(week[6:]), 4)
        shares = _shares_on((thursday - FIRST).days, truth)
        for one in followed[followed["share"] > ONE_PERCENT].to_dict("records"):
            yield Estimate(
                f"share {one['lineage']} {week}", shares[one["lineage"]], one["low"], one["high"]
            )
        if year == 2025:
            yield from _estimate_passing(fit, truth)


def _estimate_passing(fit: growth.Fit, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    """Yield the day on which the newest lineage passes one percent, in days from the first."""
    name = truth["new_lineage"]
    if name not in fit.lineages:
        return
    passing = growth.find_passing(fit, name, ONE_PERCENT)
    if passing is not None:
        planted = brentq(lambda day: _shares_on(day, truth)[name] - ONE_PERCENT, 615, 720)
        place = (fit.first - FIRST) / timedelta(days=1) + passing.place
        reach = float(norm.ppf(0.975)) * passing.error
        yield Estimate(f"one percent {name}", planted, place - reach, place + reach)


def _estimate_ratios(database: Path, truth: Mapping[str, Any]) -> Iterator[Estimate]:
    planted = {
        group: truth["positivity_ratio_by_age"][group.split("-")[0].strip("+")]
        for group in covid_tests.GROUPS
    } | {"M": truth["positivity_ratio_of_men"]}
    span = FIRST, TODAY
    rows = _extract(database, "covid-tests", {"start": span[0], "end": span[1]})
    tests = covid_tests.sort_out(rows, TODAY, *span, file="covid-tests").rows
    for one in covid_tests.measure_ratios(tests).to_dict("records"):
        yield Estimate(f"positivity {one['level']}", planted[one["level"]], one["low"], one["high"])


def _shares_on(day: float, truth: Mapping[str, Any]) -> dict[str, float]:
    """Return the planted shares: exp(growth (day - equal)), over their sum."""
    slopes, equal = truth["growth_advantage_per_day"], truth["equal_to_reference_on_day"]
    odds = {
        name: float(np.exp(slopes[name] * (day - equal[name])))
        for name in slopes
        if (date.fromisoformat(truth["emerged"][name]) - FIRST).days <= day
    }
    return {name: one / sum(odds.values()) for name, one in odds.items()}


def _extract(database: Path, kind: str, asked: Mapping[str, Any]) -> pd.DataFrame:
    dataset = find_dataset(kind)
    assert dataset is not None
    file = database.with_name(f"{kind}.parquet")
    with open_warehouse(f"duckdb://{database}") as open_table:
        extract(dataset, open_table, asked, file)
    return dataset.read(file)
