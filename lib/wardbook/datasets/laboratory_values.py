"""First laboratory values of adults' visits, with what was diagnosed in the visit."""

from __future__ import annotations

from wardbook.datasets.dataset import Column, Dataset, Kind
from wardbook.prediction.analytes import ANALYTES

_VALUES = tuple(
    column
    for one in ANALYTES
    for column in (
        Column(one.name, Kind.NUMBER, f"first {one.name} of the window", optional=True),
        Column(f"{one.name}_unit", Kind.TEXT, "the unit as it was written", optional=True),
    )
)
DATASET = Dataset(
    "laboratory-values",
    row="a visit of an adult, by the emergency department or straight to a ward",
    columns=(
        Column("visit", Kind.TEXT, "number of the visit"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("arrived", Kind.MOMENT, "arrival"),
        Column("left", Kind.MOMENT, "end of the visit; empty while it lasts", optional=True),
        Column("ward", Kind.TEXT, "code of the first ward", optional=True),
        Column("age", Kind.INTEGER, "age at arrival", low=18, high=125, unit="years"),
        Column("sex", Kind.TEXT, "sex", choices=("F", "M")),
        Column("taken_at", Kind.MOMENT, "latest sample of the values below"),
        Column("outcome", Kind.FLAG, "whether the diagnosis was made in the visit"),
        Column("outcome_at", Kind.MOMENT, "when it was recorded", optional=True),
        Column("antibiotic_at", Kind.MOMENT, "first antibiotic (ATC J01)", optional=True),
        *_VALUES,
    ),
    key=("visit",),
    moment="arrived",
    place="ward",
)
