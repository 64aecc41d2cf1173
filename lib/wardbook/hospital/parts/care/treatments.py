"""Procedures and drugs: those of the ward and the diagnosis, and those of chronic diseases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import Batch
from wardbook.hospital.building.wards import EMERGENCY_WARD, WARDS
from wardbook.hospital.parts.care.chronic import Illness
from wardbook.hospital.parts.care.codes import (
    ACUTE_DRUGS,
    DRUGS,
    PROCEDURES,
    Treatment,
    drug_concepts,
    procedure_concepts,
)
from wardbook.hospital.parts.care.diagnoses import ward_visits
from wardbook.omop.vocabulary import EHR

_PROCEDURES = {code: concept.id for code, concept in procedure_concepts().items()}
_DRUGS = {code: concept.id for code, concept in drug_concepts().items()}
_WARDS = {ward.code for ward in WARDS}
_DAILY = {drug.code: drug.daily for drug in DRUGS}
_UNITS = {drug.code: drug.unit for drug in DRUGS}
_ROUTES = {drug.code: drug.route for drug in DRUGS}


def draw_procedures(
    rng: np.random.Generator, batch: Batch, diagnoses: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of procedure_occurrence: each in the first day of its stay."""
    rows = _draw_treated(rng, diagnoses, PROCEDURES)
    length = (rows["ended"] - rows["began"]).dt.total_seconds().to_numpy() // 60
    after = (rng.random(len(rows)) * np.minimum(length, 1440)).astype("int64")
    at = rows["began"] + pd.to_timedelta(after, unit="min")
    concept = rows["code"].map(_PROCEDURES)
    return pd.DataFrame(
        {
            "procedure_occurrence_id": batch.ids("procedure_occurrence", len(rows)),
            "person_id": rows["person_id"],
            "procedure_concept_id": concept,
            "procedure_date": at.dt.normalize(),
            "procedure_datetime": at,
            "procedure_type_concept_id": EHR.id,
            "quantity": 1,
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
            "procedure_source_value": rows["code"],
            "procedure_source_concept_id": concept,
        }
    )


def draw_drugs(
    rng: np.random.Generator, batch: Batch, diagnoses: pd.DataFrame, illness: Illness
) -> pd.DataFrame:
    """Return the rows of drug_exposure: what is given in a stay, and what is taken all along."""
    acute = _draw_treated(rng, diagnoses, ACUTE_DRUGS)
    through = batch.visits[batch.visits["visit_id"].isin(ward_visits(batch))]
    person = (through["person_id"] - batch.persons["person_id"].iloc[0]).to_numpy()
    columns = ["visit_id", "person_id", "began", "ended"]
    taken = [
        through.loc[takes[person], columns].assign(code=code)
        for code, takes in illness.takes.items()
    ]
    rows = pd.concat([*taken, acute])
    # What is taken all along is not begun anew for the ward's reason.
    rows = rows.drop_duplicates(["visit_id", "code"])
    rows = rows.sort_values(["visit_id", "code"], ignore_index=True)
    days = (rows["ended"].dt.normalize() - rows["began"].dt.normalize()).dt.days + 1
    concept = rows["code"].map(_DRUGS)
    return pd.DataFrame(
        {
            "drug_exposure_id": batch.ids("drug_exposure", len(rows)),
            "person_id": rows["person_id"],
            "drug_concept_id": concept,
            "drug_exposure_start_date": rows["began"].dt.normalize(),
            "drug_exposure_start_datetime": rows["began"],
            "drug_exposure_end_date": rows["ended"].dt.normalize(),
            "drug_exposure_end_datetime": rows["ended"],
            "drug_type_concept_id": EHR.id,
            "quantity": days * rows["code"].map(_DAILY),
            "days_supply": days,
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
            "drug_source_value": rows["code"],
            "drug_source_concept_id": concept,
            "route_source_value": rows["code"].map(_ROUTES),
            "dose_unit_source_value": rows["code"].map(_UNITS),
        }
    )


def _draw_treated(
    rng: np.random.Generator, diagnoses: pd.DataFrame, treatments: Sequence[Treatment]
) -> pd.DataFrame:
    """Return the rows of stays with the code of each treatment that they have, once each."""
    ward, code = diagnoses["ward"].to_numpy(), diagnoses["code"].to_numpy()
    inside = ward != ""
    found = []
    for one in treatments:
        if one.by == "":
            where = inside & (ward != EMERGENCY_WARD)
        else:
            where = inside & ((ward if one.by in _WARDS else code) == one.by)
        at = np.flatnonzero(where)
        found.append(diagnoses.iloc[at[rng.random(len(at)) < one.share]].assign(code=one.code))
    return pd.concat(found).drop_duplicates(["stay_id", "code"])
