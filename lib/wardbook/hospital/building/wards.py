"""The wards of the embedded hospital, as a French university hospital has them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

REFERENCE_PATIENTS = 20_000
_WELL_USED = 0.88
_RESPIRATORY = 0.35


@dataclass(frozen=True)
class Ward:
    """What is planted in a ward.

    share: of the admissions of adults that it takes, before ages, sexes and seasons are looked at.
    nights: mean midnights of a stay.
    readmitted: share of those who leave the hospital alive from here that are admitted again
        within 30 days.
    death: logarithm of the odds that a patient of 70 years whose stay ends here dies.
    present: patients at midnight, on average, in a hospital of 20,000 persons. Follows from the
        rest, measured: beds are made of it.
    ages: the youngest and the oldest patient that it takes. sex: the only one, if any.
    winter, epidemic: how much the logarithm of the odds to be admitted here, and not in a ward
        that knows no seasons, is greater in midwinter than in spring, and at the epidemic's peak.
    """

    code: str
    name: str
    share: float
    nights: float
    readmitted: float
    death: float
    present: float
    ages: tuple[int, int] = (15, 120)
    sex: str = ""
    winter: float = 0.0
    epidemic: float = 0.0


EMERGENCY_WARD, AFTERCARE_WARD = "URGE", "SSRE"

WARDS = (
    Ward(EMERGENCY_WARD, "Urgences", 0.0, 0.2, 0.0, -99.0, 2.8, (0, 120)),
    Ward("CARD", "Cardiologie", 0.10, 4.5, 0.12, -3.3, 10.6),
    Ward("CHIR", "Chirurgie digestive", 0.10, 4.0, 0.08, -4.2, 9.5),
    Ward("ORTH", "Chirurgie orthopédique", 0.11, 4.0, 0.04, -4.8, 10.3),
    Ward("CTCV", "Chirurgie thoracique et cardiovasculaire", 0.04, 6.0, 0.09, -3.5, 5.9),
    Ward("UROL", "Urologie", 0.06, 3.0, 0.07, -4.8, 4.3),
    Ward("NEUR", "Neurologie", 0.07, 6.0, 0.08, -3.2, 10.0),
    Ward("PNEU", "Pneumologie", 0.07, 6.5, 0.12, -2.8, 11.8, winter=_RESPIRATORY, epidemic=1.1),
    Ward("HGEN", "Hépato-gastro-entérologie", 0.07, 5.0, 0.11, -3.3, 8.3),
    Ward("NEPH", "Néphrologie", 0.05, 5.0, 0.14, -3.5, 6.0),
    Ward("HEMA", "Hématologie", 0.04, 9.0, 0.18, -2.8, 8.4),
    Ward("ONCO", "Oncologie médicale", 0.06, 5.0, 0.17, -2.3, 7.2),
    Ward("MINF", "Maladies infectieuses", 0.04, 8.0, 0.09, -3.0, 8.0, winter=0.2, epidemic=0.9),
    Ward("MEDI", "Médecine interne", 0.06, 7.0, 0.12, -3.0, 10.2),
    Ward("GERI", "Gériatrie aiguë", 0.06, 10.0, 0.13, -2.9, 14.0, (75, 120), "", 0.15, 0.6),
    Ward("MATE", "Maternité", 0.05, 3.5, 0.03, -7.0, 2.1, (16, 50), "F"),
    Ward("PEDI", "Pédiatrie", 0.06, 3.0, 0.06, -4.0, 2.0, (0, 17)),
    Ward("REAM", "Réanimation médicale", 0.03, 6.0, 0.12, -1.2, 4.4, winter=0.2, epidemic=0.7),
    Ward("REAC", "Réanimation chirurgicale", 0.03, 5.0, 0.10, -1.8, 3.6),
    Ward(AFTERCARE_WARD, "Soins de suite et réadaptation", 0.0, 21.0, 0.07, -3.6, 25.6),
)

CODES = np.array([ward.code for ward in WARDS])
EMERGENCY, PAEDIATRICS, AFTERCARE = (
    int(np.flatnonzero(code == CODES)[0]) for code in (EMERGENCY_WARD, "PEDI", AFTERCARE_WARD)
)
"""Where in `WARDS` they stand."""
OWN_AGES = 4.0
"""A ward for certain ages or one sex takes so many times its share of those."""


def choose_wards(
    rng: np.random.Generator,
    *,
    age: np.ndarray,
    female: np.ndarray,
    winter: np.ndarray,
    epidemic: np.ndarray,
    before: np.ndarray,
) -> np.ndarray:
    """Choose for each patient a ward that takes such patients, other than the one before.

    Args:
        rng: for one random number each.
        age: in years.
        female: or not.
        winter: 1 in midwinter, -1 in midsummer.
        epidemic: 1 at its peak, 0 far from it.
        before: place in `WARDS` of the ward that the patient comes from, -1 for none.

    Returns:
        Places in `WARDS`.
    """
    weights = np.empty((len(age), len(WARDS)))
    for place, ward in enumerate(WARDS):
        youngest, oldest = ward.ages
        taken = (age >= youngest) & (age < oldest + 1) & (female | (ward.sex != "F"))
        share = ward.share * (OWN_AGES if ward.ages != (15, 120) else 1.0)
        season = np.exp(ward.winter * winter + ward.epidemic * epidemic)
        weights[:, place] = np.where(taken, share * season, 0.0)
    rows = np.arange(len(age))
    weights[rows[before >= 0], before[before >= 0]] = 0.0
    # A child has one ward only: it comes back to that.
    weights[weights.sum(axis=1) == 0, PAEDIATRICS] = 1.0
    edges = weights.cumsum(axis=1)
    at = rng.random(len(age)) * edges[:, -1]
    chosen: np.ndarray = (edges <= at[:, None]).sum(axis=1)
    return chosen


def count_beds(ward: Ward, patients: int) -> int:
    """Return the beds of a ward in a hospital of so many persons.

    Nine of ten are taken where there are many; a small ward needs room for chance.
    """
    present = ward.present * patients / REFERENCE_PATIENTS
    return max(1, math.ceil(max(present / _WELL_USED, present + math.sqrt(present))))


def write_beds(patients: int, valid_from: str) -> str:
    """Return the wards' beds as a file of the kind `ward-beds`."""
    rows = [f"{w.code};{w.name};{count_beds(w, patients)};{valid_from}\n" for w in WARDS]
    return "".join(["ward;name;beds;valid_from\n", *rows])
