"""Databases of other forms: i2b2's star gives the same datasets, Oracle is spoken to in its SQL."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

from tests.i2b2_star import write_star
from wardbook.datasets import find_dataset
from wardbook.hospital.building import build_hospital
from wardbook.omop import views
from wardbook.omop.cdm import Cdm
from wardbook.omop.tables import TABLES
from wardbook.omop.views import cohort_persons
from wardbook.template.parameters import decode_value, type_parameters
from wardbook.template.spec import load_catalogue
from wardbook.warehouse import extract
from wardbook.warehouse.drawing import tell_version
from wardbook.warehouse.modelling import TableNotThere, open_model
from wardbook.warehouse.opening import _add_password
from wardbook.warehouse.order import Warehouse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
YEAR = {"start": date(2024, 3, 1), "end": date(2025, 2, 28)}
ON_STAR = ("test-counts", "drug-reactions", "deaths")
CATALOGUE = load_catalogue(Path(__file__).parents[2] / "templates")
KINDS = {
    source.kind: template.spec
    for template in CATALOGUE.values()
    for source in template.spec.sources.values()
    if views.has_view(source.kind)
}
"""What templates read of databases, each with one that does."""


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = ("stays", "care", "sars_cov_2", "pharmacovigilance")
    return build_hospital(tmp_path_factory.mktemp("omop"), patients=1500, seed=4, parts=parts)


@pytest.fixture(scope="module")
def star(hospital: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("i2b2") / "star.duckdb"
    write_star(hospital, file)
    return file


def draw(warehouse: Warehouse, kind: str, out: Path) -> bytes:
    dataset = find_dataset(kind)
    assert dataset is not None
    with open_model(warehouse) as open_table:
        assert extract(dataset, open_table, YEAR, out) > 20
    return out.read_bytes()


@pytest.mark.parametrize("kind", ON_STAR)
def test_the_star_of_i2b2_gives_the_same_dataset(
    kind: str, hospital: Path, star: Path, tmp_path: Path
) -> None:
    expected = draw(Warehouse(f"duckdb://{hospital}"), kind, tmp_path / "omop.parquet")
    found = draw(Warehouse(f"duckdb://{star}", "i2b2"), kind, tmp_path / "i2b2.parquet")
    assert found == expected


def test_a_fact_more_or_another_prefix_gives_another_dataset(
    hospital: Path, star: Path, tmp_path: Path
) -> None:
    """The control: what is compared above is made of the facts, by the codes' prefixes."""
    before = draw(Warehouse(f"duckdb://{star}", "i2b2"), "drug-reactions", tmp_path / "1.parquet")
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes(star.read_bytes())
    with duckdb.connect(str(changed)) as connection:
        connection.execute(
            "DELETE FROM observation_fact WHERE instance_num = (SELECT max(instance_num) FROM "
            "observation_fact WHERE concept_cd LIKE 'ATC:%' AND modifier_cd = '@' "
            "AND start_date BETWEEN '2024-06-01' AND '2024-12-31') AND concept_cd LIKE 'ATC:%'"
        )
    after = draw(Warehouse(f"duckdb://{changed}", "i2b2"), "drug-reactions", tmp_path / "2.parquet")
    assert after != before
    renamed = tmp_path / "renamed.duckdb"
    renamed.write_bytes(star.read_bytes())
    with duckdb.connect(str(renamed)) as connection:
        for table in ("observation_fact", "concept_dimension"):
            connection.execute(f"UPDATE {table} SET concept_cd = replace(concept_cd, ':', '|')")
    prefixes = {"ICD10|": "ICD10", "ATC|": "ATC", "LOINC|": "LOINC"}
    own = Warehouse(f"duckdb://{renamed}", "i2b2", vocabularies=prefixes)
    assert draw(own, "drug-reactions", tmp_path / "3.parquet") == before


def test_what_the_star_does_not_have_is_told(star: Path) -> None:
    with open_model(Warehouse(f"duckdb://{star}", "i2b2")) as open_table:
        for table in ("visit_detail", "specimen", "note"):
            with pytest.raises(TableNotThere, match=table):
                open_table(table)


def test_the_version_of_a_star_changes_with_an_import(star: Path, tmp_path: Path) -> None:
    copy = tmp_path / "star.duckdb"
    copy.write_bytes(star.read_bytes())

    def version() -> str:
        return tell_version("cdw", Warehouse(f"duckdb://{copy}", "i2b2"), "test-counts").version

    before = version()
    assert version() == before
    with duckdb.connect(str(copy)) as connection:
        connection.execute("UPDATE observation_fact SET import_date = '2026-02-01'")
    assert version() != before


# --- Oracle: none is here, so its SQL is made and nothing runs it ---------------------------------

_TYPES = {"int32": "int32", "date": "date", "timestamp": "timestamp(6)"}


def unbound(name: str) -> Any:
    schema = {column: _TYPES.get(kind, kind) for column, kind in TABLES[name].items()}
    return ibis.table(schema, name=name)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_view_can_be_said_in_oracles_sql(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # It asks the vocabulary for the codes of its criteria first; here nothing can answer.
    monkeypatch.setattr(cohort_persons, "_refuse_unknown_codes", lambda *_: None)
    view, spec = views.find_view(name), KINDS[name]
    assert view is not None
    examples = {parameter: one.example for parameter, one in spec.parameters.items()}
    values, problems = type_parameters(spec, examples)
    assert not problems
    asked = {parameter: decode_value(values.get(parameter)) for parameter in view.PARAMETERS}
    rows = view.view(Cdm(unbound, (*view.TABLES, *views.optional_tables(name))), asked)
    said = ibis.to_sql(rows, dialect="oracle")
    assert said.lstrip().upper().startswith(("SELECT", "WITH"))


def test_a_password_is_put_into_an_address_as_it_is() -> None:
    address = "oracle://reader@cdw:1521/ehop?schema=CDM"
    said = _add_password(address, "a:b@c/d?")
    assert said == "oracle://reader:a%3Ab%40c%2Fd%3F@cdw:1521/ehop?schema=CDM"
    assert _add_password(address, "") == address
