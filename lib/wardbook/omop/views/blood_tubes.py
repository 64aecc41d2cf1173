"""Blood tubes: specimens of blood with what was observed of them and measured on them.

The ward is that of the stay (visit_detail) in which the tube was observed. A code that has no
concept comes as the source wrote it, so that it can be named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("specimen", "observation", "measurement", "visit_detail", "care_site", "concept")
PARAMETERS = ("start", "end")

BLOOD, FIELD = "119297000", "specimen.specimen_id"
INDEX, POTASSIUM = "46424-8", "2823-3"
FACTS = {
    "type": "blood-tube",
    "device": "draw-device",
    "site": "draw-site",
    "transport": "tube-transport",
}
RECEIVED, WARD_NAME = "tube-received", "tube-ward-name"


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the tubes drawn on the days of the period."""
    tubes = cdm.coded("specimen", "specimen_concept_id")
    tubes = tubes.filter(tubes["code"] == BLOOD)
    if asked["start"] is not None:
        tubes = tubes.filter(tubes["specimen_date"] >= asked["start"])
    if asked["end"] is not None:
        tubes = tubes.filter(tubes["specimen_date"] <= asked["end"])
    tubes = tubes.select("specimen_id", "person_id", drawn="specimen_datetime")
    rows = tubes.inner_join(_observed(cdm), "specimen_id")
    rows = rows.left_join(_measured(cdm), "specimen_id").drop("specimen_id_right")
    rows = rows.inner_join(_wards(cdm), "visit_detail_id")
    return rows.mutate(
        tube=rows["specimen_id"].cast("string"), patient=rows["person_id"].cast("string")
    )


def _observed(cdm: Cdm) -> ir.Table:
    """Return one row a specimen: its facts, its reception, the stay."""
    rows = cdm.coded("observation", "observation_concept_id")
    rows = rows.filter(rows["code"].isin([*FACTS.values(), RECEIVED, WARD_NAME]))
    rows = _about_specimens(cdm, rows, "obs_event_field_concept_id")
    values = cdm.table("concept").select(_value="concept_id", known="concept_code")
    rows = rows.left_join(values, rows["value_as_concept_id"] == values["_value"])
    told = rows["known"].coalesce(rows["value_source_value"])
    return rows.group_by(specimen_id=rows["observation_event_id"]).aggregate(
        visit_detail_id=rows["visit_detail_id"].max(),
        received=rows["observation_datetime"].max(where=rows["code"] == RECEIVED),
        ward_name=rows["value_as_string"].max(where=rows["code"] == WARD_NAME),
        **{name: told.max(where=rows["code"] == code) for name, code in FACTS.items()},
    )


def _measured(cdm: Cdm) -> ir.Table:
    """Return one row a specimen: the highest index and potassium measured on it."""
    rows = cdm.coded("measurement", "measurement_concept_id")
    rows = rows.filter(rows["code"].isin([INDEX, POTASSIUM]) & rows["value_as_number"].notnull())
    rows = _about_specimens(cdm, rows, "meas_event_field_concept_id")
    is_index = rows["code"] == INDEX
    unit, last = (getattr(rows["unit_source_value"], way)(where=is_index) for way in ("min", "max"))
    return rows.group_by(specimen_id=rows["measurement_event_id"]).aggregate(
        haemolysis_index=rows["value_as_number"].max(where=is_index),
        # Two units on one tube are none: that is for the reader of the dataset to refuse.
        index_unit=(unit == last).ifelse(unit, unit + " + " + last),
        potassium=rows["value_as_number"].max(where=rows["code"] == POTASSIUM),
    )


def _about_specimens(cdm: Cdm, rows: ir.Table, column: str) -> ir.Table:
    fields = cdm.table("concept").filter(lambda one: one["concept_code"] == FIELD)
    return rows.semi_join(fields, rows[column] == fields["concept_id"])


def _wards(cdm: Cdm) -> ir.Table:
    stays = cdm.table("visit_detail").select("visit_detail_id", "care_site_id")
    sites = cdm.table("care_site").select("care_site_id", ward="care_site_source_value")
    return stays.inner_join(sites, "care_site_id").select("visit_detail_id", "ward")
