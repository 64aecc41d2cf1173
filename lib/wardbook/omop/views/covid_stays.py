"""Stays in wards of visits with a positive test for SARS-CoV-2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wardbook.omop.vocabulary import POSITIVE, SARS_COV_2_PCR

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("measurement", "concept", "visit_occurrence", "visit_detail", "care_site", "death")
PARAMETERS = ("start", "end")
BEFORE_DAYS = 14
"""A positive test so long before the visit makes it one with the disease."""


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the stays in wards of the visits that touch the period and have a positive test."""
    import ibis

    visits = cdm.table("visit_occurrence")
    if asked["end"] is not None:
        visits = visits.filter(visits["visit_start_date"] <= asked["end"])
    if asked["start"] is not None:
        ended = visits["visit_end_date"]
        visits = visits.filter(ended.isnull() | (ended >= asked["start"]))
    visits = visits.select(
        _visit="visit_occurrence_id",
        _owner="person_id",
        _began="visit_start_datetime",
        _ended="visit_end_datetime",
        _first_day="visit_start_date",
        _last_day="visit_end_date",
    )
    tests = _list_positive(cdm)
    matched = visits.inner_join(
        tests,
        [
            visits["_owner"] == tests["_tested"],
            tests["_sampled"] >= visits["_began"] - ibis.interval(days=BEFORE_DAYS),
            visits["_ended"].isnull() | (tests["_sampled"] <= visits["_ended"]),
        ],
    )
    ill = matched.group_by("_visit", "_owner", "_first_day", "_last_day").agg(
        positive=matched["_sampled"].min()
    )
    dead = cdm.table("death")
    dead = dead.group_by("person_id").agg(_death=dead["death_date"].min())
    dead = dead.rename(_dead="person_id")
    ill = ill.left_join(dead, ill["_owner"] == dead["_dead"])
    until = ill["_last_day"].isnull() | (ill["_death"] <= ill["_last_day"])
    died = ibis.ifelse((ill["_death"] >= ill["_first_day"]) & until, ill["_death"], None)
    ill = ill.select("_visit", "positive", died=died)
    stays = cdm.table("visit_detail")
    sites = cdm.table("care_site").select("care_site_id", ward="care_site_source_value")
    rows = stays.inner_join(sites, "care_site_id")
    rows = rows.inner_join(ill, rows["visit_occurrence_id"] == ill["_visit"])
    return rows.select(
        stay=rows["visit_detail_id"].cast("string"),
        visit=rows["visit_occurrence_id"].cast("string"),
        patient=rows["person_id"].cast("string"),
        ward=rows["ward"],
        entered=rows["visit_detail_start_datetime"],
        left=rows["visit_detail_end_datetime"],
        positive=rows["positive"],
        died=rows["died"],
    )


def _list_positive(cdm: Cdm) -> ir.Table:
    """Return the positive tests: _tested (person), _sampled (moment)."""
    import ibis

    rows = cdm.coded("measurement", "measurement_concept_id")
    rows = rows.filter(rows["code"] == SARS_COV_2_PCR.code)
    values = cdm.table("concept").select(_concept="concept_id", _result="concept_code")
    values = values.filter(values["_result"] == POSITIVE.code)
    rows = rows.inner_join(values, rows["value_as_concept_id"] == values["_concept"])
    return rows.select(
        _tested="person_id",
        _sampled=ibis.coalesce(
            rows["measurement_datetime"], rows["measurement_date"].cast("timestamp")
        ),
    )
