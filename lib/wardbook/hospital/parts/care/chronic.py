"""Chronic diseases of the persons, and the drugs that they take for them.

A person has a disease or has it not, from before the hospital's first day on. Each disease is a
logistic model of age, sex and the diseases before it, so that its odds ratios are what was planted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from wardbook.hospital.building.batch import FIRST_DAY


@dataclass(frozen=True)
class Chronic:
    """A chronic disease.

    at_60: its share among women of 60 years who have none of the diseases of `after`.
    per_10_years, male, after: odds ratios.
    drugs: share of those who have it that take a drug for it.
    """

    code: str
    name: str
    at_60: float
    per_10_years: float
    male: float = 1.0
    after: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)


HYPERTENSION, DIABETES, FIBRILLATION, HEART_FAILURE = "I10", "E11.9", "I48.2", "I50.9"
CHRONIC = (
    Chronic(HYPERTENSION, "Hypertension artérielle", 0.42, 1.9, 1.1, {}, {"C09AA05": 0.50}),
    Chronic(DIABETES, "Diabète de type 2", 0.11, 1.5, 1.4, {}, {"A10BA02": 0.72}),
    Chronic("E78.0", "Hypercholestérolémie", 0.25, 1.4, 1.2, {}, {"C10AA05": 0.75}),
    Chronic(
        *(FIBRILLATION, "Fibrillation atriale permanente", 0.03, 2.1, 1.3),
        after={HYPERTENSION: 1.6},
        drugs={"B01AF02": 0.70},
    ),
    Chronic(
        *(HEART_FAILURE, "Insuffisance cardiaque chronique", 0.02, 1.7, 1.2),
        after={HYPERTENSION: 2.2, DIABETES: 1.8, FIBRILLATION: 3.0},
        drugs={"C07AB07": 0.65, "C03CA01": 0.80},
    ),
    Chronic(
        *("N18.3", "Maladie rénale chronique, stade 3", 0.04, 1.8),
        after={HYPERTENSION: 1.5, DIABETES: 2.0},
    ),
    Chronic(
        *("J44.9", "Bronchopneumopathie chronique obstructive", 0.06, 1.3, 1.6),
        drugs={"R03BB04": 0.60},
    ),
    Chronic("F32.9", "Épisode dépressif", 0.14, 0.95, 0.55, {}, {"N06AB10": 0.60}),
)
YOUNGEST = 20
"""Nobody younger has any of them."""


@dataclass(frozen=True)
class Illness:
    """Who has which disease, and who takes which drug: an array over the persons by code."""

    has: Mapping[str, np.ndarray]
    takes: Mapping[str, np.ndarray]


def draw_illness(rng: np.random.Generator, persons: pd.DataFrame) -> Illness:
    """Draw the chronic diseases and the drugs of persons."""
    age = (pd.Timestamp(FIRST_DAY) - persons["born"]).dt.days.to_numpy() / 365.25
    male = persons["sex"].to_numpy() == "M"
    has: dict[str, np.ndarray] = {}
    takes: dict[str, np.ndarray] = {}
    for disease in CHRONIC:
        logit = np.log(disease.at_60 / (1 - disease.at_60)) + np.log(disease.male) * male
        logit = logit + np.log(disease.per_10_years) * (age - 60) / 10
        for other, odds in disease.after.items():
            logit = logit + np.log(odds) * has[other]
        drawn = rng.random(len(age)) < 1 / (1 + np.exp(-logit))
        has[disease.code] = drawn & (age >= YOUNGEST)
        for drug, share in disease.drugs.items():
            taken = has[disease.code] & (rng.random(len(age)) < share)
            takes[drug] = takes.get(drug, np.zeros(len(age), dtype=bool)) | taken
    return Illness(has, takes)
