"""The dataset `laboratory-values`: each adult's visit with the first values after arrival.

A value counts where it was taken from arrival to the end of the window; what comes later may have
been asked for because of the diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from wardbook.prediction.analytes import ANALYTES

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = (
    *("concept", "person", "visit_occurrence", "visit_detail", "care_site"),
    *("measurement", "condition_occurrence", "drug_exposure"),
)
PARAMETERS = ("start", "end", "window_hours", "outcome")
KINDS = ("ER", "IP", "ERIP")
ADULT = 18


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the rows.

    `asked` has start and end, the days of arrival, both included; window_hours; and outcome, the
    codes of the diagnosis.
    """
    visits = _visits(cdm, asked)
    values = _values(cdm, visits, asked["window_hours"])
    # A visit without a value is nobody whom the aid could say something about.
    rows = visits.inner_join(values, visits["visit_id"] == values["at"]).drop("at")
    for part in (
        _first_wards(cdm),
        _diagnoses(cdm, asked["outcome"]),
        _antibiotics(cdm, visits),
    ):
        rows = rows.left_join(part, rows["visit_id"] == part["at"]).drop("at")
    return rows.mutate(
        visit=rows["visit_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
        outcome=rows["diagnoses"].fill_null(0) > 0,
    )


def _visits(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    persons = cdm.coded("person", "gender_concept_id", code="sex")
    persons = persons.select(
        "sex",
        person="person_id",
        born=persons["year_of_birth"] * 10_000
        + persons["month_of_birth"].fill_null(1) * 100
        + persons["day_of_birth"].fill_null(1),
    )
    visits = cdm.coded("visit_occurrence", "visit_concept_id", code="kind")
    day = visits["visit_start_date"]
    visits = visits.filter(
        visits["kind"].isin(KINDS), day >= ibis.date(asked["start"]), day <= ibis.date(asked["end"])
    )
    rows = visits.inner_join(persons, visits["person_id"] == persons["person"])
    day = rows["visit_start_date"]
    age = (day.year() * 10_000 + day.month() * 100 + day.day() - rows["born"]) // 10_000
    rows = rows.select(
        "person_id",
        "sex",
        visit_id="visit_occurrence_id",
        arrived="visit_start_datetime",
        left="visit_end_datetime",
        age=age,
    )
    return rows.filter(rows["age"] >= ADULT, rows["sex"].isin(("F", "M")))


def _first_wards(cdm: Cdm) -> ir.Table:
    sites = cdm.table("care_site").select(site="care_site_id", ward="care_site_source_value")
    stays = cdm.table("visit_detail")
    stays = stays.inner_join(sites, stays["care_site_id"] == sites["site"])
    order = ibis.window(
        group_by="visit_occurrence_id",
        order_by=["visit_detail_start_datetime", "visit_detail_id"],
    )
    stays = stays.mutate(place=ibis.row_number().over(order))
    return stays.filter(stays["place"] == 0).select("ward", at="visit_occurrence_id")


def _values(cdm: Cdm, visits: ir.Table, hours: int) -> ir.Table:
    rows = cdm.coded("measurement", "measurement_concept_id")
    rows = rows.filter(
        rows["code"].isin([one.loinc for one in ANALYTES]), rows["value_as_number"].notnull()
    )
    arrivals = visits.select("arrived", of="visit_id")
    rows = rows.inner_join(arrivals, rows["visit_occurrence_id"] == arrivals["of"])
    taken = rows["measurement_datetime"]
    rows = rows.filter(
        taken >= rows["arrived"], taken <= rows["arrived"] + ibis.interval(hours=hours)
    )
    order = ibis.window(
        group_by=["of", "code"], order_by=["measurement_datetime", "measurement_id"]
    )
    rows = rows.mutate(place=ibis.row_number().over(order))
    rows = rows.filter(rows["place"] == 0)
    columns = {"taken_at": rows["measurement_datetime"].max()}
    for one in ANALYTES:
        here = rows["code"] == one.loinc
        columns[one.name] = rows["value_as_number"].max(where=here)
        columns[f"{one.name}_unit"] = rows["unit_source_value"].max(where=here)
    return rows.group_by(at="of").aggregate(**columns)


def _diagnoses(cdm: Cdm, codes: list[str]) -> ir.Table:
    rows = cdm.coded("condition_occurrence", "condition_concept_id")
    rows = rows.filter(rows["code"].isin(codes))
    return rows.group_by(at="visit_occurrence_id").aggregate(
        diagnoses=rows.count(), outcome_at=rows["condition_start_datetime"].min()
    )


def _antibiotics(cdm: Cdm, visits: ir.Table) -> ir.Table:
    rows = cdm.coded("drug_exposure", "drug_concept_id")
    rows = rows.filter(rows["code"].startswith("J01"))
    arrivals = visits.select("arrived", of="visit_id")
    rows = rows.inner_join(arrivals, rows["visit_occurrence_id"] == arrivals["of"])
    rows = rows.filter(rows["drug_exposure_start_datetime"] >= rows["arrived"])
    return rows.group_by(at="of").aggregate(
        antibiotic_at=rows["drug_exposure_start_datetime"].min()
    )
