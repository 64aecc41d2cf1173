"""Stays in wards, of the model's visit details."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir

from wardbook.omop.cdm import Cdm

TABLES = ("person", "visit_detail", "care_site")
PARAMETERS = ("start",)


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the stays that began on the day asked for or later."""
    wards = cdm.table("care_site").select(_site="care_site_id", ward="care_site_source_value")
    persons = cdm.table("person").select(_person="person_id", sex="gender_source_value")
    stays = cdm.table("visit_detail")
    stays = stays.inner_join(wards, stays["care_site_id"] == wards["_site"])
    stays = stays.inner_join(persons, stays["person_id"] == persons["_person"])
    if asked["start"] is not None:
        stays = stays.filter(stays["visit_detail_start_date"] >= asked["start"])
    return stays.select(
        "ward",
        "sex",
        stay=stays["visit_detail_id"],
        entered=stays["visit_detail_start_datetime"],
        left=stays["visit_detail_end_datetime"],
    )
