"""Tests for SARS-CoV-2, counted by day, department, age class and sex.

A person counts once a day, positive if one of the day's tests is; once a week in the columns
`first_…`. As in SI-DEP since 2021, who was positive is not counted again for 60 days: tests of
recovery are no tests of suspicion. The department is that of the person's home
(`location_source_value`). Tests whose result is neither positive nor negative are counted as
undetermined. Nothing of a person leaves the
database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from wardbook.datasets.test_counts import AGES, UNKNOWN
from wardbook.omop.cdm import Cdm
from wardbook.omop.vocabulary import FEMALE, MALE, NEGATIVE, POSITIVE, SARS_COV_2_PCR

if TYPE_CHECKING:
    import ibis.expr.types as ir

TABLES = ("measurement", "concept", "person", "location")
PARAMETERS = ("start", "end")
IMMUNE_DAYS = 60


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return the counts from `start` to `end`; an open side where it is None."""
    days = _days_of_persons(cdm, asked)
    first_test = days.usable.ifelse(days.date, None).min()
    first_positive = days.positive.ifelse(days.date, None).min()
    week = ibis.window(group_by=[days.person_id, days.week])
    days = days.mutate(first_test=first_test.over(week), first_positive=first_positive.over(week))
    rows = _describe_persons(cdm, days)
    return rows.group_by(["date", "department", "age", "sex"]).aggregate(
        tests=_count(rows.usable),
        positives=_count(rows.positive),
        undetermined=_count(~rows.usable),
        first_tests=_count(rows.usable & (rows.date == rows.first_test)),
        first_positives=_count(rows.positive & (rows.date == rows.first_positive)),
    )


def _count(condition: ir.BooleanValue) -> ir.IntegerValue:
    return condition.ifelse(1, 0).cast("int64").sum()


def _days_of_persons(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return person_id, date, week (its Monday), usable, positive: a row a person and day."""
    tests = cdm.coded("measurement", "measurement_concept_id")
    tests = tests.filter(tests.code == SARS_COV_2_PCR.code)
    if asked["end"]:
        tests = tests.filter(tests.measurement_date <= ibis.literal(asked["end"]))
    values = cdm.table("concept").select(_value="concept_id", result="concept_code")
    tests = tests.left_join(values, tests.value_as_concept_id == values._value)
    positive = (tests.result == POSITIVE.code).fill_null(False)
    usable = tests.result.isin([POSITIVE.code, NEGATIVE.code]).fill_null(False)
    grouped = tests.group_by(tests.person_id, date=tests.measurement_date.cast("date")).aggregate(
        usable=usable.ifelse(1, 0).max(), positive=positive.ifelse(1, 0).max()
    )
    earlier = ibis.window(
        group_by=grouped.person_id, order_by=grouped.date, preceding=(None, 1), following=None
    )
    days = grouped.select(
        "person_id",
        "date",
        week=grouped.date.truncate("W").cast("date"),
        usable=grouped.usable == 1,
        positive=grouped.positive == 1,
        last_positive=(grouped.positive == 1).ifelse(grouped.date, None).max().over(earlier),
    )
    immune_until = days.last_positive + ibis.interval(days=IMMUNE_DAYS)
    days = days.filter(days.last_positive.isnull() | (days.date > immune_until.cast("date")))
    if asked["start"]:
        days = days.filter(days.date >= ibis.literal(asked["start"]))
    return days.drop("last_positive")


def _describe_persons(cdm: Cdm, days: ir.Table) -> ir.Table:
    """Return the rows with department, age class on that day, and sex."""
    people = cdm.coded("person", "gender_concept_id", code="gender").select(
        "person_id",
        "gender",
        "location_id",
        "year_of_birth",
        month=lambda t: t.month_of_birth.coalesce(1),
        day=lambda t: t.day_of_birth.coalesce(1),
    )
    homes = cdm.table("location").select(home="location_id", department="location_source_value")
    people = people.left_join(homes, people.location_id == homes.home)
    rows = days.inner_join(people, "person_id")
    birthday = rows.month * 100 + rows.day
    today = rows.date.month() * 100 + rows.date.day()
    years = rows.date.year() - rows.year_of_birth - (today < birthday).ifelse(1, 0)
    # Classes are told by bounds, not by dividing: engines differ in what they divide integers to.
    bounds = [(years < 10 * number, name) for number, name in enumerate(AGES[:-1], 1)]
    age = ibis.cases((years.isnull() | (years < 0), UNKNOWN), *bounds, else_=AGES[-1])
    sex = ibis.cases(
        (rows.gender == FEMALE.code, "F"), (rows.gender == MALE.code, "M"), else_=UNKNOWN
    )
    department = rows.department.coalesce(UNKNOWN)
    return rows.select(
        "date", "usable", "positive", "first_test", "first_positive",
        department=department, age=age, sex=sex,
    )  # fmt: skip
