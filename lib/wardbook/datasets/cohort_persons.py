"""Persons who entered a cohort, and how far its criteria let them."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "cohort-persons",
    row="a person with the entry event; of those whom a criterion leaves out only how far they got",
    columns=(
        Column("person", Kind.INTEGER, "number of the person in the source"),
        Column(
            "step", Kind.INTEGER, "how many criteria are met before the first that is not", low=0
        ),
        Column("source_persons", Kind.INTEGER, "persons in the whole source", low=1),
        Column(
            "sex", Kind.TEXT, "F, M or I (undetermined)", optional=True, choices=("F", "M", "I")
        ),
        Column(*("age", Kind.INTEGER, "whole years at the index"), optional=True, low=-1, high=130),
        Column("index_day", Kind.DAY, "day of the entry event", optional=True),
        Column("followed_until", Kind.DAY, "last day of observation", optional=True),
        Column("death_day", Kind.DAY, "day of death", optional=True),
        Column(
            "in_group", Kind.INTEGER, "1: meets the group's criterion", optional=True, low=0, high=1
        ),
        Column("traits", Kind.TEXT, "T, then 1 or 0 for each characteristic", optional=True),
    ),
    key=("person",),
)
