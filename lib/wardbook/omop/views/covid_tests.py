"""Tests for SARS-CoV-2: measurements of the code, with ward, sex and age on the day of the test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from wardbook.omop.vocabulary import (
    FEMALE,
    MALE,
    NEGATIVE,
    POSITIVE,
    SARS_COV_2_PCR,
    UNDETERMINED,
)

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("measurement", "concept", "person", "visit_detail", "care_site")
PARAMETERS = ("start", "end")
BEFORE = timedelta(days=60)
"""Tests from so long before the period are taken too: who was positive then is no new patient."""


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the tests of the period and of the 60 days before it."""
    import ibis

    rows = cdm.coded("measurement", "measurement_concept_id")
    rows = rows.filter(rows["code"] == SARS_COV_2_PCR.code)
    if asked["start"] is not None:
        rows = rows.filter(rows["measurement_date"] >= asked["start"] - BEFORE)
    if asked["end"] is not None:
        rows = rows.filter(rows["measurement_date"] <= asked["end"])
    rows = rows.select(
        "measurement_id",
        "person_id",
        "measurement_date",
        _value="value_as_concept_id",
        _detail="visit_detail_id",
        sampled=ibis.coalesce(
            rows["measurement_datetime"], rows["measurement_date"].cast("timestamp")
        ),
    )
    concepts = cdm.table("concept")
    values = concepts.select(_concept="concept_id", _result="concept_code")
    sexes = concepts.select(_sex_concept="concept_id", _sex="concept_code")
    persons = cdm.table("person").select(
        _person="person_id",
        _gender="gender_concept_id",
        _year="year_of_birth",
        _month="month_of_birth",
        _day="day_of_birth",
    )
    details = cdm.table("visit_detail").select(_stay="visit_detail_id", _site="care_site_id")
    sites = cdm.table("care_site").select(_care_site="care_site_id", ward="care_site_source_value")
    rows = rows.left_join(values, rows["_value"] == values["_concept"])
    rows = rows.left_join(details, rows["_detail"] == details["_stay"])
    rows = rows.left_join(sites, rows["_site"] == sites["_care_site"])
    rows = rows.left_join(persons, rows["person_id"] == persons["_person"])
    rows = rows.left_join(sexes, rows["_gender"] == sexes["_sex_concept"])
    day = rows["measurement_date"]
    birthday = rows["_month"].coalesce(1) * 100 + rows["_day"].coalesce(1)
    to_come = ibis.ifelse(day.month() * 100 + day.day() < birthday, 1, 0)
    return rows.select(
        test=rows["measurement_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
        sampled=rows["sampled"],
        ward=rows["ward"],
        sex=ibis.cases(
            (rows["_sex"] == FEMALE.code, "F"),
            (rows["_sex"] == MALE.code, "M"),
            else_=ibis.null("string"),
        ),
        age=day.year() - rows["_year"] - to_come,
        result=ibis.cases(
            (rows["_result"] == POSITIVE.code, "positive"),
            (rows["_result"] == NEGATIVE.code, "negative"),
            (rows["_result"] == UNDETERMINED.code, "inconclusive"),
            else_=ibis.null("string"),
        ),
    )
