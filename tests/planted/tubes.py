"""Odds ratios of haemolysis, avoidable shares, potassium, the bad wards, the ward that changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from tests.planted_effects import Estimate
from wardbook.activity.movements import name_weeks, whole_weeks
from wardbook.datasets import find_dataset
from wardbook.haemolysis import avoidable, chart, counts, design, funnel, potassium, tubes
from wardbook.hospital.building.batch import FIRST_DAY as FIRST
from wardbook.hospital.building.batch import LAST_DAY as LAST
from wardbook.hospital.parts.tubes import log_odds
from wardbook.warehouse import extract, open_warehouse

PARTS = ("tubes",)
PATIENTS = 12_000
NOW = pd.Timestamp("2026-02-01", tz="UTC")
FIRST_WEEKS = 26
MOST_FALSE = 2
"""Of the charts of wards that did not change about one in twenty signals within 78 weeks."""


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    whole = json.loads((database.parent / "truth.json").read_text())
    truth = whole["tubes"]
    rows = read_tubes(database, truth["haemolysed_above"])
    regression = design.fit_tubes(rows)
    assert regression is not None
    slope = potassium.measure_disturbance(rows)
    assert slope is not None
    return [
        *_odds_ratios(regression, truth),
        *_avoidable(regression, whole["seed"]),
        Estimate("potassium per mg/dL", truth["potassium_per_mg_dl"], slope.low, slope.high),
        *_wards(rows, truth),
        *_change(rows, truth),
    ]


def read_tubes(database: Path, threshold: float) -> pd.DataFrame:
    """Return the tubes through the real view and extract, sorted as the notebook does."""
    dataset = find_dataset("blood-tubes")
    assert dataset is not None
    file = database.parent / "tubes.parquet"
    with open_warehouse(f"duckdb://{database}") as open_table:
        extract(dataset, open_table, {"start": FIRST, "end": LAST}, file)
    found = tubes.sort_out(dataset.read(file), threshold, NOW, file=file.name)
    return tubes.keep_period(found.rows, FIRST, LAST, None, file=file.name)


def _odds_ratios(regression: design.Regression, truth: dict[str, Any]) -> list[Estimate]:
    planted = {name if name != "tube" else "type": of for name, of in truth["odds_ratios"].items()}
    table = design.tell_odds_ratios(regression)
    return [
        Estimate(
            f"odds ratio {row.factor} {row.level}".strip(),
            planted[row.factor][row.level] if row.level else truth["odds_ratio_per_hour"],
            row.low,
            row.high,
        )
        for row in table.itertuples(index=False)
    ]


def _avoidable(regression: design.Regression, seed: int) -> list[Estimate]:
    """Return the shares avoided; the truth is what the planted odds say of these very tubes."""
    rows = regression.rows.rename(columns={"type": "tube", "tube": "number"})
    expected = expit(log_odds(rows, seed)).sum()
    found = []
    for one in avoidable.tell_avoidable(regression):
        changed = avoidable.CHANGES[one.change](rows)
        share = 1 - float(expit(log_odds(changed, seed)).sum() / expected)
        found.append(Estimate(f"avoided by {one.change}", share, one.low, one.high))
    return found


def _wards(rows: pd.DataFrame, truth: dict[str, Any]) -> list[Estimate]:
    """Return for each bad ward whether the funnel finds it: 1 is planted."""
    wards = funnel.compare_wards(counts.count_wards(rows)).wards.set_index("ward")["standing"]
    high = {ward: float(wards[ward] == "high") for ward in truth["bad_wards"]}
    return [Estimate(f"above the funnel: {ward}", 1, is_, is_) for ward, is_ in high.items()]


def _change(rows: pd.DataFrame, truth: dict[str, Any]) -> list[Estimate]:
    """Return the weeks in which the chart says the ward changed, as places in the series."""
    weeks = whole_weeks(FIRST, LAST)
    weekly = counts.count_wards(rows, weeks)
    charts = {one.ward: one for one in chart.draw_charts(weekly, weeks, FIRST_WEEKS)}
    changed = truth["changed"]
    planted = weeks.index(name_weeks(pd.Series([pd.Timestamp(changed["from"])])).iloc[0])
    of = charts.get(changed["ward"])
    span = of.since if of is not None else None
    low, high = (np.nan, np.nan) if span is None else (weeks.index(week) for week in span)
    false = [one for one in charts.values() if one.ward != changed["ward"] and one.since]
    few = float(len(false) <= MOST_FALSE)
    return [
        Estimate(f"week of the change in {changed['ward']}", planted, low, high),
        Estimate(f"at most {MOST_FALSE} other wards signal", 1, few, few),
    ]
