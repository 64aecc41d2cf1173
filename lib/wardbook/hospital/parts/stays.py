"""Persons, visits, stays in wards and deaths, as the model holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, LAST_DAY, Batch, Rows
from wardbook.hospital.building.people import DEPARTMENTS
from wardbook.hospital.building.seasons import (
    EPIDEMIC_PEAK,
    EPIDEMIC_SPREAD,
    LEVEL_EPIDEMIC,
    LEVEL_WINTER,
    WEEKDAYS,
)
from wardbook.hospital.building.visits import (
    ADMITTED,
    DEATH_ODDS_PER_10_YEARS,
    EMERGENCY_HOURS,
    READMISSION_DAYS,
    TO_AFTERCARE,
    TRANSFERRED,
)
from wardbook.hospital.building.wards import EMERGENCY_WARD, WARDS
from wardbook.omop.vocabulary import EHR, EMERGENCY, FEMALE, INPATIENT, MALE, OUTPATIENT, Concept

CONCEPTS: tuple[Concept, ...] = ()
_OTHERS = tuple(ward for ward in WARDS if ward.code != EMERGENCY_WARD)
TRUTH: Mapping[str, Any] = {
    "emergency_median_hours": EMERGENCY_HOURS[0],
    "emergency_admitted": ADMITTED,
    "mean_nights": {ward.code: ward.nights for ward in _OTHERS},
    "readmission_days": READMISSION_DAYS,
    "readmitted": {ward.code: ward.readmitted for ward in _OTHERS},
    "transferred": TRANSFERRED,
    "to_aftercare": TO_AFTERCARE,
    "death_odds_ratio_per_10_years": DEATH_ODDS_PER_10_YEARS,
    "death_log_odds_at_70": {ward.code: ward.death for ward in _OTHERS},
    "weekdays": {
        kind: [round(7 * share / sum(days), 6) for share in days] for kind, days in WEEKDAYS.items()
    },
    "epidemic": {
        "peak": EPIDEMIC_PEAK.isoformat(),
        "spread_days": EPIDEMIC_SPREAD,
        "log_visits": LEVEL_EPIDEMIC,
        "log_odds": {ward.code: ward.epidemic for ward in _OTHERS if ward.epidemic},
    },
    "winter": {
        "log_visits": LEVEL_WINTER,
        "log_odds": {ward.code: ward.winter for ward in _OTHERS if ward.winter},
    },
}
FIRST_IPP = 8 * 10**9
CARE_SITES = {ward.code: number for number, ward in enumerate(WARDS, 1)}
_KINDS = {"inpatient": INPATIENT.id, "emergency": EMERGENCY.id, "outpatient": OUTPATIENT.id}


def draw(batch: Batch) -> Rows:
    """Return person, observation_period, death, visit_occurrence and visit_detail."""
    return {
        "person": _persons(batch.persons),
        "observation_period": _periods(batch),
        "death": _deaths(batch.persons),
        "visit_occurrence": _visits(batch.visits),
        "visit_detail": _details(batch),
    }


def _persons(persons: pd.DataFrame) -> pd.DataFrame:
    born = persons["born"]
    return pd.DataFrame(
        {
            "person_id": persons["person_id"],
            "gender_concept_id": persons["sex"].map({"F": FEMALE.id, "M": MALE.id}),
            "year_of_birth": born.dt.year,
            "month_of_birth": born.dt.month,
            "day_of_birth": born.dt.day,
            "birth_datetime": born,
            "race_concept_id": 0,
            "ethnicity_concept_id": 0,
            "location_id": persons["department"].map(LOCATIONS),
            "person_source_value": (FIRST_IPP + persons["person_id"]).astype("str"),
            "gender_source_value": persons["sex"],
        }
    )


def _periods(batch: Batch) -> pd.DataFrame:
    count = len(batch.persons)
    return pd.DataFrame(
        {
            "observation_period_id": batch.ids("observation_period", count),
            "person_id": batch.persons["person_id"],
            "observation_period_start_date": pd.Timestamp(FIRST_DAY),
            "observation_period_end_date": batch.persons["died"]
            .dt.normalize()
            .fillna(pd.Timestamp(LAST_DAY)),
            "period_type_concept_id": EHR.id,
        }
    )


def _deaths(persons: pd.DataFrame) -> pd.DataFrame:
    dead = persons[persons["died"].notna()]
    return pd.DataFrame(
        {
            "person_id": dead["person_id"],
            "death_date": dead["died"].dt.normalize(),
            "death_datetime": dead["died"],
            "death_type_concept_id": EHR.id,
        }
    )


def _visits(visits: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "visit_occurrence_id": visits["visit_id"],
            "person_id": visits["person_id"],
            "visit_concept_id": visits["kind"].map(_KINDS),
            "visit_start_date": visits["began"].dt.normalize(),
            "visit_start_datetime": visits["began"],
            "visit_end_date": visits["ended"].dt.normalize(),
            "visit_end_datetime": visits["ended"],
            "visit_type_concept_id": EHR.id,
            "visit_source_value": visits["kind"],
            "discharged_to_source_value": np.where(visits["died"], DIED, HOME),
        }
    )


def _details(batch: Batch) -> pd.DataFrame:
    stays = batch.stays
    kinds = batch.visits.set_index("visit_id")["kind"].map(_KINDS)
    before = stays["stay_id"].shift().where(stays["visit_id"] == stays["visit_id"].shift())
    return pd.DataFrame(
        {
            "visit_detail_id": stays["stay_id"],
            "person_id": stays["person_id"],
            "visit_detail_concept_id": kinds.reindex(stays["visit_id"]).to_numpy(),
            "visit_detail_start_date": stays["entered"].dt.normalize(),
            "visit_detail_start_datetime": stays["entered"],
            "visit_detail_end_date": stays["left"].dt.normalize(),
            "visit_detail_end_datetime": stays["left"],
            "visit_detail_type_concept_id": EHR.id,
            "care_site_id": stays["ward"].map(CARE_SITES).astype(np.int64),
            "visit_detail_source_value": stays["ward"],
            "preceding_visit_detail_id": before.astype("Int64"),
            "visit_occurrence_id": stays["visit_id"],
        }
    )


HOME, DIED = "8", "9"
"""How a visit ends, as the French hospitals' discharge records (PMSI) code it."""
LOCATIONS = {code: number for number, code in enumerate(DEPARTMENTS, 1)}
"""Id of the location that stands for a department."""


def fixed_rows() -> Rows:
    """Return the rows that do not depend on any person: care sites and locations."""
    return {
        "location": pd.DataFrame(
            {
                "location_id": list(LOCATIONS.values()),
                "state": list(LOCATIONS),
                "location_source_value": list(LOCATIONS),
                "country_source_value": "FR",
            }
        ),
        "care_site": pd.DataFrame(
            {
                "care_site_id": list(CARE_SITES.values()),
                "care_site_name": [ward.name for ward in WARDS],
                "care_site_source_value": [ward.code for ward in WARDS],
                "place_of_service_source_value": "ward",
            }
        ),
    }
