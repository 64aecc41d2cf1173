"""Patients of an exome panel: variants by gene with their class, and phenotypes.

The odds of each phenotype rise with age and with the genetic component, differ by sex, and are
multiplied in carriers of a pathogenic variant of the genes that cause it. One gene without an
effect is more frequent where the component is high, as is a phenotype: only who adjusts sees that
it has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wardbook.exome.panel import CLASSES, GENES
from wardbook.hospital.building.batch import FIRST_DAY, LAST_DAY, Batch, Rows
from wardbook.omop.vocabulary import EHR, MEASUREMENT, Concept

VARIANT = Concept("LOINC", "48004-6", "DNA change (c.HGVS)", "Measurement")
INTERPRETATION = Concept(
    "LOINC", "53037-8", "Genetic variation clinical significance", "Measurement"
)
CONSEQUENCE = Concept("LOINC", "48006-1", "Amino acid change type", "Measurement")
COMPONENT = Concept("Wardbook", "genetic-component-1", "First genetic component", "Measurement")
PANEL = Concept("Wardbook", "exome-panel", "Exome panel", "Procedure")
ZYGOSITY = {
    "heterozygous": Concept("LOINC", "LA6706-1", "Heterozygous", "Meas Value"),
    "homozygous": Concept("LOINC", "LA6705-3", "Homozygous", "Meas Value"),
    "hemizygous": Concept("LOINC", "LA6707-9", "Hemizygous", "Meas Value"),
}
ACMG = {
    5: Concept("LOINC", "LA6668-3", "Pathogenic", "Meas Value"),
    4: Concept("LOINC", "LA26332-9", "Likely pathogenic", "Meas Value"),
    3: Concept("LOINC", "LA26333-7", "Uncertain significance", "Meas Value"),
    2: Concept("LOINC", "LA26334-5", "Likely benign", "Meas Value"),
    1: Concept("LOINC", "LA6675-8", "Benign", "Meas Value"),
}
PHENOTYPES = {
    code: Concept("HPO", code, name, "Condition")
    for code, name in {
        "HP:0001639": "Hypertrophic cardiomyopathy",
        "HP:0001644": "Dilated cardiomyopathy",
        "HP:0001657": "Prolonged QT interval",
        "HP:0003124": "Hypercholesterolemia",
        "HP:0001250": "Seizure",
        "HP:0000107": "Renal cyst",
        "HP:0000365": "Hearing impairment",
        "HP:0003002": "Breast carcinoma",
    }.items()
}
CONCEPTS = (
    *(VARIANT, INTERPRETATION, CONSEQUENCE, COMPONENT, PANEL),
    *(*ZYGOSITY.values(), *ACMG.values(), *PHENOTYPES.values()),
)

TESTED = 0.15
"""Share of the hospital's persons whose panel was read."""
EFFECTS: Mapping[str, Mapping[str, float]] = {
    "HP:0001639": {"MYBPC3": 6.0, "MYH7": 4.0},
    "HP:0001644": {"TTN": 3.5, "LMNA": 5.0},
    "HP:0001657": {"KCNQ1": 6.0, "KCNH2": 4.0},
    "HP:0003124": {"LDLR": 7.0},
    "HP:0001250": {"SCN1A": 5.0},
    "HP:0000107": {"PKD1": 6.0},
    "HP:0000365": {},
    "HP:0003002": {"BRCA1": 4.0, "BRCA2": 3.0},
}
"""Odds ratios of a phenotype in carriers of a pathogenic variant; those not named have none."""
PER_DECADE, MALE, PER_COMPONENT = 1.1, 1.2, 1.5
"""Odds ratios of every phenotype: of ten years of age, of men, of one unit of the component."""
CONFOUNDED, CONFOUNDED_BY = "ABCA4", 2.2
"""The gene without effect whose carriers are so many times as frequent for one unit more."""
ULTRA_RARE = ("CDH1", "PTEN", "TP53")
UNKNOWN_GENE = "MLL2"
"""An alias that the panel does not know, of some calls."""
UNKNOWN, RENAMED = 0.004, 0.001
"""Shares of calls without zygosity, and under the unknown name."""

