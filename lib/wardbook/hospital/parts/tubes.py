"""Blood tubes: how they were drawn and carried, and whether they arrived haemolysed.

The odds of haemolysis are a product: of the tube, of the draw, of the transport, of each hour until
reception, and of the ward, with two wards far above the others and one that becomes worse on a day.
`log_odds` is that product, for whoever holds a method against it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import Batch, Rows
from wardbook.hospital.building.wards import EMERGENCY_WARD, WARDS
from wardbook.omop.vocabulary import EHR, SPECIMEN, Concept

BLOOD = Concept("SNOMED", "119297000", "Blood specimen", "Specimen")
HAEMOLYSIS_INDEX = Concept("LOINC", "46424-8", "Haemolysis index, serum or plasma", "Measurement")
POTASSIUM = Concept("LOINC", "2823-3", "Potassium, serum or plasma", "Measurement")
TUBE = Concept("Wardbook", "blood-tube", "Kind of the blood tube", "Observation")
DEVICE = Concept("Wardbook", "draw-device", "What blood was drawn with", "Observation")
SITE = Concept("Wardbook", "draw-site", "Where blood was drawn", "Observation")
TRANSPORT = Concept("Wardbook", "tube-transport", "How the tube was carried", "Observation")
RECEIVED = Concept("Wardbook", "tube-received", "Reception in the laboratory", "Observation")
WARD_NAME = Concept("Wardbook", "tube-ward-name", "Ward as the laboratory names it", "Observation")

ODDS_RATIOS: Mapping[str, Mapping[str, float]] = {
    "tube": {"heparin_gel": 1.0, "heparin": 0.75, "serum": 1.35, "citrate": 0.65},
    "device": {"venepuncture": 1.0, "catheter": 2.6, "arterial": 1.4},
    "site": {"elbow": 1.0, "other": 1.5},
    "transport": {"porter": 1.0, "pneumatic": 1.7},
}
"""The first of each is what the others are compared with."""
PER_HOUR = 1.2
BASE_LOG_ODDS = -3.9
WARD_SPREAD = 0.15
"""Standard deviation of the wards' own log-odds."""
BAD_WARDS = {"HGEN": 5.0, "MINF": 5.0}
CHANGED_WARD, CHANGED_FROM, CHANGED_BY = "PNEU", "2025-03-03", 4.0
RENAMED_WARD, RENAMED_FROM, NEW_NAME = "UROL", "2025-01-06", "Urologie et andrologie"
MG_DL, G_L = "mg/dL", "g/L"
HAEMOLYSED_ABOVE = 50
"""In mg/dL of free haemoglobin."""
MMOL_PER_MG_DL = 0.003
"""What a mg/dL of free haemoglobin adds to the potassium that is measured."""
IN_G_L, WITHOUT_INDEX, BEFORE_DRAW, UNKNOWN_TRANSPORT = 0.01, 0.006, 0.001, 0.002

CONCEPTS = (
    *(BLOOD, HAEMOLYSIS_INDEX, POTASSIUM),
    *(TUBE, DEVICE, SITE, TRANSPORT, RECEIVED, WARD_NAME),
    *(
        Concept("Wardbook", code, code, "Meas Value")
        for codes in ODDS_RATIOS.values()
        for code in codes
    ),
)
TRUTH: Mapping[str, Any] = {
    "odds_ratios": {name: dict(codes) for name, codes in ODDS_RATIOS.items()},
    "odds_ratio_per_hour": PER_HOUR,
    "ward_spread": WARD_SPREAD,
    "bad_wards": BAD_WARDS,
    "changed": {"ward": CHANGED_WARD, "from": CHANGED_FROM, "odds_ratio": CHANGED_BY},
    "renamed": {"ward": RENAMED_WARD, "from": RENAMED_FROM, "to": NEW_NAME},
    "haemolysed_above": HAEMOLYSED_ABOVE,
    "potassium_per_mg_dl": MMOL_PER_MG_DL,
}

_CODES = {name: np.array(list(codes)) for name, codes in ODDS_RATIOS.items()}
_WARDS = {ward.code: number for number, ward in enumerate(WARDS)}
_CRITICAL = ("REAM", "REAC")
_BY_CATHETER = {EMERGENCY_WARD: 0.3, "REAM": 0.3, "REAC": 0.3, "HEMA": 0.2, "ONCO": 0.2}
# The wards of one building have the pneumatic tube at their door, the others far away.
_PNEUMATIC = np.array([0.65, 0.4, 0.5, 0.35, 0.6] * 4)


