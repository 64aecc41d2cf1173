"""The extract of stays: what is accepted, and how each damage is named without a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from wardbook.errors import DataProblem
from wardbook.hospital.stays import generate_stays, read_stays
from wardbook.hospital.vocabulary import COLUMNS
from wardbook.messages import LANGUAGES, say

pytestmark = pytest.mark.secure("*.csv")  # extracts, as on the secure side
HEADER = ";".join(COLUMNS)
GOOD = {
    "ipp": "8000000001",
    "name": "Canarivoix",
    "first_name": "Éloi",
    "birth_date": "1951-07-23",
    "sex": "M",
    "ward": "Pneumologie",
    "room": "412",
    "bed": "P",
    "entry": "2020-12-24T09:41",
    "exit": "2020-12-31T17:03",
    "organism": "SARM",
    "sample_date": "2020-12-26",
}
OTHER = GOOD | {"ipp": "8000000002", "organism": "", "sample_date": "", "exit": ""}


@dataclass(frozen=True)
class Case:
    name: str
    change: dict[str, str]
    code: str
    column: str | None


CASES = [
    Case("short IPP", {"ipp": "800000001"}, "ipp_form", "ipp"),
    Case("15 digits as IPP", {"ipp": "151077504212345"}, "ipp_form", "ipp"),
    Case("no name", {"name": ""}, "text_form", "name"),
    Case("formula as name", {"name": '"=1+1"'}, "text_form", "name"),
    Case("line end in a name", {"name": '"Canarivoix\nÉloi"'}, "text_form", "name"),
    Case("birth day first", {"birth_date": "23/07/1951"}, "date_form", "birth_date"),
    Case("no birth date", {"birth_date": ""}, "date_form", "birth_date"),
    Case("birth on 30 February", {"birth_date": "1951-02-30"}, "date_impossible", "birth_date"),
    Case("birth in 1551", {"birth_date": "1551-07-23"}, "date_outside", "birth_date"),
    Case("sex in words", {"sex": "Canarivoix"}, "choice_unknown", "sex"),
    Case("no ward", {"ward": ""}, "text_form", "ward"),
    Case("entry without a time", {"entry": "2020-12-24"}, "time_form", "entry"),
    Case("no entry", {"entry": ""}, "time_form", "entry"),
    Case("hour 25", {"entry": "2020-12-24T25:00"}, "date_impossible", "entry"),
    Case("exit before entry", {"exit": "2020-12-24T09:40"}, "order_wrong", "exit"),
    Case("entry before birth", {"birth_date": "2020-12-25"}, "order_wrong", "entry"),
    Case("sample without an organism", {"organism": ""}, "pair_incomplete", "organism"),
    Case("organism without a sample", {"sample_date": ""}, "pair_incomplete", "organism"),
    Case("sample on no day", {"sample_date": "2020-12-41"}, "date_impossible", "sample_date"),
]


def write(file: Path, *rows: dict[str, str], header: str = HEADER) -> Path:
    lines = [header, *(";".join(row[column] for column in COLUMNS) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def problem_of(file: Path) -> DataProblem:
    with pytest.raises(DataProblem) as caught:
        read_stays(file)
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_damage_is_named_with_line_and_column(tmp_path: Path, case: Case) -> None:
    problem = problem_of(write(tmp_path / "stays.csv", OTHER, GOOD | case.change))
    assert problem.code == case.code
    assert problem.details["row"] == 3
    assert problem.details["column"] == case.column


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_value_of_a_patient_is_in_a_message(tmp_path: Path, case: Case, language: str) -> None:
    problem = problem_of(write(tmp_path / "stays.csv", OTHER, GOOD | case.change))
    message = say(language, f"data.{problem.code}", **problem.details)  # type: ignore[arg-type]
    assert "stays.csv" in message
    for value in {*GOOD.values(), *OTHER.values(), *case.change.values()} - {"", "M", "P"}:
        assert value.strip('"') not in message
    assert all(len(str(detail)) <= 200 for detail in problem.details.values())


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda text: text.partition("\n")[2], "header_missing"),
        (lambda text: text.replace("first_name;", "", 1), "columns_missing"),
        (lambda text: text.replace("first_name", "Canarivoix", 1), "columns_renamed"),
        (lambda text: text.replace("name;first_name", "first_name;name", 1), "columns_reordered"),
        (lambda text: text.replace(";", ","), "delimiter_wrong"),
        (lambda text: text[:-20], "line_cut"),
        (lambda text: text.removesuffix("\n"), "line_end_missing"),
        (lambda text: text + text.splitlines()[1] + "\n", "key_duplicated"),
        (lambda text: text[: text.index("\n") + 1], "no_rows"),
        (lambda text: text[:0], "file_empty"),
    ],
)
def test_a_damaged_structure_is_named_and_no_value_with_it(
    tmp_path: Path, damage: Callable[[str], str], code: str
) -> None:
    file = write(tmp_path / "stays.csv", GOOD, OTHER)
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    problem = problem_of(file)
    assert problem.code == code
    for language in LANGUAGES:
        message = say(language, f"data.{code}", **problem.details)
        assert not any(value in message for value in GOOD.values() if len(value) > 2)


def test_latin_1_names_its_line_and_nothing_else(tmp_path: Path) -> None:
    file = write(tmp_path / "stays.csv", OTHER | {"first_name": "Jean"}, GOOD)
    file.write_bytes(file.read_text(encoding="utf-8").encode("latin-1"))
    problem = problem_of(file)
    assert (problem.code, dict(problem.details)) == ("not_utf8", {"file": "stays.csv", "row": 3})


def test_good_rows_are_parsed(tmp_path: Path) -> None:
    stays = read_stays(write(tmp_path / "stays.csv", GOOD, OTHER))
    assert list(stays.columns) == list(COLUMNS)
    assert stays.loc[0, "entry"] == pd.Timestamp("2020-12-24T09:41")
    assert stays.loc[0, "birth_date"] == pd.Timestamp("1951-07-23")
    assert stays.loc[0, "ipp"] == "8000000001"
    assert stays.loc[1, ["exit", "organism", "sample_date"]].isna().all()


def test_the_invented_extract_has_no_problem(tmp_path: Path) -> None:
    stays = read_stays(generate_stays(tmp_path / "stays.csv", seed=1))
    assert stays["ipp"].nunique() == 2000
