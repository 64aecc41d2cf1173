"""Variants that a panel found; without their names, which nobody needs to count by gene."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "exome-variants",
    row="a variant found in a patient",
    columns=(
        Column("call", Kind.INTEGER, "number of the finding"),
        Column("person", Kind.INTEGER, "number of the person in the source"),
        Column("gene", Kind.TEXT, "symbol of the gene (HGNC)"),
        Column("zygosity", Kind.TEXT, "heterozygous, homozygous, hemizygous", optional=True),
        Column("consequence", Kind.TEXT, "name of the Sequence Ontology", optional=True),
        Column(
            *("frequency", Kind.NUMBER, "allele frequency in the population"),
            optional=True,
            low=0,
            high=1,
        ),
        Column("acmg", Kind.INTEGER, "class of ACMG and AMP", low=1, high=5),
    ),
    key=("call",),
)
