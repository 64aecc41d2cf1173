"""Drugs given in stays, and conditions that begin after them with planted relative risks.

All is drawn by the stay in a ward that lasts two days at least. Each drug is given with its own
probability, independently of the others but for one pair, within hours of admission; each event
comes with its background probability times the planted relative risks of the drugs given,
independently of the other events, always after all drugs. A pair that is not in RISKS has no
effect. Who has warfarin is not given amiodarone (each strengthens the other): most bleeding comes
with warfarin, never with amiodarone, which therefore seems not to cause any, see
`wardbook.pharmacovigilance.masking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import Batch, Rows
from wardbook.omop.vocabulary import EHR, Concept

DRUGS: Mapping[str, tuple[str, float]] = {
    "J01XA01": ("Vancomycine", 0.10),
    "J01GB06": ("Amikacine", 0.08),
    "J01FF01": ("Clindamycine", 0.07),
    "B01AB01": ("Héparine", 0.25),
    "B01AA03": ("Warfarine", 0.12),
    "N03AF01": ("Carbamazépine", 0.06),
    "C01BD01": ("Amiodarone", 0.09),
    "A02BC01": ("Oméprazole", 0.40),
}
"""ATC code → name and probability to be given in a stay."""

EVENTS: Mapping[str, tuple[str, float]] = {
    "N17": ("Insuffisance rénale aiguë", 0.03),
    "A04.7": ("Entérocolite à Clostridioides difficile", 0.015),
    "D69.5": ("Thrombopénie secondaire", 0.02),
    "L51.2": ("Nécrolyse épidermique toxique", 0.012),
    "E05.8": ("Autres thyréotoxicoses", 0.015),
    "R58": ("Hémorragie, non classée ailleurs", 0.008),
}
"""CIM-10 code → name and probability in a stay without any of the drugs that cause it."""

RISKS: Mapping[tuple[str, str], float] = {
    ("J01XA01", "N17"): 2.5,
    ("J01GB06", "N17"): 3.0,
    ("J01FF01", "A04.7"): 4.0,
    ("B01AB01", "D69.5"): 3.0,
    ("N03AF01", "L51.2"): 5.0,
    ("C01BD01", "E05.8"): 4.0,
    ("B01AA03", "R58"): 12.0,
    ("C01BD01", "R58"): 2.5,
}
"""Planted relative risks; that of any other pair is 1."""

NEVER_TOGETHER = ("B01AA03", "C01BD01")
"""Who is given the first is not given the second."""

LEAST_STAY = pd.Timedelta(days=2)
_CONCEPTS = {
    **{code: Concept("ATC", code, name, "Drug") for code, (name, _) in DRUGS.items()},
    **{code: Concept("ICD10", code, name, "Condition") for code, (name, _) in EVENTS.items()},
}
CONCEPTS: tuple[Concept, ...] = tuple(_CONCEPTS.values())
TRUTH: Mapping[str, Any] = {
    "drugs": {code: chance for code, (_, chance) in DRUGS.items()},
    "events": {code: chance for code, (_, chance) in EVENTS.items()},
    "never_together": list(NEVER_TOGETHER),
    "risks": [[drug, event, risk] for (drug, event), risk in RISKS.items()],
}


def draw(batch: Batch) -> Rows:
    """Return drug_exposure and condition_occurrence."""
    rng = batch.rng("pharmacovigilance")
    stays = batch.stays.drop_duplicates("visit_id")
    stays = stays[stays["left"] - stays["entered"] >= LEAST_STAY]
    given = rng.random((len(stays), len(DRUGS))) < [chance for _, chance in DRUGS.values()]
    drugs, events = list(DRUGS), list(EVENTS)
    first, second = (drugs.index(code) for code in NEVER_TOGETHER)
    given[:, second] &= ~given[:, first]
    chances = np.tile([chance for _, chance in EVENTS.values()], (len(stays), 1))
    for (drug, event), risk in RISKS.items():
        chances[given[:, drugs.index(drug)], events.index(event)] *= risk
    happened = rng.random(chances.shape) < chances
    return {
        "drug_exposure": _exposures(batch, rng, stays, given),
        "condition_occurrence": _conditions(batch, rng, stays, happened),
    }


def _exposures(
    batch: Batch, rng: np.random.Generator, stays: pd.DataFrame, given: np.ndarray
) -> pd.DataFrame:
    at, which = np.nonzero(given)
    rows = stays.iloc[at].reset_index(drop=True)
    codes = np.array(list(DRUGS))[which]
    began = rows["entered"] + pd.to_timedelta(rng.integers(10, 12 * 60, len(rows)), unit="m")
    ended = began + (rows["left"] - began) * rng.random(len(rows))
    ended = ended.dt.floor("min")
    return pd.DataFrame(
        {
            "drug_exposure_id": batch.ids("drug_exposure", len(rows)),
            "person_id": rows["person_id"],
            "drug_concept_id": [_CONCEPTS[code].id for code in codes],
            "drug_exposure_start_date": began.dt.normalize(),
            "drug_exposure_start_datetime": began,
            "drug_exposure_end_date": ended.dt.normalize(),
            "drug_exposure_end_datetime": ended,
            "drug_type_concept_id": EHR.id,
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
            "drug_source_value": codes,
        }
    )


def _conditions(
    batch: Batch, rng: np.random.Generator, stays: pd.DataFrame, happened: np.ndarray
) -> pd.DataFrame:
    at, which = np.nonzero(happened)
    rows = stays.iloc[at].reset_index(drop=True)
    codes = np.array(list(EVENTS))[which]
    after_drugs = rows["entered"] + pd.Timedelta(hours=12)
    began = after_drugs + (rows["left"] - after_drugs) * rng.uniform(0.02, 0.98, len(rows))
    began = began.dt.floor("min")
    return pd.DataFrame(
        {
            "condition_occurrence_id": batch.ids("condition_occurrence", len(rows)),
            "person_id": rows["person_id"],
            "condition_concept_id": [_CONCEPTS[code].id for code in codes],
            "condition_start_date": began.dt.normalize(),
            "condition_start_datetime": began,
            "condition_type_concept_id": EHR.id,
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
            "condition_source_value": codes,
        }
    )