def draw(batch: Batch) -> Rows:
    """Return specimen, observation and measurement."""
    rng = batch.rng("tubes")
    tubes = _draw_tubes(rng, batch)
    chance = 1 / (1 + np.exp(-log_odds(tubes, batch.seed)))
    tubes["haemolysed"] = rng.random(len(tubes)) < chance
    tubes["specimen_id"] = batch.ids("specimen", len(tubes))
    return {
        "specimen": _specimens(tubes),
        "observation": _observations(rng, batch, tubes),
        "measurement": _measurements(rng, batch, tubes),
    }


def ward_effects(seed: int) -> pd.Series[float]:
    """Return what is planted in each ward, by its code, as log-odds: the same in all batches."""
    rng = np.random.default_rng([seed, zlib.crc32(b"tubes, wards")])
    effects = pd.Series(rng.normal(0, WARD_SPREAD, len(WARDS)), index=list(_WARDS))
    for ward, ratio in BAD_WARDS.items():
        effects[ward] += np.log(ratio)
    return effects


def log_odds(tubes: pd.DataFrame, seed: int) -> np.ndarray:
    """Return the planted log-odds of haemolysis of tubes.

    They have columns ward, drawn, hours (from draw to reception) and those of `ODDS_RATIOS`.
    """
    total = BASE_LOG_ODDS + np.log(PER_HOUR) * tubes["hours"].to_numpy()
    total += tubes["ward"].map(ward_effects(seed)).to_numpy()
    for name, ratios in ODDS_RATIOS.items():
        total += np.log(tubes[name].map(ratios).to_numpy(dtype=np.float64))
    later = (tubes["ward"] == CHANGED_WARD) & (tubes["drawn"] >= pd.Timestamp(CHANGED_FROM))
    total += np.log(CHANGED_BY) * later.to_numpy()
    return np.asarray(total)


def _draw_tubes(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    """Return one row a tube: stay, ward, moments, how it was drawn and carried."""
    stays = batch.stays
    minutes = ((stays["left"] - stays["entered"]).dt.total_seconds() / 60).to_numpy()
    emergency = (stays["ward"] == EMERGENCY_WARD).to_numpy()
    count = np.where(emergency, 0.2, 1) + rng.poisson(np.where(emergency, 0.8, minutes / 5760))
    owner = np.repeat(np.arange(len(stays)), np.floor(count).astype(np.int64))
    of = stays.iloc[owner]
    ward = of["ward"].map(_WARDS).to_numpy(dtype=np.int64)
    size = len(owner)
    device = _draw_devices(rng, of["ward"])
    site = rng.random(size) < np.where(device == 2, 0.9, 0.35)
    pneumatic = rng.random(size) < _PNEUMATIC[ward]
    hours = np.exp(rng.normal(np.where(pneumatic, -0.6, 0.1), 0.7, size))
    waited = np.clip(np.round(hours * 60), 5, 12 * 60)
    after = np.floor(rng.random(size) * minutes[owner]).astype("timedelta64[m]")
    drawn = of["entered"].to_numpy() + after
    tubes = pd.DataFrame(
        {
            "person_id": of["person_id"].to_numpy(),
            "visit_id": of["visit_id"].to_numpy(),
            "stay_id": of["stay_id"].to_numpy(),
            "ward": of["ward"].to_numpy(),
            "drawn": drawn.astype("datetime64[us]"),
            "received": (drawn + waited.astype("timedelta64[m]")).astype("datetime64[us]"),
            "hours": waited / 60,
            "tube": _CODES["tube"][rng.choice(4, size, p=[0.5, 0.15, 0.2, 0.15])],
            "device": _CODES["device"][device],
            "site": _CODES["site"][site.astype(int)],
            "transport": _CODES["transport"][pneumatic.astype(int)],
        }
    )
    # The laboratory hears of a death: it measures nothing of the dead.
    died = tubes["person_id"].map(batch.persons.set_index("person_id")["died"])
    return tubes[~(tubes["received"] >= died)].reset_index(drop=True)


def _draw_devices(rng: np.random.Generator, ward: pd.Series[str]) -> np.ndarray:
    """Return places in the codes of `device`: more catheters where patients have them anyway."""
    catheter = ward.map(_BY_CATHETER).fillna(0.08).to_numpy()
    arterial = np.where(ward.isin(_CRITICAL), 0.25, 0.03)
    luck = rng.random(len(ward))
    return np.where(luck < arterial, 2, np.where(luck < arterial + catheter, 1, 0))


def _specimens(tubes: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "specimen_id": tubes["specimen_id"],
            "person_id": tubes["person_id"],
            "specimen_concept_id": BLOOD.id,
            "specimen_type_concept_id": EHR.id,
            "specimen_date": tubes["drawn"].dt.normalize(),
            "specimen_datetime": tubes["drawn"],
            "specimen_source_value": BLOOD.code,
        }
    )


