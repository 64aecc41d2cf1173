"""Drugs and conditions of stays in the Common Data Model as the dataset `drug-reactions`.

A report is a visit in which a drug was given. An event is a condition that begins in the same visit
after the drug; what was there before cannot be the drug's effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.omop.cdm import Cdm

if TYPE_CHECKING:
    import ibis.expr.types as ir

TABLES = ("visit_occurrence", "drug_exposure", "condition_occurrence", "concept")
PARAMETERS = ("start", "end")


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return each drug of the visits that began from `start` to `end`, with each event after it."""
    visits = cdm.table("visit_occurrence")
    for parameter, keeps in (("start", "__ge__"), ("end", "__le__")):
        if asked[parameter] is not None:
            visits = visits.filter(getattr(visits["visit_start_date"], keeps)(asked[parameter]))
    visits = visits.select("visit_occurrence_id", "person_id", day="visit_start_date")
    drugs = _starts(
        cdm.coded("drug_exposure", "drug_concept_id", code="drug"),
        "drug",
        "drug_exposure_start_datetime",
    )
    drugs = drugs.group_by(["visit_occurrence_id", "drug"]).agg(given=drugs["began"].min())
    events = _starts(
        cdm.coded("condition_occurrence", "condition_concept_id", code="event"),
        "event",
        "condition_start_datetime",
    )
    pairs = drugs.inner_join(events, "visit_occurrence_id")
    pairs = pairs.filter(pairs["began"] > pairs["given"])
    pairs = pairs.select("visit_occurrence_id", "drug", "event").distinct()
    given = drugs.inner_join(visits, "visit_occurrence_id")
    rows = given.left_join(pairs, ["visit_occurrence_id", "drug"])
    rows = rows.select(
        "drug",
        "event",
        "day",
        report=rows["visit_occurrence_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
    )
    for code in ("drug", "event"):
        rows = rows.left_join(_names(cdm, code), code)
        rows = rows.select([name for name in rows.columns if not name.endswith("_right")])
    return rows


def _starts(rows: ir.Table, code: str, moment: str) -> ir.Table:
    return rows.select("visit_occurrence_id", code, began=moment)


def _names(cdm: Cdm, code: str) -> ir.Table:
    """Return the name of each code; one of them where two vocabularies share a code."""
    concept = cdm.table("concept")
    names = concept.group_by(concept["concept_code"]).agg(name=concept["concept_name"].min())
    return names.rename({code: "concept_code", f"{code}_name": "name"})
