"""Phenotypes (HPO) of the patients with an exome panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.omop.views.exome_patients import list_panels

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("concept", "procedure_occurrence", "condition_occurrence")
PARAMETERS = ()


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return one row for each patient and phenotype; see `wardbook.datasets.phenotypes`."""
    del asked
    concepts = cdm.table("concept")
    terms = concepts.filter(concepts["vocabulary_id"] == "HPO").select(
        "concept_id", code="concept_code", name="concept_name"
    )
    found = cdm.table("condition_occurrence")
    rows = found.inner_join(terms, found["condition_concept_id"] == terms["concept_id"])
    told = rows.select("code", "name", person=lambda t: t.person_id.cast("int64"))
    return told.semi_join(list_panels(cdm), "person").distinct()