def _observations(rng: np.random.Generator, batch: Batch, tubes: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each tube; a clock that was wrong and codes that nobody knows too."""
    received = tubes["received"].mask(
        rng.random(len(tubes)) < BEFORE_DRAW, tubes["drawn"] - pd.Timedelta(minutes=10)
    )
    transport = tubes["transport"].mask(rng.random(len(tubes)) < UNKNOWN_TRANSPORT, "trolley")
    coded = {TUBE: tubes["tube"], DEVICE: tubes["device"], SITE: tubes["site"]}
    parts = [
        _observe(tubes, concept, source=codes)
        for concept, codes in {**coded, TRANSPORT: transport}.items()
    ]
    parts.append(_observe(tubes, RECEIVED, moment=received))
    parts.append(_observe(tubes, WARD_NAME, text=_name_wards(tubes)))
    rows = pd.concat(parts, ignore_index=True)
    rows.insert(0, "observation_id", batch.ids("observation", len(rows)))
    return rows


_VALUE_IDS = {concept.code: concept.id for concept in CONCEPTS if concept.domain == "Meas Value"}


def _observe(
    tubes: pd.DataFrame,
    concept: Concept,
    *,
    source: pd.Series[str] | None = None,
    moment: pd.Series[pd.Timestamp] | None = None,
    text: pd.Series[str] | None = None,
) -> pd.DataFrame:
    when = tubes["drawn"] if moment is None else moment
    rows = {
        "person_id": tubes["person_id"],
        "observation_concept_id": concept.id,
        "observation_date": when.dt.normalize(),
        "observation_datetime": when,
        "observation_type_concept_id": EHR.id,
        "visit_occurrence_id": tubes["visit_id"],
        "visit_detail_id": tubes["stay_id"],
        "observation_source_value": concept.code,
        "observation_event_id": tubes["specimen_id"],
        "obs_event_field_concept_id": SPECIMEN.id,
    }
    if source is not None:
        known = source.map(_VALUE_IDS).fillna(0).astype(np.int64)
        rows |= {"value_as_concept_id": known, "value_source_value": source}
    if text is not None:
        rows |= {"value_as_string": text}
    return pd.DataFrame(rows)


def _name_wards(tubes: pd.DataFrame) -> pd.Series[str]:
    names = tubes["ward"].map({ward.code: ward.name for ward in WARDS})
    later = (tubes["ward"] == RENAMED_WARD) & (tubes["drawn"] >= pd.Timestamp(RENAMED_FROM))
    return names.mask(later, NEW_NAME)


def _measurements(rng: np.random.Generator, batch: Batch, tubes: pd.DataFrame) -> pd.DataFrame:
    """Return the index of nearly all tubes, and potassium of some of those without citrate."""
    size = len(tubes)
    low = np.minimum(np.exp(rng.normal(np.log(9), 0.6, size)), HAEMOLYSED_ABOVE)
    high = HAEMOLYSED_ABOVE + 1 + rng.exponential(80, size)
    index = np.floor(np.where(tubes["haemolysed"], high, low))
    other = rng.random(size) < IN_G_L
    units = pd.Series(np.where(other, G_L, MG_DL), index=tubes.index, dtype="str")
    indexed = rng.random(size) >= WITHOUT_INDEX
    measured = _measure(tubes, HAEMOLYSIS_INDEX, np.where(other, index / 100, index), units)
    true = rng.normal(4.1, 0.45, size)
    potassium = np.round(true + MMOL_PER_MG_DL * index, 1)
    wanted = (rng.random(size) < 0.4) & (tubes["tube"] != "citrate").to_numpy()
    millimoles = pd.Series("mmol/L", index=tubes.index, dtype="str")
    salts = _measure(tubes, POTASSIUM, potassium, millimoles)
    rows = pd.concat([measured[indexed], salts[wanted]], ignore_index=True)
    rows.insert(0, "measurement_id", batch.ids("measurement", len(rows)))
    return rows


def _measure(
    tubes: pd.DataFrame, concept: Concept, values: np.ndarray, units: pd.Series[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": tubes["person_id"],
            "measurement_concept_id": concept.id,
            "measurement_date": tubes["received"].dt.normalize(),
            "measurement_datetime": tubes["received"],
            "measurement_type_concept_id": EHR.id,
            "value_as_number": values,
            "visit_occurrence_id": tubes["visit_id"],
            "visit_detail_id": tubes["stay_id"],
            "measurement_source_value": concept.code,
            "unit_source_value": units,
            "measurement_event_id": tubes["specimen_id"],
            "meas_event_field_concept_id": SPECIMEN.id,
        }
    )
