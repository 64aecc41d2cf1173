"""Stays in wards."""

from datetime import date

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    name="tiny-stays",
    row="a stay in a ward",
    columns=(
        Column("stay", Kind.INTEGER, "number of the stay", low=1),
        Column("ward", Kind.TEXT, "code of the ward"),
        Column("sex", Kind.TEXT, "sex", choices=("F", "M")),
        Column("entered", Kind.MOMENT, "when it began", low=date(2000, 1, 1)),
        Column("left", Kind.MOMENT, "when it ended", optional=True),
    ),
    key=("stay",),
    moment="entered",
    place="ward",
)
