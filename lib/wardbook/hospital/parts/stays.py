"""Persons, visits and stays in wards, as the model holds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, LAST_DAY, Batch, Rows
from wardbook.hospital.building.people import ADMITTED, EMERGENCY_HOURS
from wardbook.hospital.building.wards import WARDS
from wardbook.omop.vocabulary import EHR, EMERGENCY, FEMALE, INPATIENT, MALE, OUTPATIENT, Concept

CONCEPTS: tuple[Concept, ...] = ()
TRUTH: Mapping[str, Any] = {
    "emergency_median_hours": EMERGENCY_HOURS[0],
    "emergency_admitted": ADMITTED,
    "mean_nights": {ward.code: ward.nights for ward in WARDS[1:]},
}
FIRST_IPP = 8_000_000_000
CARE_SITES = {ward.code: number for number, ward in enumerate(WARDS, 1)}
_KINDS = {"inpatient": INPATIENT.id, "emergency": EMERGENCY.id, "outpatient": OUTPATIENT.id}


def draw(batch: Batch) -> Rows:
    """Return person, observation_period, visit_occurrence and visit_detail."""
    return {
        "person": _persons(batch.persons),
        "observation_period": _periods(batch),
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
            "observation_period_end_date": pd.Timestamp(LAST_DAY),
            "period_type_concept_id": EHR.id,
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


_DEPARTMENTS = ("35", "22", "56", "53", "50", "44", "29")
LOCATIONS = {code: number for number, code in enumerate(_DEPARTMENTS, 1)}
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
