"""Susceptibility of isolates: what a laboratory of bacteriology finds of each drug."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "isolates",
    row="one drug tested on one isolate of one specimen",
    columns=(
        Column("isolate", Kind.TEXT, "the isolate, in the laboratory's numbering"),
        Column("drug", Kind.TEXT, "the drug, by its code in EUCAST's tables, e.g. AMC"),
        Column("patient", Kind.TEXT, "the patient, a pseudonym"),
        Column("day", Kind.DAY, "the day of sampling"),
        Column("ward", Kind.TEXT, "the ward at sampling", optional=True),
        Column(
            "specimen",
            Kind.TEXT,
            "urine, blood, respiratory, wound, screening or another of the laboratory's own",
            optional=True,
        ),
        Column("organism", Kind.TEXT, "the species or group, by its code, e.g. B_ESCHR_COLI"),
        Column(
            "result",
            Kind.TEXT,
            "as reported: S, I (susceptible, increased exposure) or R",
            optional=True,
            choices=("S", "I", "R"),
        ),
        Column(
            "mic",
            Kind.NUMBER,
            "the minimum inhibitory concentration",
            optional=True,
            low=0.0001,
            high=4096,
            unit="mg/L",
        ),
        Column(
            "mic_bound",
            Kind.TEXT,
            "at_most or above, where the concentration is only bounded; else nothing",
            optional=True,
            choices=("at_most", "above"),
        ),
        Column("unit", Kind.TEXT, "the unit of `mic`: mg/L", optional=True),
        Column(
            "zone", Kind.INTEGER, "the inhibition zone", optional=True, low=6, high=60, unit="mm"
        ),
    ),
    key=("isolate", "drug"),
    moment="day",
    place="ward",
    other_forms=True,  # the wide file of the R package AMR, one column a drug
)
