"""The tables of the Common Data Model, as expressions over the star schema of i2b2 1.7.

`observation_fact`, `patient_dimension`, `visit_dimension` and `concept_dimension` have the names of
i2b2. What a fact is follows from the vocabulary of its code, which follows from the prefix:
`LOINC:` makes a measurement, `ICD10:` a condition, `ATC:` a drug. Facts under a modifier tell more
of another fact, and are left out. Not presented, because the star does not have them: movements
between wards, specimens, procedures, notes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis

from wardbook.omop.tables import DAY, FLOAT, ID, INT, MOMENT, TABLES, TEXT
from wardbook.omop.vocabulary import (
    COMMON,
    EMERGENCY,
    FEMALE,
    INPATIENT,
    MALE,
    NEGATIVE,
    OUTPATIENT,
    POSITIVE,
)
from wardbook.warehouse.modelling import TableNotThere

if TYPE_CHECKING:
    import ibis.expr.types as ir

PREFIXES: Mapping[str, str] = {
    "LOINC:": "LOINC",
    "ICD10:": "ICD10",
    "CIM10:": "ICD10",
    "ATC:": "ATC",
}
"""Which vocabulary a prefix of `concept_cd` stands for, unless the settings say otherwise."""
_VOCABULARIES = {
    "measurement": "LOINC",
    "condition_occurrence": "ICD10",
    "drug_exposure": "ATC",
}
_SEXES = {"F": FEMALE, "M": MALE}
_KINDS = {"I": INPATIENT, "O": OUTPATIENT, "E": EMERGENCY}
_RESULTS = {"POSITIVE": POSITIVE, "NEGATIVE": NEGATIVE}
_TYPES = {
    ID: "int64",
    INT: "int64",
    FLOAT: "float64",
    TEXT: "string",
    DAY: "date",
    MOMENT: "timestamp",
}
_KEY = (
    *("patient_num", "encounter_num", "start_date", "concept_cd", "provider_id"),
    "instance_num",
)


class Star:
    """One i2b2 database."""

    def __init__(
        self, open_table: Callable[[str], ir.Table], vocabularies: Mapping[str, str]
    ) -> None:
        """Make the handle.

        Args:
            open_table: returns a table of i2b2 by its name, columns in lower case.
            vocabularies: which vocabulary each prefix stands for; PREFIXES where empty.
        """
        self._open = open_table
        self._prefixes = dict(vocabularies) or dict(PREFIXES)

    def table(self, name: str) -> ir.Table:
        """Return a table of the model; columns that i2b2 does not have are empty.

        Raises:
            TableNotThere: i2b2 has nothing of it.
        """
        if name not in _MAKERS:
            raise TableNotThere(name)
        made = _MAKERS[name](self)
        have = set(made.columns)
        return made.select(
            **{
                column: made[column].cast(_TYPES[kind])
                if column in have
                else ibis.null(_TYPES[kind])
                for column, kind in TABLES[name].items()
            }
        )

    # --- concepts -----------------------------------------------------------------------------

    def _concepts(self) -> ir.Table:
        """Return concept_cd, its number from 1, its vocabulary and its code without prefix."""
        known = self._open("concept_dimension")
        known = known.group_by("concept_cd").agg(name=known["name_char"].min())
        code = known["concept_cd"]
        cases = [(code.startswith(prefix), prefix) for prefix in self._prefixes]
        known = known.mutate(
            vocabulary=ibis.cases(*((is_it, self._prefixes[p]) for is_it, p in cases), else_=""),
            code=ibis.cases(*((is_it, code.substr(len(p))) for is_it, p in cases), else_=code),
        )
        order = ibis.window(order_by="concept_cd")
        return known.mutate(number=ibis.row_number().over(order) + 1)

    def concept(self) -> ir.Table:
        """Return the facts' concepts, and those that this platform brings."""
        known = self._concepts()
        rows = known.select(
            concept_id=known["number"].cast("int64"),
            concept_name="name",
            vocabulary_id="vocabulary",
            concept_code="code",
        )
        own = [
            ibis.literal(one.id, "int64")
            .name("concept_id")
            .as_table()
            .mutate(
                concept_name=ibis.literal(one.name),
                vocabulary_id=ibis.literal(one.vocabulary),
                concept_code=ibis.literal(one.code),
            )
            for one in COMMON
            if one.vocabulary not in self._prefixes.values()
        ]
        return reduce(lambda one, other: one.union(other), [rows, *own])

    # --- persons and visits -------------------------------------------------------------------

    def person(self) -> ir.Table:
        """Return the patients."""
        rows = self._open("patient_dimension")
        sex, born = rows["sex_cd"].upper().substr(0, 1), rows["birth_date"]
        places = self._places()
        rows = rows.mutate(
            person_id="patient_num",
            gender_concept_id=_choose(sex, _SEXES),
            gender_source_value=sex,
            year_of_birth=born.year(),
            month_of_birth=born.month(),
            day_of_birth=born.day(),
            birth_datetime=born,
            person_source_value=rows["patient_num"].cast("string"),
        )
        return rows.left_join(places, rows["zip_cd"] == places["zip"])

    def _places(self) -> ir.Table:
        rows = self._open("patient_dimension")
        zips = rows.filter(rows["zip_cd"].notnull()).select(zip="zip_cd").distinct()
        order = ibis.window(order_by="zip")
        return zips.mutate(location_id=ibis.row_number().over(order) + 1)

    def location(self) -> ir.Table:
        """Return the places where patients live."""
        rows = self._places()
        return rows.mutate(location_source_value=rows["zip"])

    def death(self) -> ir.Table:
        """Return the deaths that are known."""
        rows = self._open("patient_dimension")
        rows = rows.filter(rows["death_date"].notnull())
        return rows.mutate(
            person_id="patient_num", death_datetime="death_date", death_day="death_date"
        ).mutate(death_date=ibis._["death_day"].cast("date"))

    def visit_occurrence(self) -> ir.Table:
        """Return the encounters."""
        rows = self._open("visit_dimension")
        kind = rows["inout_cd"].upper().substr(0, 1)
        return rows.mutate(
            visit_occurrence_id="encounter_num",
            person_id="patient_num",
            visit_concept_id=_choose(kind, _KINDS),
            visit_source_value="inout_cd",
            visit_start_date=rows["start_date"].cast("date"),
            visit_start_datetime="start_date",
            visit_end_date=rows["end_date"].cast("date"),
            visit_end_datetime="end_date",
        )

    # --- facts --------------------------------------------------------------------------------

    def _facts(self, table: str) -> ir.Table:
        facts = self._open("observation_fact")
        facts = facts.filter(facts["modifier_cd"] == "@")
        concepts = self._concepts()
        concepts = concepts.filter(concepts["vocabulary"] == _VOCABULARIES[table])
        concepts = concepts.select("number", "code", known_cd="concept_cd")
        rows = facts.inner_join(concepts, facts["concept_cd"] == concepts["known_cd"])
        order = ibis.window(order_by=list(_KEY))
        return rows.mutate(
            fact_id=ibis.row_number().over(order) + 1,
            person_id="patient_num",
            visit_occurrence_id="encounter_num",
            began="start_date",
            ended="end_date",
            first_day=rows["start_date"].cast("date"),
            last_day=rows["end_date"].cast("date"),
        )

    def measurement(self) -> ir.Table:
        """Return the facts with a code of LOINC."""
        rows = self._facts("measurement")
        is_text = rows["valtype_cd"] == "T"
        return rows.mutate(
            measurement_id="fact_id",
            measurement_concept_id="number",
            measurement_source_value="code",
            measurement_date="first_day",
            measurement_datetime="began",
            value_as_number=ibis.ifelse(rows["valtype_cd"] == "N", rows["nval_num"], None),
            value_as_concept_id=ibis.ifelse(
                is_text, _choose(rows["tval_char"].upper(), _RESULTS), None
            ),
            value_source_value=ibis.ifelse(is_text, rows["tval_char"], None),
            unit_source_value="units_cd",
        )

    def condition_occurrence(self) -> ir.Table:
        """Return the facts with a code of CIM-10."""
        return self._facts("condition_occurrence").mutate(
            condition_occurrence_id="fact_id",
            condition_concept_id="number",
            condition_source_value="code",
            condition_start_date="first_day",
            condition_start_datetime="began",
            condition_end_date="last_day",
            condition_end_datetime="ended",
        )

    def drug_exposure(self) -> ir.Table:
        """Return the facts with a code of ATC."""
        return self._facts("drug_exposure").mutate(
            drug_exposure_id="fact_id",
            drug_concept_id="number",
            drug_source_value="code",
            drug_exposure_start_date="first_day",
            drug_exposure_start_datetime="began",
            drug_exposure_end_date="last_day",
            drug_exposure_end_datetime="ended",
            quantity="quantity_num",
        )

    # --- versions -----------------------------------------------------------------------------

    def cdm_source(self) -> ir.Table:
        """Return when facts were last imported and last changed."""
        facts = self._open("observation_fact")
        told = facts.agg(imported=facts["import_date"].max(), changed=facts["update_date"].max())
        return told.mutate(
            source_release_date=told["changed"].cast("date"),
            cdm_release_date=told["imported"].cast("date"),
            cdm_version=told["imported"].cast("string"),
        )


def _choose(text: ir.StringValue, meanings: Mapping[str, Any]) -> ir.Value:
    cases = ((text == word, ibis.literal(one.id, "int64")) for word, one in meanings.items())
    return ibis.cases(*cases, else_=ibis.null("int64"))


_MAKERS: Mapping[str, Callable[[Star], ir.Table]] = {
    "concept": Star.concept,
    "person": Star.person,
    "location": Star.location,
    "death": Star.death,
    "visit_occurrence": Star.visit_occurrence,
    "measurement": Star.measurement,
    "condition_occurrence": Star.condition_occurrence,
    "drug_exposure": Star.drug_exposure,
    "cdm_source": Star.cdm_source,
}
