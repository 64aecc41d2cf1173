"""What ward_activity says of stays and readmissions, through its view and its own functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from tests.planted_effects import Estimate
from wardbook.activity import movements, readmission
from wardbook.activity.stays import read_stays, sort_out
from wardbook.datasets import find_dataset
from wardbook.warehouse import extract, open_warehouse

PARTS = ("stays", "care")
PATIENTS = 20_000
WARDS = ("CARD", "GERI", "PNEU")
FIRST, LAST = date(2024, 4, 1), date(2025, 6, 30)


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["stays"]
    files = {}
    with open_warehouse(f"duckdb://{database}") as open_table:
        for kind in ("ward-stays", "deaths"):
            dataset = find_dataset(kind)
            assert dataset is not None
            files[kind] = database.parent / f"{kind}.parquet"
            extract(dataset, open_table, {"start": FIRST, "end": LAST}, files[kind])
    deaths = pd.read_parquet(files["deaths"])
    stays = sort_out(read_stays(files["ward-stays"]), None, pd.Timestamp("2026-11-01", tz="UTC"))
    whole = readmission.list_hospital_stays(stays.rows, {"URGE"})
    followed = readmission.follow_up(whole, FIRST, LAST, deaths)
    nights = movements.measure_nights(stays.rows, FIRST, LAST)
    return [*_readmissions(followed, truth["readmitted"]), *_nights(nights, truth["mean_nights"])]


def _readmissions(followed: pd.DataFrame, truth: dict[str, float]) -> Iterator[Estimate]:
    table = readmission.measure_readmissions(followed).set_index("ward")
    for ward in WARDS:
        counted = table.loc[ward, ["readmitted", "discharges"]].astype(int)
        found = stats.binomtest(*counted).proportion_ci()
        yield Estimate(f"readmitted {ward}", truth[ward], found.low, found.high)


def _nights(nights: pd.DataFrame, truth: dict[str, float]) -> Iterator[Estimate]:
    for ward in WARDS:
        here = nights["nights"][nights["ward"] == ward].astype(float)
        low, high = stats.t.interval(0.95, len(here) - 1, np.mean(here), stats.sem(here))
        yield Estimate(f"nights {ward}", truth[ward], low, high)