TRUTH: Mapping[str, Any] = {
    "odds_ratios": {code: dict(genes) for code, genes in EFFECTS.items()},
    "per_decade": PER_DECADE,
    "male": MALE,
    "per_component": PER_COMPONENT,
    "confounded": {"gene": CONFOUNDED, "by": CONFOUNDED_BY},
    "ultra_rare": list(ULTRA_RARE),
}

_BASE = 0.10
_CARRIED = 0.045
_RARELY = 0.0008
_FREQUENCIES = {"pathogenic": (-5.5, -3.3), "uncertain": (-4.5, -3.0), "benign": (-3.0, -0.6)}
"""Powers of ten between which the allele frequencies of a class lie."""
_SHARES = {"uncertain": 0.05, "benign": 0.15}
_EFFECTIVE = {
    "pathogenic": ("frameshift_variant", "stop_gained", "splice_donor_variant", "missense_variant"),
    "uncertain": ("missense_variant", "splice_donor_variant"),
    "benign": ("synonymous_variant", "missense_variant"),
}


def draw(batch: Batch) -> Rows:
    """Return procedure_occurrence (the panel), measurement (variants) and condition_occurrence."""
    rng = batch.rng("exome")
    patients = _draw_patients(rng, batch)
    pathogenic = _draw_carriers(rng, patients)
    calls = _draw_calls(rng, patients, pathogenic)
    return {
        "procedure_occurrence": _panels(batch, patients),
        "measurement": _measurements(batch, patients, calls),
        "condition_occurrence": _conditions(rng, batch, patients, pathogenic),
    }


def _draw_patients(rng: np.random.Generator, batch: Batch) -> pd.DataFrame:
    tested = batch.persons[rng.random(len(batch.persons)) < TESTED].reset_index(drop=True)
    days = rng.integers(0, (LAST_DAY - FIRST_DAY).days, len(tested))
    read = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(days, unit="D")
    patients = tested.assign(day=read.as_unit("us"), component=rng.normal(0, 1, len(tested)))
    patients["component"] = patients["component"].round(3)
    return patients[patients["born"] < patients["day"]].reset_index(drop=True)


def _draw_carriers(rng: np.random.Generator, patients: pd.DataFrame) -> np.ndarray:
    """Return who (rows) has a pathogenic variant of which gene (columns)."""
    shares = np.array([_RARELY if gene in ULTRA_RARE else _CARRIED for gene in GENES])
    chance = np.tile(shares, (len(patients), 1))
    confounded = GENES.index(CONFOUNDED)
    chance[:, confounded] *= CONFOUNDED_BY ** patients["component"].to_numpy()
    carried: np.ndarray = rng.random(chance.shape) < chance.clip(0, 0.6)
    return carried


def _draw_calls(
    rng: np.random.Generator, patients: pd.DataFrame, pathogenic: np.ndarray
) -> pd.DataFrame:
    parts = []
    for kind, classes in CLASSES.items():
        carried = pathogenic
        if kind in _SHARES:
            carried = rng.random(pathogenic.shape) < _SHARES[kind]
        row, gene = np.nonzero(carried)
        count = len(row)
        zygosity = rng.choice(np.array(list(ZYGOSITY)), count, p=[0.97, 0.02, 0.01])
        zygosity[rng.random(count) < UNKNOWN] = ""
        name = np.array(GENES)[gene]
        name[rng.random(count) < RENAMED] = UNKNOWN_GENE
        place = rng.integers(1, 6000, count).astype(str)
        change = rng.choice(np.array(["A>G", "C>T", "G>A", "T>C"]), count)
        parts.append(
            pd.DataFrame(
                {
                    "row": row,
                    "gene": name,
                    "variant": name.astype(object) + ":c." + place + change,
                    "zygosity": zygosity,
                    "consequence": rng.choice(np.array(_EFFECTIVE[kind]), count),
                    "frequency": 10.0 ** rng.uniform(*_FREQUENCIES[kind], count),
                    "acmg": rng.choice(np.array(classes), count),
                }
            )
        )
    calls = pd.concat(parts, ignore_index=True)
    of = patients.loc[calls["row"], ["person_id", "day"]].reset_index(drop=True)
    return calls.assign(person_id=of["person_id"], day=of["day"])


