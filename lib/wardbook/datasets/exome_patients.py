"""Patients whose exome panel was read."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "exome-patients",
    row="a patient whose panel was read",
    columns=(
        Column("person", Kind.INTEGER, "number of the person in the source"),
        Column("day", Kind.DAY, "day of the first reading"),
        Column("sex", Kind.TEXT, "F, M or I (undetermined)", choices=("F", "M", "I")),
        Column("age", Kind.INTEGER, "whole years on that day", low=0, high=130),
        Column("component", Kind.NUMBER, "first genetic component (ancestry)", optional=True),
    ),
    key=("person",),
    moment="day",
)
