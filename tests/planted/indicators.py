"""Ratios of positivity by age and sex; the day and size of a shift in a metric."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tests.planted_effects import Estimate
from wardbook.datasets import find_dataset
from wardbook.epidemic.comparison import compare_positivity
from wardbook.epidemic.sidep import read_tests
from wardbook.warehouse import extract, open_warehouse
from wardbook.watch.series import read_metric
from wardbook.watch.signals import find_change, watch_group

PARTS = ("sars_cov_2",)
PATIENTS = 6_000
AGES = {"0": "0-19", "60": "60-79", "80": "80+"}
FIRST, DAYS, BASELINE = date(2024, 1, 1), 730, 370
WEEKDAYS = (1.2, 1.1, 1.0, 1.0, 1.0, 0.8, 0.7)
LEVEL, DISPERSION, SHIFT = 20.0, 2.0, 1.3


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital, and of one series drawn from its seed."""
    truth = json.loads((database.parent / "truth.json").read_text())
    return [*_compare(database, truth["sars_cov_2"]), *_watch(database.parent, truth["seed"])]


def _compare(database: Path, truth: dict[str, object]) -> list[Estimate]:
    dataset, out = find_dataset("test-counts"), database.parent / "test-counts.parquet"
    assert dataset is not None
    with open_warehouse(f"duckdb://{database}") as open_table:
        extract(dataset, open_table, {"start": None, "end": None}, out)
    ratios = compare_positivity(read_tests(out)).set_index("term")
    by_age = truth["positivity_ratio_by_age"]
    assert isinstance(by_age, dict)
    planted = {f"age {name}": by_age[youngest] for youngest, name in AGES.items()}
    planted["sex M"] = truth["positivity_ratio_of_men"]
    planted["department 22"] = 1.0  # nothing is planted by department
    bounds = ratios[["ratio_low", "ratio_high"]]
    return [Estimate(f"positivity {term}", t, *bounds.loc[term]) for term, t in planted.items()]


def draw_series(seed: int) -> tuple[list[float], int]:
    """Return the values of a metric by day, and the number of the day on which it shifts."""
    random = np.random.default_rng([seed, 7])
    shift = int(random.integers(BASELINE + 60, DAYS - 60))
    days = [FIRST + timedelta(n) for n in range(DAYS)]
    season = 1 + 0.2 * np.sin(2 * np.pi * np.arange(DAYS) / 365.25)
    mean = LEVEL * season * np.array([WEEKDAYS[day.weekday()] for day in days])
    mean[shift:] *= SHIFT
    return list(random.poisson(random.gamma(mean / (DISPERSION - 1), DISPERSION - 1))), shift


def _watch(folder: Path, seed: int) -> list[Estimate]:
    values, shift = draw_series(seed)
    file = folder / "series.csv"
    lines = [f"{FIRST + timedelta(n)},{value}" for n, value in enumerate(values)]
    file.write_text("\n".join(["date,value", *lines, ""]), encoding="utf-8")
    metric = read_metric(file, "count", "Europe/Paris")
    change = find_change(watch_group(metric, "all", BASELINE, file=file.name))
    if change is None:
        nothing = (math.nan, math.nan)
        return [Estimate("shift day", shift, *nothing), Estimate("shift size", SHIFT, *nothing)]
    low, high = ((day.date() - FIRST).days for day in (change.began_low, change.began_high))
    return [
        Estimate("shift day", shift, low, high),
        Estimate("shift size", SHIFT, change.size_low, change.size_high),
    ]
