"""Bacteriology: specimens, the organisms that grow, and what they are susceptible to.

A strain belongs to a person and a species: all isolates of it have the same susceptibility. Who has
a strain that resists beta-lactams is sampled again and again, so that all isolates together show
more resistance than there is: the truth is of persons.

What is planted (TRUTH, per species): the share of strains that have the mechanism of `carriers`;
for each drug the probability to be resistant without and with it, independently of each other given
the mechanism; the share of I; and for one pair the odds of resistance by the day of the person's
first isolate. MICs are drawn within what EUCAST 2025 calls S, I and R.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY, Batch, Rows
from wardbook.microbiology.catalogue import load_catalogue
from wardbook.omop.vocabulary import EHR, MEASUREMENT, SPECIMEN, Concept

SAMPLED = 0.16
"""Share of stays in a ward of which a specimen grows a bacterium."""
STERILE = 0.10
"""Share of stays of which a specimen grows nothing."""
AGAIN = {"carrier": 3.0, "other": 0.3}
"""Mean number of further isolates of the strain in the same stay."""
SPECIMENS = {"urine": 0.55, "blood": 0.18, "respiratory": 0.15, "wound": 0.12}


@dataclass(frozen=True)
class Tested:
    """One drug of a species: planted probabilities, and the MICs of S and R.

    `alone` and `carrier` are the probabilities of R without and with the mechanism, `increased`
    that of I among those that are not R. S is at most `s` mg/L, R above `r`. `at_16`: the share of
    those R that have a MIC of 16 mg/L and were I before EUCAST 2021.
    """

    alone: float
    carrier: float
    s: float
    r: float
    increased: float = 0.0
    at_16: float = 0.0
    yearly_odds: float = 1.0


@dataclass(frozen=True)
class Species:
    """A species: its share of what grows, the share of strains with the mechanism, its drugs."""

    share: float
    carriers: float
    drugs: Mapping[str, Tested]


SPECIES: Mapping[str, Species] = {
    "B_ESCHR_COLI": Species(
        0.50,
        0.12,
        {
            "AMX": Tested(0.45, 1.0, 8, 8),
            "AMC": Tested(0.22, 0.75, 8, 8),
            "TZP": Tested(0.05, 0.45, 8, 8, at_16=0.5),
            "CTX": Tested(0.0, 1.0, 1, 2),
            "MEM": Tested(0.0, 0.0, 2, 8),
            "GEN": Tested(0.04, 0.35, 2, 2),
            "CIP": Tested(0.15, 0.15, 0.25, 0.5, increased=0.05, yearly_odds=1.5),
            "SXT": Tested(0.20, 0.60, 2, 4),
        },
    ),
    "B_KLBSL_PNMN": Species(
        0.16,
        0.30,
        {
            "AMX": Tested(1.0, 1.0, 8, 8),
            "AMC": Tested(0.12, 0.80, 8, 8),
            "TZP": Tested(0.10, 0.60, 8, 8, at_16=0.4),
            "CTX": Tested(0.0, 1.0, 1, 2),
            "MEM": Tested(0.0, 0.06, 2, 8),
            "GEN": Tested(0.03, 0.50, 2, 2),
            "CIP": Tested(0.10, 0.60, 0.25, 0.5),
        },
    ),
    "B_PSDMN_AERG": Species(
        0.10,
        0.15,
        {
            "TZP": Tested(0.10, 0.80, 0.001, 16, increased=1.0),
            "CAZ": Tested(0.06, 0.75, 0.001, 8, increased=1.0),
            "MEM": Tested(0.08, 0.50, 2, 8, increased=0.1),
            "AMK": Tested(0.04, 0.25, 16, 16),
            "CIP": Tested(0.12, 0.50, 0.001, 0.5, increased=1.0),
        },
    ),
    "B_STPHY_AURS": Species(
        0.16,
        0.14,
        {
            "OXA": Tested(0.0, 1.0, 2, 2),
            "GEN": Tested(0.02, 0.15, 2, 2),
            "CLI": Tested(0.08, 0.40, 0.25, 0.25),
            "VAN": Tested(0.0, 0.0, 2, 2),
        },
    ),
    "B_ENTRC_FCLS": Species(
        0.08,
        0.10,
        {"AMX": Tested(0.01, 0.02, 4, 4), "VAN": Tested(0.0, 0.01, 4, 4)},
    ),
}
"""The hospital's bacteria, by the codes of `wardbook.microbiology.catalogue`."""

