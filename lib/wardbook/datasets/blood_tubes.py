"""Blood tubes as a laboratory receives them, with their haemolysis index."""

from wardbook.datasets.dataset import Column, Dataset, Kind

TUBES = ("heparin_gel", "heparin", "serum", "citrate")
DEVICES = ("venepuncture", "catheter", "arterial")
SITES = ("elbow", "other")
TRANSPORTS = ("porter", "pneumatic")
"""The first of each is what the others are compared with."""

DATASET = Dataset(
    "blood-tubes",
    row="a blood tube of a patient in a ward",
    columns=(
        Column("tube", Kind.TEXT, "number of the tube"),
        Column("patient", Kind.TEXT, "pseudonym of the patient"),
        Column("ward", Kind.TEXT, "code of the ward; it stays when the ward is renamed"),
        Column("ward_name", Kind.TEXT, "name of the ward at that time", optional=True),
        Column("drawn", Kind.MOMENT, "when the blood was drawn, local time"),
        Column(
            "received",
            Kind.MOMENT,
            "when the laboratory received the tube, local time; empty: not noted",
            optional=True,
        ),
        Column("type", Kind.TEXT, "kind of tube: " + ", ".join(TUBES)),
        Column("device", Kind.TEXT, "what the blood was drawn with: " + ", ".join(DEVICES)),
        Column("site", Kind.TEXT, "where: elbow (the vein of its bend), other"),
        Column("transport", Kind.TEXT, "how the tube came: porter, pneumatic"),
        Column(
            "haemolysis_index",
            Kind.NUMBER,
            "free haemoglobin; empty: not measured",
            optional=True,
            low=0,
        ),
        Column("index_unit", Kind.TEXT, "unit of the index: mg/dL or g/L", optional=True),
        Column("potassium", Kind.NUMBER, "as measured", optional=True, low=0, unit="mmol/L"),
    ),
    key=("tube",),
    moment="drawn",
    place="ward",
)
