"""The template of cohorts: its view on a database counted by hand, and whole runs of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.integration.test_activity_templates import judge
from tests.integration.test_templates_run import published_texts, run_template
from wardbook.cohort.grammar import MOST
from wardbook.datasets import find_dataset
from wardbook.disclosure.leaving import read_leaving
from wardbook.domain.output import Channel, OutputKind, Sensitivity, Verdict
from wardbook.engines.warm_engine import WarmEngine
from wardbook.errors import DataProblem
from wardbook.template.spec import load_template
from wardbook.warehouse import extract, open_warehouse

CELECOXIB, BLEEDING = "drug concept 1118084", "condition concept 192671"
TABLES = {
    "person": """person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth
1,2,1950,1,1
2,1,1950,6,15
3,2,1990,,
4,9,1950,1,1
5,1,2010,1,1
6,1,1950,1,1
""",
    "concept": """concept_id,concept_name,vocabulary_id,concept_code
1,Man,Gender,M
2,Woman,Gender,F
21,Infarction,ICD10,I21.0
22,Infarction,ICD10,I210
23,Other,ICD10,I22
30,Standard,SNOMED,57054005
40,Aspirin,ATC,B01AC06
41,Creatinine,LOINC,2160-0
""",
    "observation_period": """person_id,observation_period_start_date,observation_period_end_date
1,2020-01-01,2025-12-31
2,2020-01-01,2024-07-01
2,2024-08-01,2025-12-31
3,2024-05-20,2025-12-31
""",
    "death": "person_id,death_date\n1,2024-06-20\n6,2024-01-01\n",
    "condition_occurrence": """person_id,condition_concept_id,condition_start_date,\
condition_source_concept_id
1,21,2024-06-01,
1,22,2024-09-01,
2,30,2024-06-15,22
3,22,2024-06-01,
4,21,,
5,23,2024-06-01,
6,21,2024-06-01,
""",
    "drug_exposure": """person_id,drug_concept_id,drug_exposure_start_date,drug_source_concept_id
1,40,2024-05-02,
2,40,2024-05-15,
3,40,2024-06-01,
""",
    "measurement": """person_id,measurement_concept_id,measurement_date,value_as_number,\
