"""What each template is run with on every engine: see `test_same_on_every_engine`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Case:
    """One template on the embedded hospital.

    `parts` and `patients` are what `build_hospital` is asked for. `sources` says for each source of
    the template where its data come from: True, the hospital's database; else a file, from the
    project's root. `parameters` are texts, as in a ticket.
    """

    parts: tuple[str, ...]
    patients: int
    sources: Mapping[str, Literal[True] | str]
    parameters: Mapping[str, str]
    seed: int = 11


CASES: Mapping[str, Case] = {
    "ward_activity": Case(
        ("stays", "care"),
        1_500,
        {"stays": True, "emergency": True, "deaths": True},
        {"start": "2024-03-01", "end": "2024-05-31", "census": "midnight"},
    ),
    "haemolysis_origin": Case(
        ("tubes",),
        1_200,
        {"tubes": True},
        {"start": "2024-01-01", "end": "2025-12-31", "threshold": "50", "first_weeks": "26"},
    ),
    "antibiogram": Case(
        ("microbiology",),
        3_000,
        {"isolates": True},
        {"start": "2024-01-01", "end": "2025-12-31"},
    ),
    "pharmacovigilance_signals": Case(
        ("pharmacovigilance",),
        6_000,
        {"reports": True},
        {"start": "2024-01-01", "end": "2025-12-31"},
    ),
    "variant_emergence": Case(
        ("sars_cov_2",),
        3_000,
        {"sequences": True},
        {"start": "2025-01-01", "end": "2025-12-31", "least": "11", "new_weeks": "8"},
    ),
    "covid_dashboard": Case(
        ("sars_cov_2",),
        3_000,
        {"stays": True, "tests": True, "sequences": True},
        {"start": "2025-07-01", "end": "2025-12-31", "critical_wards": "REAM, REAC"},
    ),
    "predictive_model": Case(
        ("biology",),
        5_000,
        {"values": True},
        {
            "start": "2024-01-01",
            "end": "2025-12-31",
            "first_test_day": "2025-01-01",
            "outcome": "R65.1",
            "window_hours": "2",
            "predictors": "crp, procalcitonin, lactate, creatinine",
        },
    ),
    "epidemic_indicators": Case(
        ("sars_cov_2",),
        3_000,
        {"tests": True},
        {"start": "2025-01-01", "end": "2025-12-31", "departments": "35"},
    ),
    "exome_clinical": Case(
        ("exome",),
        1_500,
        {"patients": True, "variants": True, "phenotypes": True},
        {"phenotypes": "HP:0001639, HP:0003124", "qualifying": "pathogenic"},
    ),
    "cohort_extraction": Case(
        ("care",),
        3_000,
        {"persons": True},
        {
            "entry": "condition ICD10 I50",
            "start": "2024-02-01",
            "criteria": "age 18..90",
            "group": "sex F",
        },
    ),
    "metric_watch": Case(
        ("stays",),
        1_500,
        {"series": True},
        {
            "start": "2024-03-01",
            "end": "2024-09-30",
            "kind": "count",
            "baseline": "120",
            "shift_percent": "30",
            "time_column": "date",
            "value_column": "value",
        },
    ),
}
