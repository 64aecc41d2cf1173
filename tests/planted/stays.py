"""Nights by ward, share of emergency visits that are admitted, hours in the emergency ward."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import numpy as np
from scipy import stats

from tests.planted_effects import Estimate

PARTS = ("stays",)
PATIENTS = 20_000
WARDS = ("CARD", "GERI", "MATE", "REAM", "SSRE")
# Visits that would end after the hospital's last day are not in it: those that begin earlier all
# have ended by then.
BEGAN_BEFORE = "visit_start_date < DATE '2025-07-01'"


def estimate(database: Path) -> list[Estimate]:
    """Return the estimates of one hospital."""
    truth = json.loads((database.parent / "truth.json").read_text())["stays"]
    with duckdb.connect(str(database), read_only=True) as connection:
        stays = connection.execute(
            "SELECT visit_detail_source_value ward, epoch(visit_detail_end_datetime"
            " - visit_detail_start_datetime) / 3600 AS hours, visit_source_value kind,"
            " preceding_visit_detail_id IS NULL AS first, visit_end_datetime"
            " > visit_detail_end_datetime AS goes_on FROM visit_detail"
            f" JOIN visit_occurrence USING (visit_occurrence_id) WHERE {BEGAN_BEFORE}"
        ).df()
    found = []
    for ward in WARDS:
        nights = stays["hours"][stays["ward"] == ward] / 24
        low, high = stats.t.interval(0.95, len(nights) - 1, nights.mean(), stats.sem(nights))
        found.append(Estimate(f"nights {ward}", truth["mean_nights"][ward], low, high))
    emergency = stays[(stays["kind"] == "emergency") & stays["first"]]
    share = stats.binomtest(int(emergency["goes_on"].sum()), len(emergency)).proportion_ci()
    found.append(Estimate("emergency admitted", truth["emergency_admitted"], share.low, share.high))
    hours = np.sort(emergency["hours"].to_numpy())
    at = int(stats.binom.ppf(0.025, len(hours), 0.5))
    middle = truth["emergency_median_hours"]
    found.append(Estimate("emergency hours", middle, hours[at - 1], hours[len(hours) - at]))
    return found
