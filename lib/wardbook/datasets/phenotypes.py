"""Phenotypes of the patients whose panel was read."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "phenotypes",
    row="a phenotype of a patient",
    columns=(
        Column("person", Kind.INTEGER, "number of the person in the source"),
        Column("code", Kind.TEXT, "code of the Human Phenotype Ontology, HP:0000000"),
        Column("name", Kind.TEXT, "its name", optional=True),
    ),
    key=("person", "code"),
)
