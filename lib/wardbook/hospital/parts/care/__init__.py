"""Diagnoses, procedures and drugs.

Each stay in a ward has a main diagnosis (`condition_status_source_value` DP), which decides with
the ward what is done and given; each visit that goes through a ward lists the person's chronic
diseases too (DAS) and the drugs taken for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wardbook.hospital.building.batch import Batch, Rows
from wardbook.hospital.parts.care.chronic import CHRONIC, YOUNGEST, draw_illness
from wardbook.hospital.parts.care.codes import (
    INFLUENZA,
    INFLUENZA_AT_PEAK,
    NAMES,
    condition_concept,
    drug_concepts,
    procedure_concepts,
)
from wardbook.hospital.parts.care.diagnoses import draw_diagnoses, write_conditions
from wardbook.hospital.parts.care.treatments import draw_drugs, draw_procedures

CONCEPTS = (
    *(condition_concept(code, name) for code, name in NAMES.items()),
    *(condition_concept(disease.code, disease.name) for disease in CHRONIC),
    *procedure_concepts().values(),
    *drug_concepts().values(),
)
TRUTH: Mapping[str, Any] = {
    "chronic": {
        disease.code: {
            "share_of_women_at_60": disease.at_60,
            "odds_ratio_per_10_years": disease.per_10_years,
            "odds_ratio_of_men": disease.male,
            "odds_ratios": dict(disease.after),
            "takes": dict(disease.drugs),
        }
        for disease in CHRONIC
    },
    "chronic_from_age": YOUNGEST,
    "influenza": INFLUENZA,
    "influenza_at_peak": INFLUENZA_AT_PEAK,
}


def draw(batch: Batch) -> Rows:
    """Return condition_occurrence, procedure_occurrence and drug_exposure."""
    rng = batch.rng("care")
    illness = draw_illness(rng, batch.persons)
    diagnoses = draw_diagnoses(rng, batch)
    return {
        "condition_occurrence": write_conditions(batch, diagnoses, illness),
        "procedure_occurrence": draw_procedures(rng, batch, diagnoses),
        "drug_exposure": draw_drugs(rng, batch, diagnoses, illness),
    }
