"""Main diagnoses of stays, and chronic diseases of visits."""

from __future__ import annotations

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, Batch
from wardbook.hospital.building.seasons import epidemic
from wardbook.hospital.building.wards import EMERGENCY_WARD
from wardbook.hospital.parts.care.chronic import CHRONIC, Illness
from wardbook.hospital.parts.care.codes import (
    INFLUENZA,
    INFLUENZA_AT_PEAK,
    MAIN,
    NAMES,
    OUTPATIENT,
    condition_concept,
)
from wardbook.omop.vocabulary import EHR

MAIN_STATUS, CHRONIC_STATUS = "DP", "DAS"
"""Diagnostic principal, diagnostic associé significatif, as the French hospitals code them."""
_IDS = {code: condition_concept(code, name).id for code, name in NAMES.items()}
_IDS |= {disease.code: condition_concept(disease.code, disease.name).id for disease in CHRONIC}
_YEAR = 365.25


def draw_diagnoses(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    """Draw the main diagnosis of every stay in a ward, and of visits that go through none.

    Returns:
        person_id, visit_id, stay_id (missing for outpatients), ward ("" for them), began, ended,
        code.
    """
    stays, visits = batch.stays, batch.visits
    # Who goes on from the emergency department has the diagnosis of the ward.
    alone = ~stays["visit_id"].duplicated(keep=False)
    told = stays[(stays["ward"] != EMERGENCY_WARD) | alone]
    outside = visits[visits["kind"] == "outpatient"]
    rows = pd.concat(
        [
            told.rename(columns={"entered": "began", "left": "ended"}).assign(code=""),
            outside[["visit_id", "person_id", "began", "ended"]].assign(ward="", code=OUTPATIENT),
        ],
        ignore_index=True,
    )
    persons = batch.persons.set_index("person_id").loc[rows["person_id"]]
    day = (rows["began"].dt.normalize() - pd.Timestamp(FIRST_DAY)).dt.days.to_numpy()
    age = (rows["began"].to_numpy() - persons["born"].to_numpy()).astype("timedelta64[D]").astype(
        "int64"
    ) / _YEAR
    female = persons["sex"].to_numpy() == "F"
    code = rows["code"].to_numpy(dtype=object)
    for ward in MAIN:
        here = np.flatnonzero((rows["ward"] == ward).to_numpy())
        code[here] = _choose_main(rng, ward, age[here], female[here])
        peak = INFLUENZA_AT_PEAK.get(ward, 0.0)
        code[here[rng.random(len(here)) < peak * epidemic(day[here])]] = INFLUENZA
    rows["code"] = code.astype("str")
    rows["stay_id"] = rows["stay_id"].astype("Int64")
    return rows.sort_values(["visit_id", "began"], ignore_index=True)


def _choose_main(
    rng: np.random.Generator, ward: str, age: np.ndarray, female: np.ndarray
) -> np.ndarray:
    weights = np.stack(
        [
            np.where(
                (age >= one.ages[0])
                & (age < one.ages[1] + 1)
                & ((female == (one.sex == "F")) | (not one.sex)),
                one.weight,
                0.0,
            )
            for one in MAIN[ward]
        ],
        axis=1,
    )
    edges = weights.cumsum(axis=1)
    at = rng.random(len(age)) * edges[:, -1]
    chosen: np.ndarray = np.array([one.code for one in MAIN[ward]], dtype=object)[
        (edges <= at[:, None]).sum(axis=1)
    ]
    return chosen


def write_conditions(batch: Batch, diagnoses: pd.DataFrame, illness: Illness) -> pd.DataFrame:
    """Return the rows of condition_occurrence."""
    main = diagnoses.assign(status=MAIN_STATUS)
    through = batch.visits[batch.visits["visit_id"].isin(ward_visits(batch))]
    person = (through["person_id"] - batch.persons["person_id"].iloc[0]).to_numpy()
    chronic = [
        through.loc[has[person], ["visit_id", "person_id", "began"]].assign(code=code)
        for code, has in illness.has.items()
    ]
    rows = pd.concat([main, *(c.assign(status=CHRONIC_STATUS) for c in chronic)])
    rows = rows.sort_values(["visit_id", "began", "status", "code"], ignore_index=True)
    concept = rows["code"].map(_IDS)
    return pd.DataFrame(
        {
            "condition_occurrence_id": batch.ids("condition_occurrence", len(rows)),
            "person_id": rows["person_id"],
            "condition_concept_id": concept,
            "condition_start_date": rows["began"].dt.normalize(),
            "condition_start_datetime": rows["began"],
            "condition_end_date": rows["ended"].dt.normalize(),
            "condition_end_datetime": rows["ended"],
            "condition_type_concept_id": EHR.id,
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
            "condition_source_value": rows["code"],
            "condition_source_concept_id": concept,
            "condition_status_source_value": rows["status"],
        }
    )


def ward_visits(batch: Batch) -> np.ndarray:
    """Return the ids of the visits that go through a ward."""
    stays = batch.stays
    ids: np.ndarray = stays["visit_id"][stays["ward"] != EMERGENCY_WARD].unique()
    return ids
