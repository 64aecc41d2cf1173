"""Sequenced SARS-CoV-2 samples with their lineages."""

from __future__ import annotations

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "sequences",
    row="a sequenced sample of a patient",
    columns=(
        Column("sequence", Kind.TEXT, "identifier of the sequence"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("sampled", Kind.DAY, "day on which the sample was taken"),
        Column("reported", Kind.DAY, "day on which the lineage was reported", optional=True),
        Column(
            "lineage",
            Kind.TEXT,
            "Pango lineage, short or written in full; None is a lineage, Unassigned or nothing "
            "is a sequence without one",
            optional=True,
        ),
    ),
    key=("sequence",),
    # Not the day of sampling: sequences are reported days to weeks after it.
    moment="reported",
    other_forms=True,  # Santé publique France's screening for mutations
)
