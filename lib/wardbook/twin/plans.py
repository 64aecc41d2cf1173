"""The plan of each kind of data about persons that twins can be made of."""

from __future__ import annotations

from collections.abc import Mapping

from wardbook.activity.laboratory import TESTS
from wardbook.datasets import Column, Dataset, Kind, find_dataset
from wardbook.hospital.vocabulary import COLUMNS, SEXES
from wardbook.prediction.analytes import ANALYTES
from wardbook.twin.roles import (
    After,
    Amount,
    Birth,
    Category,
    Identifier,
    Invented,
    Moment,
    Plan,
    Role,
)

_PERSON = Identifier(form="TWIN{:08d}")
_ROW = Identifier(form="T{:09d}")
_NUMBERED = Identifier(form="")

_ROLES: Mapping[str, Mapping[str, Role]] = {
    "ward-stays": {
        "patient": _PERSON,
        "stay": _ROW,
        "ward": Category(),
        "entered": Moment(chain="patient", end="left"),
        "left": After(start="entered", lasting=True, given=("ward",)),
    },
    "emergency-visits": {
        "patient": _PERSON,
        "visit": _ROW,
        "triage": Category(),
        "outcome": Category(given=("triage",)),
        "arrival": Moment(chain="patient", end="departure"),
        "departure": After(start="arrival", lasting=True, given=("outcome",)),
    },
    "deaths": {"patient": _PERSON, "day": Moment()},
    "blood-tubes": {
        "patient": _PERSON,
        "tube": _ROW,
        "drawn": Moment(),
        "ward": Category(),
        "ward_name": Category(given=("ward", "drawn"), label=True),
        "type": Category(given=("ward",)),
        "device": Category(given=("ward",)),
        "site": Category(given=("device",)),
        "transport": Category(given=("ward",)),
        "received": After(start="drawn", given=("transport",)),
        "index_unit": Category(given=("ward", "drawn"), label=True),
        "haemolysis_index": Amount(given=("index_unit", "device", "transport")),
        "potassium": Amount(given=("type",)),
    },
    "isolates": {
        "patient": _PERSON,
        "isolate": _ROW,
        "day": Moment(level="isolate"),
        "ward": Category(level="isolate"),
        "specimen": Category(level="isolate", given=("ward",)),
        "organism": Category(level="isolate", given=("specimen",)),
        "drug": Category(given=("organism",), distinct=True),
        "result": Category(given=("organism", "drug")),
        "unit": Category(label=True),
        "mic_bound": Category(given=("unit",), label=True),
        "mic": Amount(given=("unit", "result", "drug")),
        "zone": Amount(given=("result", "drug")),
    },
    "covid-stays": {
        "patient": _PERSON,
        "visit": _ROW,
        "stay": _ROW,
        "ward": Category(),
        "entered": Moment(chain="visit", end="left"),
        "left": After(start="entered", lasting=True, given=("ward",)),
        "positive": After(start="entered", level="visit", or_before=True),
        "died": After(start="entered", level="visit"),
    },
    "covid-tests": {
        "patient": _PERSON,
        "test": _ROW,
        "sex": Category(level="patient"),
        "age": Amount(level="patient", given=("sex",)),
        "sampled": Moment(),
        "ward": Category(),
        "result": Category(given=("sampled",)),
    },
    "sequences": {
        "patient": _PERSON,
        "sequence": _ROW,
        "sampled": Moment(),
        "reported": After(start="sampled"),
        "lineage": Category(given=("sampled",)),
    },
    "drug-reactions": {
        "patient": _PERSON,
        "report": _ROW,
        "day": Moment(level="report"),
        "drug": Category(),
        "event": Category(given=("drug",)),
        "drug_name": Category(given=("drug",), label=True),
        "event_name": Category(given=("event",), label=True),
    },
    "laboratory-values": {
        "patient": _PERSON,
        "visit": _ROW,
        "sex": Category(level="patient"),
        "age": Amount(given=("sex",)),
        "ward": Category(),
        "outcome": Category(),
        "arrived": Moment(),
        "left": After(start="arrived", given=("ward",), lasting=True),
        "taken_at": After(start="arrived"),
        "outcome_at": After(start="taken_at", given=("outcome",)),
        "antibiotic_at": After(start="arrived", given=("outcome",)),
        **{
            name: role
            for one in ANALYTES
            for name, role in (
                (f"{one.name}_unit", Category(given=("outcome",), label=True)),
                (one.name, Amount(given=(f"{one.name}_unit", "outcome"))),
            )
        },
    },
    "exome-patients": {
        "person": _NUMBERED,
        "day": Moment(),
        "sex": Category(),
        "age": Amount(given=("sex",)),
        "component": Amount(),
    },
    "exome-variants": {
        "person": _NUMBERED,
        "call": _NUMBERED,
        "gene": Category(),
        "acmg": Category(),
        "zygosity": Category(given=("gene",)),
        "consequence": Category(given=("acmg",)),
        "frequency": Amount(given=("acmg",)),
    },
    "phenotypes": {
        "person": _NUMBERED,
        "code": Category(distinct=True),
        "name": Category(given=("code",), label=True),
    },
    "hospital-stays": {
        "ipp": Identifier(form="{:010d}"),
        "name": Invented(level="ipp", form="Jumeau-{:07d}"),
        "first_name": Invented(level="ipp", form="Fictif-{:07d}"),
        "sex": Category(level="ipp"),
        "ward": Category(),
        "room": Invented(form="C{:03d}"),
        "bed": Invented(form="L{:03d}"),
        "entry": Moment(chain="ipp", end="exit"),
        "birth_date": Birth(on="entry", level="ipp"),
        "exit": After(start="entry", lasting=True, given=("ward",)),
        "organism": Category(given=("ward",)),
        "sample_date": After(start="entry", given=("organism",), beside="organism"),
    },
    "laboratory-tests": {
        "patient": _PERSON,
        "tube": _ROW,
        "test": _ROW,
        "ward": Category(level="tube"),
        "emergency": Category(level="tube", given=("ward",)),
        "sampled": Moment(level="tube"),
        "received": After(start="sampled", level="tube", given=("ward",)),
        "haemolysis_index": Amount(level="tube", given=("ward",)),
        "analysis": Category(distinct=True),
        "validated": After(start="received", given=("analysis",)),
        "result": Category(given=("analysis",)),
    },
}