CULTURE = Concept("LOINC", "6463-4", "Bacteria identified by culture", "Measurement")
NO_GROWTH = Concept("SNOMED", "264868006", "No growth", "Meas Value")
AT_MOST = Concept("SNOMED", "276137008", "<=", "Meas Value Operator")
ABOVE = Concept("SNOMED", "276140008", ">", "Meas Value Operator")
MG_PER_L = Concept("UCUM", "mg/L", "milligram per litre", "Unit")
_CATALOGUE = load_catalogue()
ORGANISMS = {
    code: Concept("SNOMED", one.snomed, one.name, "Observation")
    for code, one in _CATALOGUE.organisms.items()
    if one.snomed
}
DRUGS = {
    code: Concept("LOINC", one.loinc, f"{one.names['en']} [Susceptibility]", "Measurement")
    for code, one in _CATALOGUE.drugs.items()
    if one.loinc
}
MATERIALS = {
    name: Concept("SNOMED", code, f"Specimen: {name}", "Specimen")
    for name, code in _CATALOGUE.specimens.items()
}
CONCEPTS: tuple[Concept, ...] = (
    *(CULTURE, NO_GROWTH, AT_MOST, ABOVE, MG_PER_L),
    *ORGANISMS.values(),
    *DRUGS.values(),
    *MATERIALS.values(),
)
TRUTH: Mapping[str, Any] = {
    "species": {code: asdict(one) for code, one in SPECIES.items()},
    "again": AGAIN,
    "trend": {"organism": "B_ESCHR_COLI", "drug": "CIP", "since": FIRST_DAY.isoformat()},
}
_CODES = np.array(list(SPECIES))
_LOWEST, _HIGHEST = 0.03, 128.0
"""Bounds of the concentrations tested, mg/L."""


def draw(batch: Batch) -> Rows:
    """Return specimen and measurement: cultures, and for each isolate its susceptibilities."""
    rng = batch.rng("microbiology")
    isolates = _draw_isolates(rng, batch.stays)
    isolates = pd.concat([isolates, _draw_sterile(rng, batch.stays)], ignore_index=True)
    isolates["specimen_id"] = batch.ids("specimen", len(isolates))
    isolates["measurement_id"] = batch.ids("measurement", len(isolates))
    tests = _draw_tests(rng, isolates[isolates["organism"] != ""])
    tests["test_id"] = batch.ids("measurement", len(tests))
    measurements = pd.concat([_culture_rows(isolates), _test_rows(tests)], ignore_index=True)
    return {"specimen": _specimen_rows(isolates), "measurement": measurements}