def _panels(batch: Batch, patients: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "procedure_occurrence_id": batch.ids("procedure_occurrence", len(patients)),
            "person_id": patients["person_id"],
            "procedure_concept_id": PANEL.id,
            "procedure_date": patients["day"],
            "procedure_datetime": patients["day"],
            "procedure_type_concept_id": EHR.id,
            "procedure_source_value": PANEL.code,
        }
    )


def _measurements(batch: Batch, patients: pd.DataFrame, calls: pd.DataFrame) -> pd.DataFrame:
    ids = batch.ids("measurement", len(calls))
    variants = _measured(calls, VARIANT).assign(
        measurement_id=ids,
        measurement_source_value=calls["gene"],
        value_source_value=calls["variant"],
        value_as_number=calls["frequency"].round(8),
        value_as_concept_id=calls["zygosity"].map({k: c.id for k, c in ZYGOSITY.items()}).fillna(0),
    )
    classes = _measured(calls, INTERPRETATION).assign(
        value_as_concept_id=calls["acmg"].map({k: c.id for k, c in ACMG.items()}),
        value_source_value=calls["acmg"].astype(str),
        measurement_event_id=ids,
        meas_event_field_concept_id=MEASUREMENT.id,
    )
    consequences = _measured(calls, CONSEQUENCE).assign(
        value_source_value=calls["consequence"],
        measurement_event_id=ids,
        meas_event_field_concept_id=MEASUREMENT.id,
    )
    components = _measured(patients, COMPONENT).assign(value_as_number=patients["component"])
    further = pd.concat([classes, consequences, components], ignore_index=True)
    further["measurement_id"] = batch.ids("measurement", len(further))
    rows = pd.concat([variants, further], ignore_index=True)
    for name in ("value_as_concept_id", "measurement_event_id", "meas_event_field_concept_id"):
        rows[name] = rows[name].astype("Int64")
    return rows


def _measured(rows: pd.DataFrame, concept: Concept) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": rows["person_id"],
            "measurement_concept_id": concept.id,
            "measurement_date": rows["day"],
            "measurement_datetime": rows["day"],
            "measurement_type_concept_id": EHR.id,
            "measurement_source_value": concept.code,
        }
    )


def _conditions(
    rng: np.random.Generator, batch: Batch, patients: pd.DataFrame, pathogenic: np.ndarray
) -> pd.DataFrame:
    age = (patients["day"] - patients["born"]).dt.days.to_numpy() / 365.25
    log_odds = np.log(_BASE / (1 - _BASE)) + np.log(PER_DECADE) * (age - 50) / 10
    log_odds += (
        np.log(MALE) * (patients["sex"] == "M") + np.log(PER_COMPONENT) * patients["component"]
    )
    parts = []
    for code, genes in EFFECTS.items():
        total = log_odds.to_numpy(copy=True)
        for gene, ratio in genes.items():
            total += np.log(ratio) * pathogenic[:, GENES.index(gene)]
        has = rng.random(len(total)) < 1 / (1 + np.exp(-total))
        parts.append(patients.loc[has, ["person_id", "day"]].assign(code=code))
    found = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(
        {
            "condition_occurrence_id": batch.ids("condition_occurrence", len(found)),
            "person_id": found["person_id"],
            "condition_concept_id": found["code"].map({k: c.id for k, c in PHENOTYPES.items()}),
            "condition_start_date": found["day"],
            "condition_start_datetime": found["day"],
            "condition_type_concept_id": EHR.id,
            "condition_source_value": found["code"],
        }
    )
