"""Visits that begin, by day and kind: IP (inpatient), ER (emergency), OP (outpatient).

A day on which no visit of one kind begins, but one of another does, has a 0. A day without any
visit has no row: whether nobody came or nothing was recorded cannot be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from wardbook.omop.cdm import Cdm

if TYPE_CHECKING:
    import ibis.expr.types as ir

TABLES = ("visit_occurrence", "concept")
PARAMETERS = ("start", "end")


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return date, group, value and an empty `of`, from `start` to `end`."""
    visits = cdm.coded("visit_occurrence", "visit_concept_id")
    if asked["start"]:
        visits = visits.filter(visits.visit_start_date >= ibis.literal(asked["start"]))
    if asked["end"]:
        visits = visits.filter(visits.visit_start_date <= ibis.literal(asked["end"]))
    counts = visits.group_by(
        date=visits.visit_start_date.cast("date"), group=visits.code
    ).aggregate(value=visits.count())
    days = counts.select(day="date").distinct()
    kinds = counts.select(kind="group").distinct()
    every = days.cross_join(kinds)
    rows = every.left_join(counts, [every.day == counts.date, every.kind == counts.group])
    return rows.select(
        date=rows.day,
        group=rows.kind,
        value=rows.value.fill_null(0).cast("float64"),
        of=ibis.null().cast("float64"),
    )