def _draw_isolates(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    """Return a row per isolate, by person, species and time, with the strain's mechanism."""
    firsts = stays[rng.random(len(stays)) < SAMPLED]
    firsts = firsts[["person_id", "visit_id", "stay_id", "ward", "entered", "left"]].copy()
    shares = [one.share for one in SPECIES.values()]
    firsts["species"] = rng.choice(len(SPECIES), len(firsts), p=shares)
    # A strain's mechanism is drawn for each person and species at once.
    strains = firsts.groupby(["person_id", "species"], sort=False).ngroup().to_numpy()
    chance = np.array([one.carriers for one in SPECIES.values()])
    luck = rng.random(len(firsts))[strains] if len(firsts) else np.array([])
    firsts["carrier"] = luck < chance[firsts["species"]]
    firsts["strain"] = strains
    more = rng.poisson(np.where(firsts["carrier"], AGAIN["carrier"], AGAIN["other"]))
    isolates = firsts.loc[firsts.index.repeat(1 + more)].reset_index(drop=True)
    isolates["taken"] = _moments_within(rng, isolates)
    isolates["specimen"] = rng.choice(
        np.array(list(SPECIMENS)), len(isolates), p=list(SPECIMENS.values())
    )
    isolates["organism"] = _CODES[isolates.pop("species")]
    return isolates.sort_values(["strain", "taken"], kind="stable", ignore_index=True)


def _draw_sterile(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    rows = stays[rng.random(len(stays)) < STERILE]
    rows = rows[["person_id", "visit_id", "stay_id", "ward", "entered", "left"]].copy()
    rows["taken"] = _moments_within(rng, rows)
    rows["specimen"] = rng.choice(np.array(list(SPECIMENS)), len(rows), p=list(SPECIMENS.values()))
    return rows.assign(organism="", carrier=False, strain=-1)


def _moments_within(rng: np.random.Generator, rows: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    span = rows["left"] - rows["entered"]
    return (rows["entered"] + span * rng.random(len(rows))).dt.floor("min")


def _draw_tests(rng: np.random.Generator, isolates: pd.DataFrame) -> pd.DataFrame:
    """Return a row per isolate and drug: result, mic, operator, and the isolate's columns."""
    parts = []
    for code, species in SPECIES.items():
        of = isolates[isolates["organism"] == code]
        # Strains are numbered from their first isolate on, which is the first of their rows.
        first = of.drop_duplicates("strain")
        at = first["strain"].searchsorted(of["strain"])
        years = (first["taken"] - pd.Timestamp(FIRST_DAY)).dt.total_seconds() / (365.25 * 86400)
        for drug, tested in species.drugs.items():
            resistant = np.where(first["carrier"], tested.carrier, tested.alone)
            if tested.yearly_odds != 1.0:
                odds = resistant / (1 - resistant) * tested.yearly_odds ** years.to_numpy()
                resistant = odds / (1 + odds)
            luck, degree, depth = (rng.random(len(first)) for _ in range(3))
            result = np.where(degree < tested.increased, "I", "S")
            result = np.where(luck < resistant, "R", result)
            mic = _choose_mic(result, luck / np.where(resistant > 0, resistant, 1), depth, tested)
            parts.append(of.assign(drug=drug, result=result[at], mic=mic[at]))
    return pd.concat(parts, ignore_index=True)


def _choose_mic(
    result: np.ndarray, within: np.ndarray, depth: np.ndarray, tested: Tested
) -> np.ndarray:
    """Return a concentration, a power of two, that EUCAST 2025 calls so.

    `within` is uniform among those R, `depth` among all. Of those R the share `at_16` has 16 mg/L.
    """
    below = tested.s / 2 ** np.floor(depth * 4)
    # Where nothing is S, what is I reaches down to the lowest concentration that is tested.
    least = tested.r / 8 if tested.s < _LOWEST else tested.s * 2
    steps = int(np.log2(tested.r / least)) + 1 if tested.r >= least else 1
    between = least * 2 ** np.floor(depth * steps)
    far = tested.r * 2 ** (2 + np.floor(depth * 3))
    near = tested.r * 2
    beyond = np.where(within < tested.at_16, near, far)
    mic: np.ndarray = np.select([result == "S", result == "I"], [below, between], beyond)
    return mic


def _specimen_rows(isolates: pd.DataFrame) -> pd.DataFrame:
    ids = {name: one.id for name, one in MATERIALS.items()}
    return pd.DataFrame(
        {
            "specimen_id": isolates["specimen_id"],
            "person_id": isolates["person_id"],
            "specimen_concept_id": isolates["specimen"].map(ids),
            "specimen_type_concept_id": EHR.id,
            "specimen_date": isolates["taken"].dt.normalize(),
            "specimen_datetime": isolates["taken"],
            "specimen_source_value": isolates["specimen"],
        }
    )


def _culture_rows(isolates: pd.DataFrame) -> pd.DataFrame:
    grown = {code: one.id for code, one in ORGANISMS.items()} | {"": NO_GROWTH.id}
    names = {code: one.name for code, one in ORGANISMS.items()} | {"": NO_GROWTH.name}
    return _measurement_rows(isolates, isolates["measurement_id"]).assign(
        measurement_concept_id=CULTURE.id,
        value_as_concept_id=isolates["organism"].map(grown),
        measurement_source_value=CULTURE.code,
        value_source_value=isolates["organism"].map(names),
        measurement_event_id=isolates["specimen_id"],
        meas_event_field_concept_id=SPECIMEN.id,
    )


def _test_rows(tests: pd.DataFrame) -> pd.DataFrame:
    ids = {code: one.id for code, one in DRUGS.items()}
    codes = {code: one.code for code, one in DRUGS.items()}
    mic = tests["mic"]
    operator = pd.Series(AT_MOST.id, index=tests.index, dtype="Int64").where(mic <= _LOWEST)
    return _measurement_rows(tests, tests["test_id"]).assign(
        measurement_concept_id=tests["drug"].map(ids),
        value_as_number=mic.clip(_LOWEST, _HIGHEST),
        operator_concept_id=operator.mask(mic > _HIGHEST, ABOVE.id),
        unit_concept_id=MG_PER_L.id,
        unit_source_value=MG_PER_L.code,
        measurement_source_value=tests["drug"].map(codes),
        value_source_value=tests["result"],
        measurement_event_id=tests["measurement_id"],
        meas_event_field_concept_id=MEASUREMENT.id,
    )


def _measurement_rows(rows: pd.DataFrame, ids: pd.Series[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "measurement_id": ids,
            "person_id": rows["person_id"],
            "measurement_date": rows["taken"].dt.normalize(),
            "measurement_datetime": rows["taken"],
            "measurement_type_concept_id": EHR.id,
            "visit_occurrence_id": rows["visit_id"],
            "visit_detail_id": rows["stay_id"],
        }
    )
