"""Visits to the emergency department, as `wardbook.activity.emergency` reads them."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "emergency-visits",
    row="a visit of a patient to the emergency department",
    columns=(
        Column("visit", Kind.TEXT, "number of the visit"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("arrival", Kind.MOMENT, "when the patient came, local time"),
        Column("departure", Kind.MOMENT, "when the patient left; empty before", optional=True),
        Column(
            "triage",
            Kind.TEXT,
            "level, from 1 (most urgent) to 5",
            optional=True,
            choices=("1", "2", "3", "4", "5"),
        ),
        Column(
            "outcome",
            Kind.TEXT,
            "6 moved to a ward, 7 to another hospital, 8 home, 9 died",
            optional=True,
            choices=("6", "7", "8", "9"),
        ),
    ),
    key=("visit",),
    moment="arrival",
    other_forms=True,  # the daily sheets of Santé publique France
)
