"""Sequences: measurements of the lineage, of the day on which the test's sample was taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.omop.vocabulary import SARS_COV_2_LINEAGE

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("measurement", "concept")
PARAMETERS = ("end",)


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the sequences sampled until `end`: what came before tells what is new.

    A sequence is sampled when the test was to which its measurement points, else on its own day.
    """
    import ibis

    rows = cdm.coded("measurement", "measurement_concept_id")
    rows = rows.filter(rows["code"] == SARS_COV_2_LINEAGE.code)
    tests = cdm.table("measurement").select(_test="measurement_id", _sampled="measurement_date")
    joined = rows.left_join(tests, rows["measurement_event_id"] == tests["_test"])
    joined = joined.select(
        sequence=joined["measurement_id"].cast("string"),
        patient=joined["person_id"].cast("string"),
        sampled=ibis.coalesce(joined["_sampled"], joined["measurement_date"]),
        reported=joined["measurement_date"],
        lineage=joined["value_source_value"],
    )
    if asked["end"] is None:
        return joined
    return joined.filter(joined["sampled"] <= asked["end"])
