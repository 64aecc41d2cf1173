"""Codes of the embedded hospital: concepts by vocabulary and code.

Concept ids from 2,000,000,000 on are a site's own, by the model's convention. No vocabulary can be
shipped here, so every concept is one of them, made of vocabulary and code: a hospital with the
standard vocabularies has other ids for the same codes, and views go by codes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

LOCAL = 2_000_000_000
_ROOM = 147_000_000


@dataclass(frozen=True)
class Concept:
    """One concept. `domain` is one of the model's: Measurement, Condition, Drug, …"""

    vocabulary: str
    code: str
    name: str
    domain: str

    @property
    def id(self) -> int:
        """The concept's id, always the same for the same vocabulary and code."""
        digest = hashlib.sha256(f"{self.vocabulary}|{self.code}".encode()).digest()
        return LOCAL + int.from_bytes(digest[:8], "big") % _ROOM


FEMALE = Concept("Gender", "F", "Female", "Gender")
MALE = Concept("Gender", "M", "Male", "Gender")
INPATIENT = Concept("Visit", "IP", "Inpatient visit", "Visit")
EMERGENCY = Concept("Visit", "ER", "Emergency room visit", "Visit")
OUTPATIENT = Concept("Visit", "OP", "Outpatient visit", "Visit")
EHR = Concept("Type Concept", "EHR", "Record of the hospital", "Type Concept")
POSITIVE = Concept("SNOMED", "10828004", "Positive", "Meas Value")
NEGATIVE = Concept("SNOMED", "260385009", "Negative", "Meas Value")
UNDETERMINED = Concept("SNOMED", "419984006", "Inconclusive", "Meas Value")
SARS_COV_2_PCR = Concept("LOINC", "94500-6", "SARS-CoV-2 RNA by NAA, respiratory", "Measurement")
SARS_COV_2_LINEAGE = Concept("LOINC", "96741-4", "SARS-CoV-2 variant by sequencing", "Measurement")
SPECIMEN = Concept("CDM", "specimen.specimen_id", "Field specimen_id of specimen", "Metadata")
MEASUREMENT = Concept("CDM", "measurement.measurement_id", "Field of measurement", "Metadata")

COMMON = (
    *(FEMALE, MALE, INPATIENT, EMERGENCY, OUTPATIENT, EHR),
    *(POSITIVE, NEGATIVE, UNDETERMINED, SARS_COV_2_PCR, SARS_COV_2_LINEAGE),
    *(SPECIMEN, MEASUREMENT),
)
"""Concepts that more than one part of the hospital uses."""
