"""Turns the embedded hospital into the star schema of i2b2 1.7, in DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb

_FACTS = {
    "measurement": ("LOINC", "measurement_datetime", "measurement_datetime"),
    "condition_occurrence": ("ICD10", "condition_start_datetime", "condition_end_datetime"),
    "drug_exposure": ("ATC", "drug_exposure_start_datetime", "drug_exposure_end_datetime"),
}
_PATIENTS = """
CREATE TABLE patient_dimension AS SELECT
    p.person_id AS patient_num, p.gender_source_value AS sex_cd,
    p.birth_datetime AS birth_date, d.death_datetime AS death_date,
    l.location_source_value AS zip_cd, TIMESTAMP '2026-01-01' AS import_date
FROM cdm.person p LEFT JOIN cdm.location l USING (location_id)
LEFT JOIN cdm.death d USING (person_id)
"""
_VISITS = """
CREATE TABLE visit_dimension AS SELECT
    v.visit_occurrence_id AS encounter_num, v.person_id AS patient_num,
    CASE c.concept_code WHEN 'IP' THEN 'I' WHEN 'ER' THEN 'E' ELSE 'O' END AS inout_cd,
    v.visit_start_datetime AS start_date, v.visit_end_datetime AS end_date
FROM cdm.visit_occurrence v JOIN cdm.concept c ON v.visit_concept_id = c.concept_id
"""
_CONCEPTS = """
CREATE TABLE concept_dimension AS SELECT
    '\\Wardbook\\' || tree || '\\' || concept_code || '\\' AS concept_path,
    vocabulary_id || ':' || concept_code AS concept_cd, concept_name AS name_char
FROM cdm.concept, (VALUES ('one'), ('two')) AS trees (tree)
WHERE vocabulary_id IN ('LOINC', 'ICD10', 'ATC')
"""
_FACT = """
SELECT f.visit_occurrence_id AS encounter_num, f.person_id AS patient_num,
    c.vocabulary_id || ':' || c.concept_code AS concept_cd, '@' AS provider_id,
    f.{start} AS start_date, '@' AS modifier_cd, f.{id} AS instance_num,
    {value}, f.{end} AS end_date,
    TIMESTAMP '2026-01-01' AS import_date, TIMESTAMP '2026-01-01' AS update_date
FROM cdm.{table} f JOIN cdm.concept c ON f.{concept} = c.concept_id
{join} WHERE c.vocabulary_id = '{vocabulary}'
"""
_VALUE = """
CASE WHEN v.concept_code = '10828004' THEN 'T' WHEN v.concept_code = '260385009' THEN 'T'
     WHEN f.value_as_number IS NOT NULL THEN 'N' ELSE '@' END AS valtype_cd,
CASE v.concept_code WHEN '10828004' THEN 'Positive' WHEN '260385009' THEN 'Negative'
     ELSE 'E' END AS tval_char,
f.value_as_number AS nval_num, f.unit_source_value AS units_cd, NULL::DOUBLE AS quantity_num
"""
_NO_VALUE = """
'@' AS valtype_cd, NULL AS tval_char, NULL::DOUBLE AS nval_num, NULL AS units_cd,
{quantity} AS quantity_num
"""


def write_star(hospital: Path, star: Path) -> None:
    """Write the star of a built hospital's DuckDB database into a new one.

    Every concept stands on two paths, as in real ontologies; one fact has a modifier.
    """
    with duckdb.connect(str(star)) as connection:
        connection.execute(f"ATTACH '{hospital}' AS source (READ_ONLY)")
        connection.execute("CREATE SCHEMA cdm")
        tables = ("person", "location", "death", "visit_occurrence", "concept", *_FACTS)
        for table in tables:
            connection.execute(f"CREATE VIEW cdm.{table} AS FROM source.main.{table}")
        for statement in (_PATIENTS, _VISITS, _CONCEPTS):
            connection.execute(statement)
        connection.execute(f"CREATE TABLE observation_fact AS {_facts()}")
        connection.execute(
            "INSERT INTO observation_fact SELECT * REPLACE ('DOSE' AS modifier_cd) "
            "FROM observation_fact LIMIT 100"
        )
        connection.execute("DROP SCHEMA cdm CASCADE")


def _facts() -> str:
    parts = []
    for table, (vocabulary, start, end) in _FACTS.items():
        is_measured = table == "measurement"
        quantity = "f.quantity" if table == "drug_exposure" else "NULL::DOUBLE"
        parts.append(
            _FACT.format(
                table=table,
                vocabulary=vocabulary,
                start=start,
                end=end,
                id=f"{table}_id",
                concept=f"{table.partition('_')[0]}_concept_id",
                value=_VALUE if is_measured else _NO_VALUE.format(quantity=quantity),
                join="LEFT JOIN cdm.concept v ON f.value_as_concept_id = v.concept_id"
                if is_measured
                else "",
            )
        )
    return " UNION ALL ".join(parts)
