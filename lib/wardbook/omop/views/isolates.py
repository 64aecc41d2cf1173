"""Susceptibilities of the Common Data Model as the dataset `isolates`.

An isolate is a measurement on a specimen whose value is an organism; a susceptibility is a
measurement on that measurement. Codes are turned into those of the antibiogram's catalogue; one
that the catalogue does not have is kept as it is, so that the report can say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.microbiology.catalogue import load_catalogue
from wardbook.omop.cdm import Cdm

if TYPE_CHECKING:
    import ibis.expr.types as ir

TABLES = ("measurement", "specimen", "visit_detail", "concept")
PARAMETERS = ("start", "end")
BOUNDS = {"276137008": "at_most", "276140008": "above"}
"""SNOMED CT's operators <= and >."""
_ON_SPECIMEN, _ON_MEASUREMENT = "specimen.specimen_id", "measurement.measurement_id"


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the susceptibilities of isolates sampled from `start` to `end`."""
    catalogue = load_catalogue()
    organisms = {one.snomed: one.code for one in catalogue.organisms.values() if one.snomed}
    drugs = {one.loinc: one.code for one in catalogue.drugs.values() if one.loinc}
    materials = {code: name for name, code in catalogue.specimens.items()}
    concept = cdm.table("concept")
    isolates = _isolates(cdm, concept, asked)
    tests = _named(cdm.coded("measurement", "measurement_concept_id", code="drug"), "drug", drugs)
    tests = _keep_events(tests, concept, _ON_MEASUREMENT)
    operators = concept.select(_operator="concept_id", operator="concept_code")
    tests = tests.left_join(operators, tests["operator_concept_id"] == operators["_operator"])
    bound = tests["operator"].cases(*BOUNDS.items())
    tests = tests.select(
        "drug",
        isolate_id="measurement_event_id",
        result="value_source_value",
        mic="value_as_number",
        mic_bound=bound,
        unit="unit_source_value",
    )
    rows = tests.inner_join(isolates, "isolate_id")
    rows = _named(_named(rows, "organism", organisms), "specimen", materials)
    return rows.mutate(
        isolate=rows["isolate_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
        zone=rows["isolate_id"].nullif(rows["isolate_id"]),
    )


def _isolates(cdm: Cdm, concept: ir.Table, asked: Mapping[str, Any]) -> ir.Table:
    """Return isolate_id, person_id, day, ward, specimen, organism: both as the model's codes."""
    found = cdm.coded("measurement", "value_as_concept_id", code="organism")
    found = _keep_events(found, concept, _ON_SPECIMEN)
    for parameter, keeps in (("start", "__ge__"), ("end", "__le__")):
        if asked[parameter] is not None:
            found = found.filter(getattr(found["measurement_date"], keeps)(asked[parameter]))
    specimens = cdm.coded("specimen", "specimen_concept_id", code="specimen")
    specimens = specimens.select("specimen", measurement_event_id="specimen_id")
    wards = cdm.table("visit_detail").select(
        _stay="visit_detail_id", ward="visit_detail_source_value"
    )
    found = found.inner_join(specimens, "measurement_event_id")
    found = found.left_join(wards, found["visit_detail_id"] == wards["_stay"])
    return found.select(
        "person_id",
        "ward",
        "specimen",
        "organism",
        isolate_id="measurement_id",
        day="measurement_date",
    )


def _keep_events(rows: ir.Table, concept: ir.Table, field: str) -> ir.Table:
    fields = concept.filter(concept["concept_code"] == field).select(_field="concept_id")
    return rows.inner_join(fields, rows["meas_event_field_concept_id"] == fields["_field"])


def _named(rows: ir.Table, column: str, names: Mapping[str, str]) -> ir.Table:
    code = rows[column]
    return rows.mutate(**{column: code.cases(*names.items(), else_=code)})
