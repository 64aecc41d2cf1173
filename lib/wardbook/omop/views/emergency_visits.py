"""Visits to the emergency department: what began there, and whether it went on in a ward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.omop.vocabulary import EMERGENCY

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("visit_occurrence", "visit_detail", "concept")
PARAMETERS = ("start", "end")


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the visits of the period; triage is not in the model, and stays empty.

    A visit leaves the emergency department at the end of its first stay; where another follows it
    was moved to a ward (6), otherwise it went home (8).
    """
    import ibis

    visits = cdm.coded("visit_occurrence", "visit_concept_id")
    visits = visits.filter(visits["code"] == EMERGENCY.code)
    if asked["start"] is not None:
        visits = visits.filter(visits["visit_start_date"] >= asked["start"])
    if asked["end"] is not None:
        visits = visits.filter(visits["visit_start_date"] <= asked["end"])
    details = cdm.table("visit_detail")
    first = details.filter(details["preceding_visit_detail_id"].isnull()).select(
        "visit_occurrence_id", departure="visit_detail_end_datetime"
    )
    stays = details.group_by("visit_occurrence_id").agg(stays=details.count())
    rows = visits.inner_join(first, "visit_occurrence_id").inner_join(stays, "visit_occurrence_id")
    return rows.select(
        visit=rows["visit_occurrence_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
        arrival="visit_start_datetime",
        departure="departure",
        triage=ibis.null("string"),
        outcome=ibis.ifelse(rows["stays"] > 1, "6", "8"),
    )
