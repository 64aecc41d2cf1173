"""Patients with an exome panel: sex, age and genetic component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("person", "concept", "procedure_occurrence", "measurement")
PARAMETERS = ()
PANEL, COMPONENT = "exome-panel", "genetic-component-1"


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return one row a patient, of the first panel; see `wardbook.datasets.exome_patients`."""
    del asked
    panels = list_panels(cdm)
    persons = cdm.coded("person", "gender_concept_id", code="sex").select(
        "sex",
        "year_of_birth",
        person=lambda t: t.person_id.cast("int64"),
        birthday=lambda t: t.month_of_birth.fill_null(7) * 100 + t.day_of_birth.fill_null(1),
    )
    measured = cdm.coded("measurement", "measurement_concept_id")
    components = (
        measured.filter(measured["code"] == COMPONENT)
        .group_by(person_component=lambda t: t.person_id.cast("int64"))
        .aggregate(component=lambda t: t.value_as_number.max())
    )
    rows = panels.inner_join(persons, "person")
    rows = rows.left_join(components, rows["person"] == components["person_component"])
    day = rows["day"]
    to_come = (day.month() * 100 + day.day() < rows["birthday"]).ifelse(1, 0)
    return rows.mutate(age=day.year() - rows["year_of_birth"] - to_come)


def list_panels(cdm: Cdm) -> ir.Table:
    """Return person and day of the first panel of each patient."""
    done = cdm.coded("procedure_occurrence", "procedure_concept_id")
    return (
        done.filter(done["code"] == PANEL)
        .group_by(person=lambda t: t.person_id.cast("int64"))
        .aggregate(day=lambda t: t.procedure_date.cast("date").min())
    )
