"""Applies a cohort's criteria in the database: `wardbook.cohort` says what can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from wardbook.cohort.criteria import (
    BY_PREFIX,
    DOMAINS,
    AgeAtIndex,
    Codes,
    Cohort,
    Comparison,
    Criterion,
    Event,
    Happened,
    Observed,
    SexIs,
)
from wardbook.cohort.grammar import read_cohort
from wardbook.errors import DataProblem

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from wardbook.omop.cdm import Cdm

TABLES = ("person", "observation_period", "concept")
OPTIONAL = tuple(one.table for one in DOMAINS.values())
PARAMETERS = ("entry", "start", "end", "criteria", "characteristics", "group")


def view(cdm: Cdm, asked: Mapping[str, Any]) -> ir.Table:
    """Return a row for each person with the entry event, see `wardbook.datasets.cohort_persons`.

    Raises:
        DataProblem: a criterion cannot be read, or no concept of the source has a code of it.
    """
    import ibis

    cohort = read_cohort(asked)
    _refuse_unknown_codes(cdm, cohort)
    index = _find_index(cdm, cohort.entry)
    entered = _mark_period(_describe(cdm, index), cohort)
    told = (*cohort.characteristics, *((cohort.group,) if cohort.group else ()))
    for number, one in enumerate((*cohort.criteria, *told)):
        entered = _mark(cdm, entered, index, one, f"met_{number}")
    marks = [entered[f"met_{at}"] for at in range(len(cohort.criteria) + len(told))]
    steps = [
        *((entered["in_period"],) if cohort.is_bounded else ()),
        *marks[: len(cohort.criteria)],
    ]
    step = (
        ibis.cases(*((~one, at) for at, one in enumerate(steps)), else_=len(steps)) if steps else 0
    )
    traits = ibis.literal("T")
    for one in marks[len(cohort.criteria) : len(cohort.criteria) + len(cohort.characteristics)]:
        traits = traits + one.ifelse("1", "0")
    group = marks[-1].ifelse(1, 0) if cohort.group else ibis.null("int32")
    entered = entered.mutate(step=step, traits=traits, in_group=group)
    # Of those who are left out nothing leaves the database but at which step.
    inside = entered["step"] == len(steps)
    shown = ("sex", "age", "index_day", "followed_until", "death_day", "in_group", "traits")
    rows = entered.select(
        "person",
        "step",
        **{name: inside.ifelse(entered[name], ibis.null(entered[name].type())) for name in shown},
    )
    return rows.cross_join(cdm.table("person").aggregate(source_persons=lambda t: t.count()))


def _refuse_unknown_codes(cdm: Cdm, cohort: Cohort) -> None:
    """Ask the vocabulary once for all codes; a code without a concept would count nobody."""
    asked = {
        (event.codes.vocabulary, code): Codes(event.codes.vocabulary, (code,))
        for event in _events(cohort)
        if event.codes
        for code in event.codes.values
    }
    if not asked:
        return
    concepts = cdm.table("concept")
    counts = concepts.aggregate(
        **{
            f"code_{at}": _is_meant(concepts, codes).ifelse(1, 0).sum()
            for at, codes in enumerate(asked.values())
        }
    ).to_pyarrow()
    for at, (vocabulary, code) in enumerate(asked):
        if not counts[f"code_{at}"][0].as_py():
            raise DataProblem(
                "criterion_code_unknown", found=code, expected=vocabulary or "concept"
            )


def _events(cohort: Cohort) -> Iterator[Event]:
    yield cohort.entry
    for one in (*cohort.criteria, *cohort.characteristics, cohort.group):
        if isinstance(one, Happened):
            yield one.event


def _is_meant(concepts: ir.Table, codes: Codes) -> ir.BooleanValue:
    """Return which concepts are meant. Dots count nothing: CIM-10 is kept as I210 and as I21.0."""
    import ibis

    if not codes.vocabulary:
        return concepts["concept_id"].cast("int64").isin([int(one) for one in codes.values])
    code = concepts["concept_code"].cast("string").upper()
    if codes.vocabulary in BY_PREFIX:
        code = code.replace(".", "")
        of_codes = ibis.or_(*(code.startswith(one.replace(".", "")) for one in codes.values))
    else:
        of_codes = code.isin(list(codes.values))
    return (concepts["vocabulary_id"].upper() == codes.vocabulary.upper()) & of_codes


def _list_events(cdm: Cdm, event: Event) -> ir.Table:
    """Return person and day of each event, typed: an empty column of a CSV file is text."""
    domain = DOMAINS[event.domain]
    rows = _open(cdm, domain.table)
    if event.codes:
        concepts = cdm.table("concept")
        ids = concepts.filter(_is_meant(concepts, event.codes)).select(
            meant=lambda t: t.concept_id.cast("int64")
        )["meant"]
        told = rows[domain.concept].cast("int64").isin(ids)
        if domain.source_concept:
            # A hospital maps CIM-10 to a standard concept and keeps the code's own beside it.
            told = told | rows[domain.source_concept].cast("int64").isin(ids)
        rows = rows.filter(told)
    if event.comparison:
        rows = rows.filter(_compare(rows, event.comparison))
    day = rows[domain.day].cast("date")
    return rows.select(person=rows["person_id"].cast("int64"), day=day).filter(
        lambda t: t.day.notnull()
    )


def _open(cdm: Cdm, table: str) -> ir.Table:
    try:
        return cdm.table(table)
    except Exception as error:  # each engine has an error of its own for a table it does not have
        raise DataProblem("criterion_table_missing", expected=table) from error


def _compare(rows: ir.Table, bound: Comparison) -> ir.BooleanValue:
    value: Any = rows["value_as_number"].cast("float64")
    compared = {
        ">": value > bound.value,
        ">=": value >= bound.value,
        "<": value < bound.value,
        "<=": value <= bound.value,
        "=": value == bound.value,
    }[bound.sign]
    if bound.unit:
        compared = compared & (
            rows["unit_source_value"].cast("string").upper() == bound.unit.upper()
        )
    return compared


def _find_index(cdm: Cdm, entry: Event) -> ir.Table:
    """Return person and index_day of those with the entry event."""
    events = _list_events(cdm, entry)
    return events.group_by("person").aggregate(index_day=lambda t: t.day.min())


def _describe(cdm: Cdm, index_days: ir.Table) -> ir.Table:
    """Return person, index_day, sex, age, followed_until and death_day of those who entered."""
    rows = index_days.inner_join(_list_persons(cdm), "person")
    periods = _list_periods(cdm)
    within = index_days.inner_join(periods, "person").filter(
        lambda t: (t.observed_from <= t.index_day) & (t.index_day <= t.observed_to)
    )
    until = within.group_by("person").aggregate(followed_until=lambda t: t.observed_to.max())
    deaths = _list_events(cdm, Event("death")).group_by("person")
    died = deaths.aggregate(death_day=lambda t: t.day.min())
    rows = rows.left_join(until, "person").drop("person_right")
    rows = rows.left_join(died, "person").drop("person_right")
    index, year = rows["index_day"], rows["year_of_birth"]
    # Where only the year is known, the birthday is taken to be the 1st of July.
    birthday = rows["month_of_birth"].fill_null(7) * 100 + rows["day_of_birth"].fill_null(1)
    to_come = (index.month() * 100 + index.day() < birthday).ifelse(1, 0)
    return rows.mutate(age=index.year() - year - to_come)


def _list_persons(cdm: Cdm) -> ir.Table:
    persons, concepts = cdm.table("person"), cdm.table("concept")
    sexes = concepts.filter(concepts["vocabulary_id"] == "Gender").select(
        gender=lambda t: t.concept_id.cast("int64"), sex_code=lambda t: t.concept_code.upper()
    )
    parts = ("year_of_birth", "month_of_birth", "day_of_birth")
    rows = persons.select(
        person=persons["person_id"].cast("int64"),
        gender_concept=persons["gender_concept_id"].cast("int64"),
        **{name: persons[name].cast("int32") for name in parts},
    )
    rows = rows.left_join(sexes, rows["gender_concept"] == sexes["gender"])
    known = rows["sex_code"].isin(["F", "M"])
    return rows.select("person", *parts, sex=known.ifelse(rows["sex_code"], "I").fill_null("I"))


def _list_periods(cdm: Cdm) -> ir.Table:
    periods = cdm.table("observation_period")
    return periods.select(
        person=periods["person_id"].cast("int64"),
        observed_from=periods["observation_period_start_date"].cast("date"),
        observed_to=periods["observation_period_end_date"].cast("date"),
    )


def _mark_period(entered: ir.Table, cohort: Cohort) -> ir.Table:
    import ibis

    met: ir.BooleanValue = ibis.literal(True)
    if cohort.start:
        met = met & (entered["index_day"] >= ibis.date(cohort.start))
    if cohort.end:
        met = met & (entered["index_day"] <= ibis.date(cohort.end))
    return entered.mutate(in_period=met)


def _mark(
    cdm: Cdm, entered: ir.Table, index: ir.Table, criterion: Criterion, name: str
) -> ir.Table:
    """Add the column `name`: whether each person meets the criterion, never empty.

    What is joined starts from `index` alone: starting from `entered`, which grows by each mark, the
    query would double with each criterion.
    """
    match criterion:
        case AgeAtIndex():
            met = entered["age"].between(criterion.low, criterion.high)
        case SexIs():
            met = entered["sex"] == criterion.code
        case Observed() | Happened():
            who = _find_who(cdm, index, criterion)
            who = who.distinct().select(found="person")
            joined = entered.left_join(who, entered["person"] == who["found"])
            negated = isinstance(criterion, Happened) and criterion.negated
            met = joined["found"].isnull() if negated else joined["found"].notnull()
            return joined.mutate(**{name: met}).drop("found")
    return entered.mutate(**{name: met.fill_null(False)})


def _find_who(cdm: Cdm, index: ir.Table, criterion: Observed | Happened) -> ir.Table:
    """Return the persons with the event in its window, or observed all through it."""
    if isinstance(criterion, Observed):
        rows = index.inner_join(_list_periods(cdm), "person")
        before = rows["observed_from"].delta(rows["index_day"], unit="day")
        after = rows["observed_to"].delta(rows["index_day"], unit="day")
        return rows.filter((before <= criterion.first) & (after >= criterion.last)).select("person")
    rows = index.inner_join(_list_events(cdm, criterion.event), "person")
    if criterion.window:
        days = rows["day"].delta(rows["index_day"], unit="day")
        rows = rows.filter(days.between(criterion.window.first, criterion.window.last))
    return rows.select("person")
