"""Persons tested for an infection, counted by day, department, age class and sex."""

from __future__ import annotations

from datetime import date

from wardbook.datasets.dataset import Column, Dataset, Kind

AGES = ("09", "19", "29", "39", "49", "59", "69", "79", "89", "90")
"""Age classes of SI-DEP by their last year: 0-9, 10-19, …, 80-89; 90 is 90 and more."""
UNKNOWN = "unknown"
SEXES = ("F", "M", UNKNOWN)

DATASET = Dataset(
    name="test-counts",
    row="a day, department, age class and sex with at least one test",
    columns=(
        Column(
            "date",
            Kind.DAY,
            "day of sampling",
            low=date(2020, 1, 1),
            high=date(2099, 12, 31),
        ),
        Column("department", Kind.TEXT, "INSEE's code of the person's home, or unknown"),
        Column("age", Kind.TEXT, "age class, by its last year", choices=(*AGES, UNKNOWN)),
        Column("sex", Kind.TEXT, "sex", choices=SEXES),
        Column("tests", Kind.INTEGER, "tested with a result; a person once a day", low=0),
        Column("positives", Kind.INTEGER, "of these, positive", low=0),
        Column("undetermined", Kind.INTEGER, "tested without a result", optional=True, low=0),
        Column(
            "first_tests",
            Kind.INTEGER,
            "tested for the first time in the ISO week: adds up to different persons of the week",
            optional=True,
            low=0,
        ),
        Column(
            "first_positives",
            Kind.INTEGER,
            "positive for the first time in the ISO week",
            optional=True,
            low=0,
        ),
    ),
    key=("date", "department", "age", "sex"),
    moment="date",
    place="department",
    other_forms=True,  # Santé publique France's SI-DEP files
)
