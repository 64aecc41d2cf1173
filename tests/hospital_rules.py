"""What must hold in every hospital: for each rule a query for the rows that break it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wardbook.omop.tables import TABLES
from wardbook.omop.vocabulary import MEASUREMENT, SPECIMEN

MOMENTS: Mapping[str, tuple[str, str]] = {
    "visit_occurrence": ("visit_start_datetime", "visit_end_datetime"),
    "visit_detail": ("visit_detail_start_datetime", "visit_detail_end_datetime"),
    "condition_occurrence": ("condition_start_datetime", "condition_end_datetime"),
    "procedure_occurrence": ("procedure_datetime", "procedure_end_datetime"),
    "drug_exposure": ("drug_exposure_start_datetime", "drug_exposure_end_datetime"),
    "measurement": ("measurement_datetime", "measurement_datetime"),
    "observation": ("observation_datetime", "observation_datetime"),
    "specimen": ("specimen_datetime", "specimen_datetime"),
    "note": ("note_datetime", "note_datetime"),
}
"""When something began and ended, by table."""
EVENTS = {
    "observation": ("observation_event_id", "obs_event_field_concept_id"),
    "measurement": ("measurement_event_id", "meas_event_field_concept_id"),
}
FIELDS = {"specimen": SPECIMEN.id, "measurement": MEASUREMENT.id}


def list_rules() -> dict[str, str]:
    """Return the rules by name; each query gives the number of rows that break it."""
    return dict([*_ids(), *_references(), *_concepts(), *_times(), *_visits(), *_deaths()])


def _count(name: str, query: str) -> tuple[str, str]:
    return name, f"SELECT count(*) FROM ({query})"


def _ids() -> Iterator[tuple[str, str]]:
    for table, columns in TABLES.items():
        key = next(iter(columns))
        query = f"SELECT {key} FROM {table} GROUP BY ALL HAVING count(*) > 1 OR {key} IS NULL"
        yield _count(f"{table}: ids are unique", query)
    query = (
        "SELECT concept_code FROM concept GROUP BY vocabulary_id, concept_code HAVING count(*)>1"
    )
    yield _count("concept: codes are unique", query)


def _references() -> Iterator[tuple[str, str]]:
    for table, columns in TABLES.items():
        for column in list(columns)[1 if table != "death" else 0 :]:
            target = column.removeprefix("preceding_").removeprefix("parent_").removesuffix("_id")
            if target in TABLES and target != "concept":
                yield _count(
                    f"{table}: {column} leads to a {target}",
                    f"SELECT 1 FROM {table} a ANTI JOIN {target} b ON a.{column} = b.{target}_id"
                    f" WHERE a.{column} IS NOT NULL",
                )
        if {"visit_occurrence_id", "person_id"} <= columns.keys() and table != "visit_occurrence":
            yield _count(
                f"{table}: is of the visit's person",
                f"SELECT 1 FROM {table} a JOIN visit_occurrence v USING (visit_occurrence_id)"
                " WHERE a.person_id IS DISTINCT FROM v.person_id",
            )
    for table, (event, field) in EVENTS.items():
        for target, concept in FIELDS.items():
            yield _count(
                f"{table}: {event} leads to a {target}",
                f"SELECT 1 FROM (SELECT * FROM {table} WHERE {field} = {concept}) a"
                f" ANTI JOIN {target} b ON a.{event} = b.{target}_id AND a.person_id = b.person_id",
            )
        yield _count(
            f"{table}: {event} goes with its field",
            f"SELECT 1 FROM {table} WHERE ({event} IS NULL) <> ({field} IS NULL)",
        )


def _concepts() -> Iterator[tuple[str, str]]:
    for table, columns in TABLES.items():
        for column in columns:
            if column.endswith("concept_id") and table != "concept":
                # 0 is the model's word for "no concept".
                yield _count(
                    f"{table}: {column} is in the vocabulary",
                    f"SELECT 1 FROM {table} a ANTI JOIN concept c ON a.{column} = c.concept_id"
                    f" WHERE a.{column} <> 0",
                )


def _times() -> Iterator[tuple[str, str]]:
    for table, (begin, end) in MOMENTS.items():
        yield _count(
            f"{table}: ends after it began", f"SELECT 1 FROM {table} WHERE {end} < {begin}"
        )
        for moment in {begin, end}:
            day = moment.replace("datetime", "date")
            yield _count(
                f"{table}: {day} is the day of {moment}",
                f"SELECT 1 FROM {table} WHERE {moment} IS NOT NULL"
                f" AND {day} IS DISTINCT FROM {moment}::DATE",
            )
        yield _count(
            f"{table}: is in the two years",
            f"SELECT 1 FROM {table} WHERE {begin} IS NULL OR {begin} < DATE '2024-01-01'"
            f" OR coalesce({end}, {begin}) > TIMESTAMP '2025-12-31 23:59:59'",
        )
        yield _count(
            f"{table}: nothing happens to the dead",
            f"SELECT 1 FROM {table} JOIN death USING (person_id) WHERE {begin} > death_datetime",
        )


def _visits() -> Iterator[tuple[str, str]]:
    yield _count(
        "visits of a person do not overlap",
        "SELECT visit_start_datetime < lag(visit_end_datetime) OVER (PARTITION BY person_id"
        " ORDER BY visit_start_datetime) AS early FROM visit_occurrence QUALIFY early",
    )
    yield _count(
        "stays follow each other",
        "SELECT visit_detail_start_datetime <> lag(visit_detail_end_datetime) OVER w"
        " OR preceding_visit_detail_id IS DISTINCT FROM lag(visit_detail_id) OVER w AS odd"
        " FROM visit_detail WINDOW w AS"
        " (PARTITION BY visit_occurrence_id ORDER BY visit_detail_start_datetime) QUALIFY odd",
    )
    yield _count(
        "stays fill their visit",
        "SELECT 1 FROM visit_occurrence v JOIN (SELECT visit_occurrence_id, min("
        "visit_detail_start_datetime) AS first, max(visit_detail_end_datetime) AS last"
        " FROM visit_detail GROUP BY ALL) USING (visit_occurrence_id)"
        " WHERE first <> visit_start_datetime OR last <> visit_end_datetime",
    )
    yield _count(
        "only outpatients have no stay",
        "SELECT 1 FROM visit_occurrence v WHERE (visit_source_value = 'outpatient') ="
        " (visit_occurrence_id IN (SELECT visit_occurrence_id FROM visit_detail))",
    )
    for table in ("visit_occurrence", "visit_detail"):
        for moment in MOMENTS[table]:
            yield _count(
                f"{table}: {moment} is in no hour that the clock skips or repeats",
                f"SELECT 1 FROM {table} WHERE hour({moment}) = 2 AND {moment}::DATE IN"
                " ('2024-03-31', '2024-10-27', '2025-03-30', '2025-10-26')",
            )


def _deaths() -> Iterator[tuple[str, str]]:
    yield _count(
        "who dies in a visit is in the deaths",
        "SELECT 1 FROM visit_occurrence v ANTI JOIN death d ON v.person_id = d.person_id"
        " AND v.visit_end_datetime = d.death_datetime WHERE discharged_to_source_value = '9'",
    )
    yield _count(
        "who is observed is born and not dead",
        "SELECT 1 FROM observation_period JOIN person USING (person_id) LEFT JOIN death"
        " USING (person_id) WHERE observation_period_start_date < birth_datetime"
        " OR observation_period_end_date > death_date",
    )
    yield _count(
        "year, month and day of birth are those of the moment",
        "SELECT 1 FROM person WHERE (year_of_birth, month_of_birth, day_of_birth) IS DISTINCT FROM"
        " (year(birth_datetime), month(birth_datetime), day(birth_datetime))",
    )
