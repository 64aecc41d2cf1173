"""Deaths: the model's table of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("death",)
PARAMETERS = ("end",)


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the deaths up to the end of the period."""
    deaths = cdm.table("death")
    if asked["end"] is not None:
        deaths = deaths.filter(deaths["death_date"] <= asked["end"])
    return deaths.select(patient=deaths["person_id"].cast("string"), day="death_date")
