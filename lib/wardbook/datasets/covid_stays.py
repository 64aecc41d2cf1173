"""Stays in wards during visits to the hospital with a positive test for SARS-CoV-2."""

from __future__ import annotations

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "covid-stays",
    row="a stay in one ward, of a visit with a positive test in it or in the 14 days before it",
    columns=(
        Column("stay", Kind.TEXT, "identifier of the stay in the ward"),
        Column("visit", Kind.TEXT, "identifier of the visit to the hospital"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("ward", Kind.TEXT, "code of the ward"),
        Column("entered", Kind.MOMENT, "when the stay began, local time"),
        Column("left", Kind.MOMENT, "when it ended; empty while it lasts", optional=True),
        Column("positive", Kind.MOMENT, "when the visit's first positive sample was taken"),
        Column("died", Kind.DAY, "day of death, if in the visit", optional=True),
    ),
    key=("stay",),
    moment="entered",
    place="ward",
)