_MOMENTS = {
    *("entry", "exit", "sampled", "received", "validated"),
}
_OPTIONAL = {"exit", "organism", "sample_date", "received", "validated", "result"} | {
    "haemolysis_index"
}


def _describe(name: str, columns: tuple[str, ...], key: tuple[str, ...]) -> Dataset:
    """Return the schema of a kind that has a reader of its own, in the words of a dataset."""

    def kind_of(column: str) -> Kind:
        if column in _MOMENTS:
            return Kind.MOMENT
        if column.endswith("_date"):
            return Kind.DAY
        return Kind.INTEGER if column == "haemolysis_index" else Kind.TEXT

    described = tuple(
        Column(
            *(column, kind_of(column), ""),
            optional=column in _OPTIONAL,
            choices=SEXES if column == "sex" else (),
        )
        for column in columns
    )
    return Dataset(name, row="", columns=described, key=key)


_OTHERS = {
    "hospital-stays": _describe("hospital-stays", COLUMNS, ("ipp", "entry")),
    "laboratory-tests": _describe("laboratory-tests", TESTS, ("test",)),
}


def has_plan(kind: str) -> bool:
    """Tell whether twins of a kind can be made."""
    return kind in _ROLES


def find_plan(kind: str) -> Plan | None:
    """Return the plan of a kind; None where it has none."""
    if kind not in _ROLES:
        return None
    dataset = _OTHERS.get(kind) or find_dataset(kind)
    return Plan(dataset, _ROLES[kind]) if dataset else None
