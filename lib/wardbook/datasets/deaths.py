"""Deaths of patients, in hospital or after it as far as they are known."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "deaths",
    row="a patient who died",
    columns=(
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("day", Kind.DAY, "day of death"),
    ),
    key=("patient",),
)
