"""What a form is made of: rules as data, words that the gate reads, an example that it accepts."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_ticket
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from requests_sync.create_screen import write_create_section
from requests_sync.form_rules import gate_rules
from requests_sync.gate import judge_ticket
from tests.form_against_gate import ROOT
from tests.form_cases import TODAY, make_catalogue, make_unit
from wardbook.domain.ticket import Person
from wardbook.form.by_hand import example_ticket
from wardbook.form.controls import lay_out
from wardbook.form.pages import form_pages
from wardbook.form.patterns import folds_into, in_browser
from wardbook.form.rules import write_rules
from wardbook.messages import LANGUAGES, Language
from wardbook.report.voice import Voice
from wardbook.settings import Settings
from wardbook.settings.create_link import JiraCreate
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import Template, TemplateSpec
from wardbook.typed_text import pick

GATE = gate_rules()
SHIPPED = sorted(file.parent.name for file in ROOT.glob("templates/*/template.toml"))


@pytest.fixture(scope="module")
def templates(root: Path) -> dict[str, Template]:
    return make_catalogue(root)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return make_unit()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*SHIPPED, "study"])
def test_the_ticket_shown_by_hand_passes_the_gate(
    templates: dict[str, Template], settings: Settings, language: Language, name: str
) -> None:
    study = templates["hospital_epidemic"]
    spec = study.spec.model_copy(update={"name": "study", "purposes": ("research",)})
    catalogue = templates | {"study": Template(study.folder, spec)}
    shown = example_ticket(catalogue[name].spec, settings, GATE, language, TODAY)
    people = {one: Person(shown[one], "x") for one in ("approver", "dpo") if one in shown}
    ticket = make_ticket(**shown | {"components": (shown["components"],)} | people)
    assert judge_ticket(ticket, catalogue, settings, TODAY).problems == ()
    late = replace(ticket, expires="2020-01-01")
    assert judge_ticket(late, catalogue, settings, TODAY).problems != ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_is_a_word_that_the_gate_reads(
    templates: dict[str, Template], settings: Settings, language: Language
) -> None:
    bases = {word: code for one in GATE.legal_bases.values() for word, code in one.items()}
    words = {"purpose": GATE.purposes, "legal_basis": bases, "recurrence": GATE.recurrences}
    parts = lay_out(templates["zoo"], settings, GATE, Voice(language))
    controls = {one.name: one for part in parts for one in part.controls}
    for field, meanings in words.items():
        offered = [one.value for one in controls[field].choices if one.value not in ("", "cron")]
        assert {pick(one, meanings) for one in offered} == set(meanings.values())


def test_options_of_the_unit_s_jira_are_offered_as_they_are(
    templates: dict[str, Template], settings: Settings
) -> None:
    create = {"project_id": 1, "issue_type_id": 2, "options": {"purpose": {"Care / SOINS": 7}}}
    jira = settings.jira.model_copy(update={"create": JiraCreate.model_validate(create)})
    ours = settings.model_copy(update={"jira": jira})
    parts = lay_out(templates["line_list"], ours, GATE, Voice("fr"))
    (purpose,) = (one for part in parts for one in part.controls if one.name == "purpose")
    assert [one.value for one in purpose.choices] == ["", "Care / SOINS"]


def test_a_pattern_that_a_browser_would_read_otherwise_is_refused() -> None:
    for pattern in (r"\bx", r"(?i:x)", r"(?P<a>x)", r"\sx", r"x(?#c)", r"\Ax"):
        with pytest.raises(ValueError, match="no translation"):
            in_browser(re.compile(pattern))
    said = in_browser(re.compile(r"[\w.]\d[^\W_]", re.IGNORECASE))
    assert said == {"form": r"^(?:[\p{L}\p{N}_.][\p{Nd}][\p{L}\p{N}])$", "flags": "isu",
                    "dotless": "i"}  # fmt: skip


def test_folding_knows_what_lower_case_leaves() -> None:
    assert folds_into(["strasse"]) == {
        "ß": "ss", "ẞ": "ss", "ſ": "s", "ﬅ": "st", "ﬆ": "st",
    }  # fmt: skip
    assert folds_into(["fin"])["ﬁ"] == "fi"
    assert folds_into(["75"]) == {}


def test_rules_are_data_alone_and_hold_no_secret(
    templates: dict[str, Template], settings: Settings
) -> None:
    for template in templates.values():
        rules = json.dumps(write_rules(template.spec, templates, settings, GATE, "fr"))
        assert "t0ken" not in rules
        assert ".csv" not in rules  # no path of the secure side


def test_every_template_has_its_page(templates: dict[str, Template], settings: Settings) -> None:
    pages = form_pages(templates, settings, GATE, "fr", TODAY)
    assert {one.file for one in pages} == {
        f"catalogue/{name}/request/index.html" for name in templates
    }


@given(
    st.dictionaries(st.text(min_size=1), st.integers(1)),
    st.dictionaries(
        st.sampled_from(["purpose", "language"]), st.dictionaries(st.text(), st.integers(1))
    ),
)
def test_the_section_of_ids_is_read_as_it_was_written(
    components: dict[str, int], options: dict[str, dict[str, int]]
) -> None:
    create = JiraCreate(
        project_id=1, issue_type_id=2, components=components, options=options, iso_days=True
    )
    raw = tomllib.loads(write_create_section(create))
    assert JiraCreate.model_validate(raw["jira"]["create"]) == create


def test_ids_that_are_none_are_refused() -> None:
    good = {"project_id": 1, "issue_type_id": 1, "options": {"purpose": {"Soins": 1}}}
    assert JiraCreate.model_validate(good).project_id == 1
    for wrong in ({"project_id": 0}, {"options": {"purposes": {"Soins": 1}}}, {"more": 1}):
        with pytest.raises(ValidationError):
            JiraCreate.model_validate(good | wrong)


@pytest.mark.parametrize("text", ["9" * 400, "-" + "9" * 400, "1" * 5000])
def test_a_number_too_large_to_compute_with_is_no_number(
    text: str, templates: dict[str, Template]
) -> None:
    spec: TemplateSpec = templates["zoo"].spec
    _, problems = type_parameters(spec, {"whole": text})
    assert ("whole", "not_a_number") in [(one.name, one.code) for one in problems]
