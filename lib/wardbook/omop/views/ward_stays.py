"""Stays in wards: rows of visit_detail at the care site whose code is the ward's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("visit_detail", "care_site")
PARAMETERS = ("start", "end")
BEFORE = timedelta(days=180)
"""How long before the period stays are taken: who was there on its first day has entered earlier,
and who is admitted again has left earlier."""


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the stays that touch the period, or began in the 180 days before it."""
    stays = cdm.table("visit_detail")
    wards = cdm.table("care_site").select("care_site_id", ward="care_site_source_value")
    rows = stays.inner_join(wards, "care_site_id")
    entered, left = rows["visit_detail_start_datetime"], rows["visit_detail_end_datetime"]
    start, end = asked["start"], asked["end"]
    if end is not None:
        rows = rows.filter(entered.date() <= end)
    if start is not None:
        rows = rows.filter(left.isnull() | (left.date() >= start - BEFORE))
    return rows.select(
        stay=rows["visit_detail_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
        ward="ward",
        entered="visit_detail_start_datetime",
        left="visit_detail_end_datetime",
    )