unit_source_value,measurement_source_concept_id
1,41,2024-06-03,160,umol/L,
2,41,2024-06-16,1.8,mg/dL,
3,41,2024-06-03,,umol/L,
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of six persons, with empty columns and none of the tables of eras."""
    folder = tmp_path_factory.mktemp("cdm")
    for name, rows in TABLES.items():
        (folder / f"{name}.csv").write_text(rows, encoding="utf-8")
    return f"csv://{folder}"


@pytest.fixture(scope="module")
def engine() -> Iterator[WarmEngine]:
    with closing(WarmEngine()) as engine:
        yield engine


def draw(address: str, file: Path, **asked: Any) -> pd.DataFrame:
    dataset = find_dataset("cohort-persons")
    assert dataset is not None
    with open_warehouse(address) as open_table:
        extract(dataset, open_table, asked, file)
    return dataset.read(file).set_index("person")


def test_the_first_event_is_the_index_by_standard_or_source_code(
    small: str, tmp_path: Path
) -> None:
    rows = draw(small, tmp_path / "x.parquet", entry="condition ICD10 I21")
    assert list(rows.index) == [1, 2, 3, 6], "4 has no day, 5 another code"
    assert rows.loc[1, "index_day"] == pd.Timestamp("2024-06-01")
    assert rows["source_persons"].unique().tolist() == [6]
    assert rows["sex"].tolist() == ["F", "M", "F", "M"]
    assert rows["age"].tolist() == [74, 74, 33, 74], "a birthday on the day; one unknown: in July"
    ends = rows["followed_until"].dt.strftime("%Y-%m-%d").tolist()
    assert ends[:3] == ["2025-12-31", "2024-07-01", "2025-12-31"]
    assert pd.isna(ends[3])
    assert rows["death_day"].notna().tolist() == [True, False, False, True]


def chunks(items: list[str], size: int) -> Iterator[list[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))


MET = {
    "age 34..80": {1, 2, 6},
    "age 33..33 at index": {3},
    "sex F": {1, 3},
    "drug ATC B01 before index 30..0 days": {1, 3},
    "drug B01AC06 before index 31..0 days": {1, 2, 3},
    "drug B01AC06 before index 30..1 days": {1},
    "not drug B01AC before index 30..0 days": {2, 6},
    "observed 30 days before index": {1, 2},
    "observed 10 days before index": {1, 2, 3},
    "observed 30 days after index": {1, 3},
    "death within 30 days": {1},
    "not death within 30 days": {2, 3, 6},
    "condition ICD10 I21 after index 1..365 days": {1},
    "measurement LOINC 2160-0 > 1.5": {1, 2},
    "measurement LOINC 2160-0 > 1.5 umol/l": {1},
    "condition concept 30": {2},
}


def test_each_criterion_tells_who_meets_it(small: str, tmp_path: Path) -> None:
    for asked in chunks(list(MET), MOST):
        rows = draw(
            small, tmp_path / "x.parquet", entry="condition I21", characteristics=list(asked)
        )
        for at, criterion in enumerate(asked, 1):
            met = set(rows.index[rows["traits"].str[at] == "1"])
            assert met == MET[criterion], criterion


def test_of_those_who_are_left_out_only_the_step_leaves_the_database(
    small: str, tmp_path: Path
) -> None:
    asked = {
        "entry": "condition I21",
        "criteria": ["age 34..80", "sex F"],
        "group": "death within 30 days",
    }
    rows = draw(small, tmp_path / "x.parquet", **asked)
    assert rows["step"].to_dict() == {1: 2, 2: 1, 3: 0, 6: 1}
    shown = rows.drop(columns=["step", "source_persons"])
    assert shown.loc[[2, 3, 6]].isna().all(axis=None)
    assert shown.loc[1, "in_group"] == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"entry": "condition ICD10 Z99"}, "criterion_code_unknown"),
        ({"entry": "condition concept 12345"}, "criterion_code_unknown"),
        ({"entry": "condition I21", "criteria": ["drug N02"]}, "criterion_code_unknown"),
        ({"entry": "condition I21", "group": "drug_era concept 40"}, "criterion_table_missing"),
        ({"entry": "condition ICD10 I22 before index 0..1 days"}, "criterion_surplus"),
        ({"entry": "drug_era concept 40"}, "criterion_table_missing"),
        ({"entry": "visit concept 1"}, "criterion_table_missing"),
        ({"entry": "condition concept 40"}, "no_data_asked"),
    ],
)
def test_what_cannot_be_asked_of_a_source_is_told(
    small: str, tmp_path: Path, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(DataProblem) as raised:
        draw(small, tmp_path / "x.parquet", **asked)
    assert raised.value.code == code


def run(
    root: Path, engine: WarmEngine, address: str, folder: Path, language: str = "fr", **asked: Any
) -> tuple[dict[str, Verdict], dict[str, pd.DataFrame], str]:
    """Run and judge; returns the verdicts, what leaves of each table, and what the report says."""
    template = load_template(root / "templates" / "cohort_extraction")
    file = folder / "persons.parquet"
    draw(address, file, **asked)
    run_folder = folder / "run"
    values = {"dates": "days"} | asked
    result = run_template(template, run_folder, {"persons": file}, values, language, engine=engine)
    assert result.failure is None
    verdicts = judge(root, template, run_folder, result)
    leaving, outputs = read_leaving(run_folder, result.outputs)
    tables = {
        one.name: pd.read_csv(leaving / one.file) for one in outputs if one.kind is OutputKind.TABLE
    }
    return verdicts, tables, published_texts(run_folder)


@pytest.fixture(scope="module")
def gibleed(shared: Path) -> str:
    return f"csv://{shared / 'data/omop/gibleed'}"


@pytest.mark.shared_data
def test_the_published_counts_of_eunomia(gibleed: str, tmp_path: Path) -> None:
    published = {
        CELECOXIB: 1844,
        f"{BLEEDING} first": 479,
        "condition ICD10CM K92.2": 479,
        "condition ICD10CM K922": 479,
        "condition SNOMED 74474003": 479,
    }
    found = {entry: len(draw(gibleed, tmp_path / "x.parquet", entry=entry)) for entry in published}
    assert found == published


@pytest.mark.shared_data
def test_the_traps_of_eunomia(gibleed: str, tmp_path: Path) -> None:
    """A number alone is no code, it has no ATC, and a brand is not its ingredient."""
    for entry, code in (
        ("drug 1118084", "criterion_code_form"),
        ("drug ATC M01AH01", "criterion_code_unknown"),
        ("drug RxNorm 213469", "no_data_asked"),
    ):
        with pytest.raises(DataProblem) as raised:
            draw(gibleed, tmp_path / "x.parquet", entry=entry)
        assert raised.value.code == code
    eras, exposures = (
        draw(gibleed, tmp_path / f"{n}.parquet", entry=f"{n} concept 1118084")["index_day"]
        for n in ("drug_era", "drug")
    )
    assert (eras == exposures).all(), "the same persons enter on the same day by either"


@pytest.mark.shared_data
def test_a_whole_run_releases_what_is_published(
    root: Path, engine: WarmEngine, gibleed: str, tmp_path: Path
) -> None:
    verdicts, tables, said = run(
        *(root, engine, gibleed, tmp_path, "en"),
        entry=CELECOXIB,
        criteria=["age 30..60", "observed 365 days before index"],
        characteristics=[f"{BLEEDING} after index 0..365 days"],
        group="sex F",
    )
    held = {name for name, verdict in verdicts.items() if verdict is not Verdict.PASS}
    assert held == {"report", "line_list"}
    flow = tables["flow"].set_index("box")["persons"].to_dict()
    assert flow == {"kept_0": 2694, "left_1": 850, "kept_1": 1844, "left_3": 44, "kept_3": 1800}
    assert "1,800 persons meet all criteria, of 2,694" in said.replace("\\", "")
    traits = tables["traits"].set_index(["trait", "group"])
    assert traits.loc[("c1", "all"), ["having", "lacking"]].tolist() == [355, 1445]
    assert {"age", "follow_up_days"} == set(tables["numbers"]["figure"])
    assert len(tables["differences"]) == 3
    persons = tables["line_list"]
    assert len(persons) == 1800
    assert not re.search(r"P0\d{5}", said), "nobody of the list is in the report"


def test_the_list_leaves_sealed_only(root: Path) -> None:
    outputs = load_template(root / "templates" / "cohort_extraction").spec.outputs
    line_list = outputs["line_list"]
    assert (line_list.sensitivity, line_list.channel) == (Sensitivity.SENSITIVE, Channel.SHARE)
    assert {"person", "person_id", "death_day"}.isdisjoint(line_list.columns)


def test_few_persons_are_hidden_and_nobody_is_told(
    root: Path, engine: WarmEngine, small: str, tmp_path: Path
) -> None:
    (tmp_path / "few").mkdir()
    _, tables, said = run(
        *(root, engine, small, tmp_path / "few"), entry="condition I21", criteria=["age 34..80"]
    )
    assert set(tables) == {"flow", "line_list"}
    assert tables["flow"]["persons"].isna().all()
    assert len(tables["line_list"]) == 3
    assert "Moins de 11 personnes" in said
    (tmp_path / "nobody").mkdir()
    _, tables, said = run(
        *(root, engine, small, tmp_path / "nobody", "en"),
        entry="condition I21",
        criteria=["age 100..110"],
    )
    assert set(tables) == {"flow"}
    assert "Nobody meets all criteria" in said
