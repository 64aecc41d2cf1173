"""Drugs and the events after them: reports of a registry, or stays of a hospital."""

from wardbook.datasets.dataset import Column, Dataset, Kind

DATASET = Dataset(
    "drug-reactions",
    row="one drug of one report with one event after it, or without any",
    columns=(
        Column("report", Kind.TEXT, "the report, or the stay: what is counted"),
        Column("patient", Kind.TEXT, "the patient, a pseudonym"),
        Column("day", Kind.DAY, "the day of the report, or on which the stay began"),
        Column("drug", Kind.TEXT, "the drug, by its ATC code"),
        Column(
            "event",
            Kind.TEXT,
            "an event that began after the drug: ICD-10 or a preferred term; nothing where the"
            " report has the drug but no event after it",
            optional=True,
        ),
        Column("drug_name", Kind.TEXT, "what the drug is called", optional=True),
        Column("event_name", Kind.TEXT, "what the event is called", optional=True),
    ),
    key=("report", "drug", "event"),
    moment="day",
)
