"""The laboratory values of the diagnosis aid: codes, units, what is plausible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Analyte:
    """One laboratory value.

    `low` and `high` bound what an adult can have, in `unit`. `units` are all units that may be
    written, in lower case, each with the factor that brings a value to `unit`. `logarithm` says
    whether models take the value's logarithm: of values whose ratios matter.
    """

    name: str
    loinc: str
    unit: str
    low: float
    high: float
    units: Mapping[str, float] = field(default_factory=dict)
    logarithm: bool = True


ANALYTES = (
    Analyte("crp", "1988-5", "mg/L", 0.1, 1000, {"mg/l": 1, "mg/dl": 10}),
    Analyte("procalcitonin", "33959-8", "ug/L", 0.01, 1000, {"ug/l": 1, "µg/l": 1, "ng/ml": 1}),
    Analyte("leukocytes", "6690-2", "10*9/L", 0.1, 500, {"10*9/l": 1, "g/l": 1, "10*3/ul": 1}),
    # 1 mg/dL is 88.42 µmol/L: the molar mass of creatinine is 113.1 g/mol.
    Analyte(
        "creatinine", "14682-9", "umol/L", 15, 2500, {"umol/l": 1, "µmol/l": 1, "mg/dl": 88.42}
    ),
    Analyte("lactate", "2524-7", "mmol/L", 0.2, 35, {"mmol/l": 1, "mg/dl": 0.111}),
    Analyte("sodium", "2951-2", "mmol/L", 95, 190, {"mmol/l": 1, "meq/l": 1}, logarithm=False),
)
"""Creatinine's factor is of its molar mass, lactate's of 90.1 g/mol; the bounds are ours: wider
than an intensive care unit's worst patients, narrower than a change of unit."""
