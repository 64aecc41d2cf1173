"""How criteria are read, and what is refused, with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from wardbook.cohort.criteria import (
    AgeAtIndex,
    Codes,
    Comparison,
    Criterion,
    Event,
    Happened,
    Observed,
    SexIs,
    Window,
)
from wardbook.cohort.grammar import MOST, read_cohort, read_criterion, read_entry
from wardbook.errors import DataProblem
from wardbook.messages import say
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import load_template

I21 = Codes("ICD10", ("I21",))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("age 18..80 at index", AgeAtIndex(18, 80)),
        ("AGE 18..18", AgeAtIndex(18, 18)),
        ("sex f", SexIs("F")),
        ("observed 365 days before index", Observed(-365, 0)),
        ("observed 30 days after index", Observed(0, 30)),
        ("condition I21", Happened(Event("condition", I21))),
        ("condition ICD10 C", Happened(Event("condition", Codes("ICD10", ("C",))))),
        ("condition icd10 i21", Happened(Event("condition", I21))),
        ("not condition ICD10 I21", Happened(Event("condition", I21), negated=True)),
        ("condition I21|I22.0", Happened(Event("condition", Codes("ICD10", ("I21", "I22.0"))))),
        ("drug concept 1118084", Happened(Event("drug", Codes("", ("1118084",))))),
        ("drug_era concept 1118084", Happened(Event("drug_era", Codes("", ("1118084",))))),
        (
            "drug B01AC before index 30..0 days",
            Happened(Event("drug", Codes("ATC", ("B01AC",))), Window(-30, 0)),
        ),
        (
            "procedure DDAF001 after index 1..365 days",
            Happened(Event("procedure", Codes("CCAM", ("DDAF001",))), Window(1, 365)),
        ),
        (
            "measurement LOINC 2160-0>150 umol/L",
            Happened(
                Event("measurement", Codes("LOINC", ("2160-0",)), Comparison(">", 150, "umol/L"))
            ),
        ),
        (
            "measurement 2160-0 <= 1.5 within 7 days",
            Happened(
                Event("measurement", Codes("LOINC", ("2160-0",)), Comparison("<=", 1.5)),
                Window(0, 7),
            ),
        ),
        ("not death within 30 days", Happened(Event("death"), Window(0, 30), negated=True)),
        ("visit ER", Happened(Event("visit", Codes("Visit", ("ER",))))),
    ],
)
def test_a_criterion_is_read_and_said_again(text: str, read: Criterion) -> None:
    assert read_criterion(text, "criteria") == read
    assert read_criterion(str(read), "criteria") == read, "what it says is of the grammar"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("", "criterion_short", None),
        ("age", "criterion_short", None),
        ("age 80..18", "criterion_reversed", 2),
        ("age young", "criterion_word", 2),
        ("sex X", "criterion_word", 2),
        ("diagnosis I21", "criterion_word", 1),
        ("condition", "criterion_short", None),
        ("condition 192671", "criterion_code_form", 2),
        ("condition concept I21", "criterion_code_form", 3),
        ("condition ICD11 I21", "criterion_code_form", 2),
        ("drug ATC ASPIRIN", "criterion_code_form", 3),
        ("measurement LOINC 2160", "criterion_code_form", 3),
        ("condition I21 > 3", "criterion_surplus", 3),
        ("measurement 2160-0 > high", "criterion_word", 4),
        ("drug B01AC before index 0..30 days", "criterion_reversed", 5),
        ("drug B01AC after index 30..0 days", "criterion_reversed", 5),
        ("drug B01AC before index 30..0", "criterion_short", None),
        ("drug B01AC before 30..0 days", "criterion_word", 4),
        ("drug B01AC within 99999 days", "criterion_word", 4),
        ("condition I21 condition I22", "criterion_surplus", 3),
        ("observed 365 days", "criterion_short", None),
    ],
)
def test_what_is_no_criterion_is_told_with_its_word(text: str, code: str, word: int | None) -> None:
    with pytest.raises(DataProblem) as raised:
        read_criterion(text, "criteria", 3)
    problem = raised.value
    assert problem.code == code
    assert problem.details.get("word") == word
    assert (problem.details["parameter"], problem.details["number"]) == ("criteria", 3)
    for language in ("fr", "en"):
        assert "criteria" in say(language, f"data.{code}", **problem.details)


def test_nothing_of_a_requester_becomes_markup() -> None:
    with pytest.raises(DataProblem) as raised:
        read_criterion("{color:red}[~admin] I21", "criteria")
    assert raised.value.details["found"] == "?color:red???admin?"


def asked(**others: Any) -> dict[str, Any]:
    return {"entry": "condition I21", **others}


def test_the_entry_is_an_event_and_first_may_follow() -> None:
    assert read_entry("condition I21 first") == read_entry("condition I21")
    for text in ("age 18..80", "not condition I21", "condition I21 last"):
        with pytest.raises(DataProblem):
            read_entry(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("age 18..40", "age 60..80"),
        ("sex F", "sex M"),
        ("condition I21", "not condition I21"),
        ("not drug B01AC before index 30..0 days", "drug B01AC before index 10..1 days"),
    ],
)
def test_criteria_that_exclude_each_other_are_refused(one: str, other: str) -> None:
    with pytest.raises(DataProblem) as raised:
        read_cohort(asked(criteria=["age 0..120", one, other]))
    assert raised.value.code == "criteria_contradict"
    assert raised.value.details == {"number": 2, "other": 3}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("age 18..60", "age 60..80"),
        ("condition I21", "not condition I22"),
        ("not drug B01AC before index 10..1 days", "drug B01AC before index 30..0 days"),
        ("drug B01AC", "not drug B01AC before index 30..0 days"),
    ],
)
def test_criteria_that_somebody_can_meet_are_not(one: str, other: str) -> None:
    assert len(read_cohort(asked(criteria=[one, other])).criteria) == 2


def test_bounds_of_the_index_and_how_many() -> None:
    cohort = read_cohort(asked(start=date(2024, 3, 1), criteria=["sex F"], group="age 0..50"))
    assert cohort.steps == ("index 2024-03-01..", "sex F")
    with pytest.raises(DataProblem, match=r"ends \(2024-01-01\)"):
        read_cohort(asked(start=date(2024, 3, 1), end=date(2024, 1, 1)))
    assert len(read_cohort(asked(criteria=["age 0..90"] * MOST)).criteria) == MOST
    with pytest.raises(DataProblem) as raised:
        read_cohort(asked(characteristics=["age 0..90"] * (MOST + 1)))
    assert raised.value.code == "criteria_too_many"


def test_the_examples_of_the_form_are_of_the_grammar(root: Path) -> None:
    declared = load_template(root / "templates" / "cohort_extraction").spec
    examples = {name: one.example for name, one in declared.parameters.items()}
    values, problems = type_parameters(declared, examples)
    assert not problems
    cohort = read_cohort({n: v for n, v in values.items() if n not in ("start", "end", "dates")})
    assert len(cohort.criteria) == len(cohort.characteristics) == 2
    assert cohort.group is not None
