"""First laboratory values of visits, and sepsis with organ failure that depends on them.

The planted model: log-odds = intercept + sum of coefficients times (ln value - ln reference), plus
age and sex. Two patients with the same values, age and sex have the same risk, whatever their ward.
Three traps beside it: from one day on the diagnosis is recorded more often at the same risk; what
happens after the diagnosis (antibiotics, later values) tells of it; units are not always written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import triang

from wardbook.hospital.building.batch import Batch, Rows
from wardbook.hospital.ideal_score import measure_ideal
from wardbook.omop.vocabulary import EHR, Concept
from wardbook.prediction.analytes import ANALYTES

SEPSIS = Concept("ICD10", "R65.1", "SIRS of infectious origin with organ failure", "Condition")
CEFTRIAXONE = Concept("ATC", "J01DD04", "ceftriaxone", "Drug")
_LOINC = {one.name: Concept("LOINC", one.loinc, one.name, "Measurement") for one in ANALYTES}
CONCEPTS = (SEPSIS, CEFTRIAXONE, *_LOINC.values())

NAMES = tuple(one.name for one in ANALYTES)
# Sodium is in mmol/L, the others are logarithms.
REFERENCE = {
    "crp": float(np.log(25)),
    "procalcitonin": float(np.log(0.3)),
    "leukocytes": float(np.log(8.5)),
    "creatinine": float(np.log(80)),
    "lactate": float(np.log(1.5)),
    "sodium": 139.0,
}
SPREAD = {
    "crp": 1.2,
    "procalcitonin": 1.2,
    "leukocytes": 0.35,
    "creatinine": 0.40,
    "lactate": 0.45,
    "sodium": 3.5,
}
COEFFICIENTS = {
    "crp": 0.55,
    "procalcitonin": 0.60,
    "leukocytes": 0.80,
    "creatinine": 0.70,
    "lactate": 1.10,
    "sodium": 0.0,
}
_CORRELATION = np.array(
    [
        [1.0, 0.5, 0.3, 0.1, 0.2, 0.0],
        [0.5, 1.0, 0.2, 0.2, 0.3, 0.0],
        [0.3, 0.2, 1.0, 0.0, 0.1, 0.0],
        [0.1, 0.2, 0.0, 1.0, 0.2, 0.0],
        [0.2, 0.3, 0.1, 0.2, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
_OF_PERSON = 0.3
"""Share of the variance that a person keeps from visit to visit."""
INTERCEPT, AGE_10, MALE = -3.4, 0.15, 0.20
CRP_OLD, OLD = 0.15, 75
MALE_CREATININE = 0.18
DRIFT_DAY, DRIFT = date(2025, 7, 1), 0.6
SODIUM_DAY, SODIUM_STEP = date(2025, 4, 1), 3.0
MG_DL_DAY, MG_DL = date(2024, 10, 1), 0.08
NO_UNIT, WRONG_UNIT = 0.006, 0.003
SAMPLED = 0.8
_MISSING: Mapping[str, Mapping[str, float]] = {
    "URGE": {"procalcitonin": 0.25, "lactate": 0.20, "crp": 0.06},
    "REAM": {"procalcitonin": 0.08, "lactate": 0.03, "crp": 0.03},
    "REAC": {"procalcitonin": 0.12, "lactate": 0.03, "crp": 0.05},
    "MINF": {"procalcitonin": 0.10, "lactate": 0.35, "crp": 0.03},
}
_MISSING_ELSEWHERE = {"procalcitonin": 0.50, "lactate": 0.45, "crp": 0.12}
_MISSING_ANYWHERE = 0.03


def _strata(first: int, last: int) -> Iterator[tuple[float, float, float]]:
    """Yield weight, mean and spread of the log-odds by year of age and sex, in the emergency room.

    Ages are those of the hospital's persons on a day drawn evenly from its two years.
    """
    ages = triang(68 / 98, loc=0, scale=98)
    offsets = np.linspace(0, 2, 41)
    for age in range(first, last + 1):
        weight = float(np.mean(ages.cdf(age + 1 - offsets) - ages.cdf(age - offsets)))
        slopes = np.array([_slope(name, age) for name in NAMES])
        spreads = np.array([SPREAD[name] for name in NAMES]) * slopes
        spread = float(np.sqrt(spreads @ _CORRELATION @ spreads))
        for share, male in ((0.53, 0), (0.47, 1)):
            mean = INTERCEPT + AGE_10 * (age - 60) / 10 + MALE * male
            mean += COEFFICIENTS["creatinine"] * MALE_CREATININE * male
            yield weight * share, mean, spread


def _slope(name: str, age: int) -> float:
    return CRP_OLD if name == "crp" and age >= OLD else COEFFICIENTS[name]


TRUTH: Mapping[str, Any] = {
    "outcome": SEPSIS.code,
    "reference": REFERENCE,
    "coefficients": COEFFICIENTS | {"age_10": AGE_10, "male": MALE, "intercept": INTERCEPT},
    "crp_from_75": CRP_OLD,
    "missing_by_ward": {ward: dict(shares) for ward, shares in _MISSING.items()},
    "drift": {"day": DRIFT_DAY.isoformat(), "log_odds": DRIFT},
    "analyser": {"analyte": "sodium", "day": SODIUM_DAY.isoformat(), "step": SODIUM_STEP},
    "units": {"mg_dl_from": MG_DL_DAY.isoformat(), "share": MG_DL, "unwritten": NO_UNIT},
    "recorded_after": ["antibiotic_at"],
    "ideal": {
        "emergency": measure_ideal(_strata(18, 100)),
        "emergency_after_drift": measure_ideal(_strata(18, 100), DRIFT),
        "emergency_from_75": measure_ideal(_strata(75, 100)),
    },
}


def draw(batch: Batch) -> Rows:
    """Return measurement, condition_occurrence and drug_exposure."""
    rng = batch.rng("biology")
    visits = _choose_visits(rng, batch)
    values = _draw_values(rng, visits)
    old = visits["age"].to_numpy() >= OLD
    slopes = {name: np.full(len(visits), COEFFICIENTS[name]) for name in NAMES}
    slopes["crp"] = np.where(old, CRP_OLD, COEFFICIENTS["crp"])
    odds = INTERCEPT + AGE_10 * (visits["age"] - 60) / 10 + MALE * (visits["sex"] == "M")
    for name in NAMES:
        taken = values[name] if name == "sodium" else np.log(values[name])
        odds = odds + slopes[name] * (taken - REFERENCE[name])
    drifted = visits["began"] >= pd.Timestamp(DRIFT_DAY)
    case = rng.random(len(visits)) < expit(odds + DRIFT * drifted)
    visits = visits.assign(case=case)
    return {
        "measurement": _write_values(rng, batch, visits, values),
        "condition_occurrence": _diagnose(batch, visits[case]),
        "drug_exposure": _treat(rng, batch, visits),
    }


def _choose_visits(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    visits = batch.visits[batch.visits["kind"] != "outpatient"]
    visits = visits[rng.random(len(visits)) < SAMPLED].reset_index(drop=True)
    persons = batch.persons.set_index("person_id").loc[visits["person_id"]]
    began, born = visits["began"], persons["born"].reset_index(drop=True)
    age = began.dt.year - born.dt.year
    early = (began.dt.month * 100 + began.dt.day) < (born.dt.month * 100 + born.dt.day)
    wards = batch.stays.drop_duplicates("visit_id").set_index("visit_id")["ward"]
    return visits.assign(
        age=age - early,
        sex=persons["sex"].to_numpy(),
        ward=wards.reindex(visits["visit_id"]).to_numpy(),
    )


def _draw_values(rng: np.random.Generator, visits: pd.DataFrame) -> pd.DataFrame:
    """Draw each visit's true first values, in the analytes' units."""
    places, owners = pd.factorize(visits["person_id"])
    factor = np.linalg.cholesky(_CORRELATION)
    kept = rng.standard_normal((len(owners), len(NAMES))) @ factor.T
    fresh = rng.standard_normal((len(visits), len(NAMES))) @ factor.T
    units = np.sqrt(_OF_PERSON) * kept[places] + np.sqrt(1 - _OF_PERSON) * fresh
    columns = {}
    for at, one in enumerate(ANALYTES):
        value = REFERENCE[one.name] + SPREAD[one.name] * units[:, at]
        if one.name == "creatinine":
            value = value + MALE_CREATININE * (visits["sex"] == "M").to_numpy()
        value = np.exp(value) if one.logarithm else value
        digits = {"procalcitonin": 3, "creatinine": 0, "sodium": 0}.get(one.name, 1)
        columns[one.name] = np.clip(np.round(value, digits), one.low, one.high)
    return pd.DataFrame(columns, index=visits.index)


def _write_values(
    rng: np.random.Generator, batch: Batch, visits: pd.DataFrame, values: pd.DataFrame
) -> pd.DataFrame:
    """Write what the laboratory recorded: first values, some repeated, others the day after."""
    minutes = np.minimum(np.exp(rng.normal(np.log(35), 0.45, len(visits))), 110).astype("int64")
    first = visits["began"] + pd.to_timedelta(minutes, unit="m")
    first = first.where(first < visits["ended"], visits["ended"])
    repeated = first + pd.Timedelta(minutes=25)
    later = visits["began"] + pd.Timedelta(hours=24)
    frames = []
    for one in ANALYTES:
        share = visits["ward"].map(
            {ward: shares.get(one.name, _MISSING_ANYWHERE) for ward, shares in _MISSING.items()}
        )
        share = share.fillna(_MISSING_ELSEWHERE.get(one.name, _MISSING_ANYWHERE))
        measured = rng.random(len(visits)) >= share
        step = SODIUM_STEP * (first >= pd.Timestamp(SODIUM_DAY)) * (one.name == "sodium")
        again = measured & (repeated < visits["ended"]) & (rng.random(len(visits)) < 0.10)
        next_day = (later < visits["ended"]) & (rng.random(len(visits)) < 0.7)
        # After the diagnosis the value tells of it: whoever reads it sees the future.
        worse = np.where(visits["case"], 2.5 if one.logarithm else 1.0, 0.95)
        for taken, there, value in (
            (first, measured, values[one.name] + step),
            (repeated, again, (values[one.name] + step) * 1.05),
            (later, next_day, values[one.name] * worse),
        ):
            rows = visits.loc[there, ["visit_id", "person_id"]]
            frame = rows.assign(name=one.name, taken=taken[there], value=value[there])
            frames.append(frame.assign(unit=one.unit))
    rows = pd.concat(frames, ignore_index=True)
    return _as_measurements(batch, _spoil_units(rng, rows))


def _spoil_units(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """Write some creatinine in mg/dL, with its unit, without one, or under the wrong one."""
    creatinine = (rows["name"] == "creatinine").to_numpy()
    lot = rng.random(len(rows))
    since = (rows["taken"] >= pd.Timestamp(MG_DL_DAY)).to_numpy()
    other = creatinine & since & (lot < MG_DL)
    wrong = creatinine & (lot > 1 - WRONG_UNIT)
    unwritten = creatinine & (lot > 1 - WRONG_UNIT - NO_UNIT) & ~wrong
    value = np.where(other | wrong, np.round(rows["value"] / 88.42, 2), rows["value"])
    unit = rows["unit"].mask(other, "mg/dL").mask(unwritten)
    return rows.assign(value=value, unit=unit)


def _as_measurements(batch: Batch, rows: pd.DataFrame) -> pd.DataFrame:
    taken = rows["taken"].dt.floor("min").astype("datetime64[us]")
    return pd.DataFrame(
        {
            "measurement_id": batch.ids("measurement", len(rows)),
            "person_id": rows["person_id"],
            "measurement_concept_id": rows["name"].map({n: c.id for n, c in _LOINC.items()}),
            "measurement_date": taken.dt.normalize(),
            "measurement_datetime": taken,
            "measurement_type_concept_id": EHR.id,
            "value_as_number": rows["value"].round(3),
            "visit_occurrence_id": rows["visit_id"],
            "measurement_source_value": rows["name"].map({n: c.code for n, c in _LOINC.items()}),
            "unit_source_value": rows["unit"],
        }
    )


def _diagnose(batch: Batch, cases: pd.DataFrame) -> pd.DataFrame:
    """Record the diagnosis at the end of the visit, as case-mix coding does."""
    return pd.DataFrame(
        {
            "condition_occurrence_id": batch.ids("condition_occurrence", len(cases)),
            "person_id": cases["person_id"],
            "condition_concept_id": SEPSIS.id,
            "condition_start_date": cases["ended"].dt.normalize(),
            "condition_start_datetime": cases["ended"],
            "condition_type_concept_id": EHR.id,
            "visit_occurrence_id": cases["visit_id"],
            "condition_source_value": SEPSIS.code,
        }
    )


def _treat(rng: np.random.Generator, batch: Batch, visits: pd.DataFrame) -> pd.DataFrame:
    """Give antibiotics hours after arrival, nearly always where sepsis is what it will be."""
    given = rng.random(len(visits)) < np.where(visits["case"], 0.92, 0.06)
    treated = visits[given]
    hours = 2.5 + rng.exponential(1.5, len(treated))
    start = (treated["began"] + pd.to_timedelta(hours, unit="h")).dt.floor("min")
    start = start.where(start < treated["ended"], treated["ended"]).astype("datetime64[us]")
    return pd.DataFrame(
        {
            "drug_exposure_id": batch.ids("drug_exposure", len(treated)),
            "person_id": treated["person_id"],
            "drug_concept_id": CEFTRIAXONE.id,
            "drug_exposure_start_date": start.dt.normalize(),
            "drug_exposure_start_datetime": start,
            "drug_exposure_end_date": treated["ended"].dt.normalize(),
            "drug_exposure_end_datetime": treated["ended"],
            "drug_type_concept_id": EHR.id,
            "visit_occurrence_id": treated["visit_id"],
            "drug_source_value": CEFTRIAXONE.code,
        }
    )
