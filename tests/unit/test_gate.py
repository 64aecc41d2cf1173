"""The gate: what may run, and how every problem of a ticket is told at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from factories import make_ticket
from hypothesis import given
from hypothesis import strategies as st
from sample_settings import make_settings

from requests_sync.gate import explain_problem, judge_ticket
from wardbook.domain.ticket import Ticket
from wardbook.messages import LANGUAGES
from wardbook.template.spec import Template, load_catalogue

TODAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def templates(root: Path) -> dict[str, Template]:
    return load_catalogue(root / "templates")


def problems(ticket: Ticket, templates: dict[str, Template]) -> list[tuple[str, str]]:
    verdict = judge_ticket(ticket, templates, make_settings(), TODAY)
    assert (verdict.request is None) == bool(verdict.problems)
    return [(problem.field, problem.code) for problem in verdict.problems]


def test_a_good_ticket_becomes_a_request(templates: dict[str, Template]) -> None:
    ticket = make_ticket(parameters="regions = Bretagne, Corse\n# rien\n\nend = 2020-12-31")
    verdict = judge_ticket(ticket, templates, make_settings(), TODAY)
    request = verdict.request
    assert request is not None
    assert request.purpose == "care"
    assert request.parameters == {"regions": "Bretagne, Corse", "end": "2020-12-31"}
    assert request.sources == {"hospital": "spf", "admissions": "spf_flux"}
    assert request.language == "fr"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purpose": ""}, [("purpose", "missing")]),
        ({"purpose": "curiosité"}, [("purpose", "unknown_purpose")]),
        ({"legal_basis": ""}, [("legal_basis", "missing")]),
        ({"legal_basis": "MR-004"}, [("legal_basis", "legal_basis_does_not_fit")]),
        ({"purpose": "Recherche"}, [("legal_basis", "legal_basis_does_not_fit")]),
        ({"reference": "  "}, [("reference", "missing")]),
        ({"expires": "2026-03-01"}, [("expires", "expired")]),
        ({"expires": "demain"}, [("expires", "not_a_date")]),
        ({"expires": ""}, [("expires", "missing")]),
        ({"components": ()}, [("components", "missing")]),
        ({"components": ("Lingerie",)}, [("components", "unmapped_service")]),
        (
            {"components": ("Direction médicale", "Hygiène hospitalière")},
            [("components", "several_services")],
        ),
        ({"approver": "cmoreau"}, [("approver", "not_an_approver")]),
        ({"template": "../../etc"}, [("template", "unknown_template")]),
        ({"template": "line_list", "purpose": "Recherche", "legal_basis": "MR-004",
          "components": ("Hygiène hospitalière",),
          "parameters": "ward = Urologie\nstart = 2020-12-01\nend = 2020-12-02"},
         [("template", "purpose_not_allowed")]),
        ({"parameters": "start 2020"}, [("parameters", "line_without_sign")]),
        ({"parameters": "end = 2020-12-31\nend = 2020-12-30"}, [("parameters", "parameter_twice")]),
        ({"parameters": "colour = red"}, [("parameters", "unknown_parameter")]),
        ({"parameters": "end = 31/12/2020"}, [("parameters", "not_a_date")]),
        ({"parameters": "end = 2020-02-30"}, [("parameters", "not_a_date")]),
        ({"parameters": "regions = Atlantide"}, [("parameters", "not_a_choice")]),
        ({"parameters": "regions = Corse,,Bretagne"}, [("parameters", "empty_in_list")]),
        ({"parameters": "source.hospital = stays"}, [("parameters", "unknown_source")]),
        ({"parameters": "source.lab = spf"}, [("parameters", "unknown_parameter")]),
        ({"template": "line_list", "parameters": "ward = Urologie\nstart = 2020-12-01"},
         [("parameters", "missing_parameter")]),
    ],
    ids=str,
)  # fmt: skip
def test_a_problem_is_named_with_its_field(
    changes: dict[str, object], expected: list[tuple[str, str]], templates: dict[str, Template]
) -> None:
    assert problems(make_ticket(**changes), templates) == expected


def test_the_last_day_of_a_legal_basis_still_counts(templates: dict[str, Template]) -> None:
    assert problems(make_ticket(expires=TODAY.isoformat()), templates) == []


def test_every_problem_is_told_at_once(templates: dict[str, Template]) -> None:
    ticket = make_ticket(
        purpose="", legal_basis="", reference="", expires="", approver="", template="",
        components=(), parameters="x",
    )  # fmt: skip
    fields = {field for field, _ in problems(ticket, templates)}
    assert fields == {
        "purpose", "legal_basis", "reference", "expires", "template", "components", "parameters",
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_problem_is_told_with_what_was_found_and_an_example(
    language: str, templates: dict[str, Template]
) -> None:
    ticket = make_ticket(parameters="end = 31/12/2020")
    verdict = judge_ticket(ticket, templates, make_settings(), TODAY)
    text = explain_problem(verdict.problems[0], language)  # type: ignore[arg-type]
    assert "31/12/2020" in text
    assert "end = 2021-01-08" in text
    assert "Paramètres" in text


def test_english_is_answered_in_english(templates: dict[str, Template]) -> None:
    verdict = judge_ticket(make_ticket(language="English"), templates, make_settings(), TODAY)
    assert verdict.language == "en"


hostile = st.text(max_size=60) | st.sampled_from(
    ["{0.__class__}", "%s", "${x}", "\u202e", "a\x00b", "{found}", "\r\n/close"]
)


TEXTS = (
    *("summary", "description", "purpose", "legal_basis", "reference", "expires"),
    *("approver", "template", "parameters", "language"),
)


@given(fields=st.fixed_dictionaries(dict.fromkeys(TEXTS, hostile)))
def test_whatever_a_ticket_says_the_gate_answers_in_words(
    fields: dict[str, str], templates: dict[str, Template]
) -> None:
    verdict = judge_ticket(make_ticket(**fields), templates, make_settings(), TODAY)
    for problem in verdict.problems:
        for language in LANGUAGES:
            assert explain_problem(problem, language)
