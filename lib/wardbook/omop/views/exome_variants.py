"""Variants of the panel, of the classes that are asked for, with what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.exome.panel import CLASSES

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("concept", "measurement")
PARAMETERS = ("qualifying",)
VARIANT, INTERPRETATION, CONSEQUENCE = "48004-6", "53037-8", "48006-1"
ZYGOSITIES = {"LA6706-1": "heterozygous", "LA6705-3": "homozygous", "LA6707-9": "hemizygous"}
ACMG = {"LA6668-3": 5, "LA26332-9": 4, "LA26333-7": 3, "LA26334-5": 2, "LA6675-8": 1}


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return one row a finding; see `wardbook.datasets.exome_variants`."""
    import ibis

    measured = cdm.coded("measurement", "measurement_concept_id")
    concepts = cdm.table("concept").select(value_concept="concept_id", answer="concept_code")
    answered = measured.left_join(
        concepts, measured["value_as_concept_id"] == concepts["value_concept"]
    )
    wanted = CLASSES[str(asked["qualifying"])]
    classes = answered.filter(answered["code"] == INTERPRETATION).select(
        of_class="measurement_event_id",
        acmg=lambda t: ibis.cases(*((t.answer == code, value) for code, value in ACMG.items())),
    )
    classes = classes.filter(classes["acmg"].isin(list(wanted)))
    consequences = measured.filter(measured["code"] == CONSEQUENCE).select(
        of_consequence="measurement_event_id", consequence="value_source_value"
    )
    calls = answered.filter(answered["code"] == VARIANT).select(
        call="measurement_id",
        person=lambda t: t.person_id.cast("int64"),
        gene="measurement_source_value",
        frequency="value_as_number",
        zygosity=lambda t: ibis.cases(*((t.answer == c, name) for c, name in ZYGOSITIES.items())),
    )
    rows = calls.inner_join(classes, calls["call"] == classes["of_class"])
    return rows.left_join(consequences, rows["call"] == consequences["of_consequence"])
