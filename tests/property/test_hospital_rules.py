"""Every rule holds in the small hospital with all parts, and finds what breaks it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.hospital_rules import list_rules

# Compressed files may look like anything, a canary's digits too.
pytestmark = pytest.mark.secure("*.duckdb", "*.parquet")
RULES = list_rules()
HOUR = "INTERVAL 1 HOUR"
DAMAGES = {
    "person: ids are unique": "INSERT INTO person SELECT * FROM person LIMIT 1",
    "death: ids are unique": "INSERT INTO death SELECT * FROM death LIMIT 1",
    "concept: codes are unique": "INSERT INTO concept SELECT * REPLACE (7 AS concept_id)"
    " FROM concept LIMIT 1",
    "note: visit_occurrence_id leads to a visit_occurrence": "UPDATE note SET"
    " visit_occurrence_id = -7",
    "person: location_id leads to a location": "DELETE FROM location",
    "visit_detail: preceding_visit_detail_id leads to a visit_detail": "UPDATE visit_detail SET"
    " preceding_visit_detail_id = -7",
    "drug_exposure: is of the visit's person": "UPDATE drug_exposure SET person_id = person_id + 1",
    "condition_occurrence: condition_concept_id is in the vocabulary": "DELETE FROM concept"
    " WHERE concept_code = 'I10'",
    "drug_exposure: ends after it began": "UPDATE drug_exposure SET"
    f" drug_exposure_end_datetime = drug_exposure_start_datetime - {HOUR}",
    "note: note_date is the day of note_datetime": "UPDATE note SET note_date = note_date + 1",
    "procedure_occurrence: is in the two years": "UPDATE procedure_occurrence SET"
    " procedure_datetime = TIMESTAMP '2026-01-01 00:10:00'",
    "visit_occurrence: nothing happens to the dead": "UPDATE death SET"
    " death_datetime = TIMESTAMP '2024-01-01'",
    "visits of a person do not overlap": "UPDATE visit_occurrence SET"
    " visit_end_datetime = TIMESTAMP '2025-12-30'",
    "stays follow each other": f"UPDATE visit_detail SET visit_detail_start_datetime ="
    f" visit_detail_start_datetime - {HOUR} WHERE preceding_visit_detail_id IS NOT NULL",
    "stays fill their visit": f"UPDATE visit_occurrence SET visit_end_datetime ="
    f" visit_end_datetime + {HOUR}",
    "only outpatients have no stay": "DELETE FROM visit_detail",
    "visit_detail: visit_detail_end_datetime is in no hour that the clock skips or repeats": ""
    "UPDATE visit_detail SET visit_detail_end_datetime = TIMESTAMP '2025-03-30 02:30:00'",
    "who dies in a visit is in the deaths": "DELETE FROM death",
    "who is observed is born and not dead": "UPDATE observation_period SET"
    " observation_period_end_date = DATE '2025-12-31'",
    "year, month and day of birth are those of the moment": "UPDATE person SET month_of_birth = 13"
    " - month_of_birth",
}


@pytest.fixture(scope="module")
def copy(
    small_hospital: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    file = tmp_path_factory.mktemp("rules") / "hospital.duckdb"
    shutil.copy(small_hospital, file)
    with duckdb.connect(str(file)) as connection:
        yield connection


def broken(hospital: duckdb.DuckDBPyConnection, rule: str) -> int:
    found = hospital.execute(RULES[rule]).fetchone()
    assert found is not None
    return int(found[0])


def test_every_rule_holds_in_the_hospital(copy: duckdb.DuckDBPyConnection) -> None:
    assert len(RULES) > 150
    counted = {rule: broken(copy, rule) for rule in RULES}
    assert {rule: count for rule, count in counted.items() if count} == {}


@pytest.mark.parametrize("rule", DAMAGES)
def test_a_rule_finds_what_breaks_it(copy: duckdb.DuckDBPyConnection, rule: str) -> None:
    copy.execute("BEGIN")
    try:
        copy.execute(DAMAGES[rule])
        assert broken(copy, rule) > 0
    finally:
        copy.execute("ROLLBACK")


def test_an_event_that_leads_nowhere_is_found(copy: duckdb.DuckDBPyConnection) -> None:
    from wardbook.omop.vocabulary import SPECIMEN

    rule = "observation: observation_event_id leads to a specimen"
    copy.execute("BEGIN")
    try:
        copy.execute(
            "INSERT INTO observation (observation_id, person_id, observation_event_id,"
            f" obs_event_field_concept_id) VALUES (1, 1, 77, {SPECIMEN.id})"
        )
        assert broken(copy, rule) > 0
    finally:
        copy.execute("ROLLBACK")
