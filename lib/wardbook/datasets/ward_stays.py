"""Stays of patients in wards, as `wardbook.activity.stays` reads them."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "ward-stays",
    row="a stay of a patient in one ward",
    columns=(
        Column("stay", Kind.TEXT, "number of the stay"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("ward", Kind.TEXT, "code of the ward"),
        Column("entered", Kind.MOMENT, "when the stay began, local time"),
        Column("left", Kind.MOMENT, "when it ended; empty while it lasts", optional=True),
    ),
    key=("stay",),
    moment="entered",
    place="ward",
)
