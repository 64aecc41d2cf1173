"""The wards of the embedded hospital, as a French university hospital has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ward:
    """A ward: its share of admissions, its mean nights, beds for 20,000 patients, and ages.

    `ages` are the youngest and the oldest patient that it takes; `sex` the only one, if any.
    """

    code: str
    name: str
    share: float
    nights: float
    beds: int
    ages: tuple[int, int] = (15, 120)
    sex: str = ""


EMERGENCY_WARD = "URGE"

WARDS = (
    Ward(EMERGENCY_WARD, "Urgences", 0.0, 0.2, 12, (0, 120)),
    Ward("CARD", "Cardiologie", 0.10, 4.5, 10),
    Ward("CHIR", "Chirurgie digestive", 0.10, 4.0, 9),
    Ward("ORTH", "Chirurgie orthopédique", 0.11, 4.0, 10),
    Ward("CTCV", "Chirurgie thoracique et cardiovasculaire", 0.04, 6.0, 6),
    Ward("UROL", "Urologie", 0.06, 3.0, 5),
    Ward("NEUR", "Neurologie", 0.07, 6.0, 9),
    Ward("PNEU", "Pneumologie", 0.07, 6.5, 10),
    Ward("HGEN", "Hépato-gastro-entérologie", 0.07, 5.0, 8),
    Ward("NEPH", "Néphrologie", 0.05, 5.0, 6),
    Ward("HEMA", "Hématologie", 0.04, 9.0, 8),
    Ward("ONCO", "Oncologie médicale", 0.06, 5.0, 7),
    Ward("MINF", "Maladies infectieuses", 0.04, 8.0, 7),
    Ward("MEDI", "Médecine interne", 0.06, 7.0, 9),
    Ward("GERI", "Gériatrie aiguë", 0.06, 10.0, 13, (75, 120)),
    Ward("MATE", "Maternité", 0.05, 3.5, 4, (16, 50), "F"),
    Ward("PEDI", "Pédiatrie", 0.06, 3.0, 4, (0, 17)),
    Ward("REAM", "Réanimation médicale", 0.03, 6.0, 4),
    Ward("REAC", "Réanimation chirurgicale", 0.03, 5.0, 4),
    Ward("SSRE", "Soins de suite et réadaptation", 0.0, 21.0, 28),
)
AFTERCARE_WARD = "SSRE"
