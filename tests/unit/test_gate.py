"""The gate: what may run, and how every problem of a ticket is told at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import make_research, make_ticket
from hypothesis import given
from hypothesis import strategies as st
from sample_settings import make_settings

from pipelines.house import House
from pipelines.steps.gate import write_refusal
from requests_sync.gate import Verdict, explain_problem, judge_ticket
from wardbook.domain.record import Problem
from wardbook.domain.ticket import Person, Ticket
from wardbook.messages import LANGUAGES, topic_texts
from wardbook.settings import ServiceSettings, Settings
from wardbook.template.spec import Template, TemplateSpec, load_catalogue

TODAY = date(2026, 3, 2)
MOREAU = Person("cmoreau", "Claire Moreau")
BERNARD = Person("hbernard", "Dr Hélène Bernard")
PETIT = Person("npetit", "Nadia Petit")
NAMES = {
    "purpose": "Finalité du traitement", "legal_basis": "Fondement", "reference": "N° de référence",
    "expires": "Valable jusqu’au", "components": "Composant(s)", "approver": "Approuvé par",
    "template": "Modèle d’analyse", "parameters": "Réglages", "ethics": "Avis éthique",
    "dpo": "Visa du DPO", "recurrence": "Périodicité", "colleagues": "Copie à",
}  # fmt: skip
"""What this hospital's Jira calls the fields: none as we would."""

LINE_LIST = {"template": "line_list"}
WARD = "ward = Urologie\nstart = 2020-12-01"
RESEARCH = make_research()


@pytest.fixture(scope="module")
def templates(root: Path) -> dict[str, Template]:
    date = {"type": "date", "label": {"fr": "x", "en": "x"}, "example": "2026-01-05"}
    scheduled = _template(
        root,
        "scheduled",
        parameters={"start": date | {"from_period": "first_day"}, "other": date},
        schedule={"cron": "30 6 * * mon", "zone": "America/Havana", "catch_up": "all",
                  "max_catch_up": 5},
    )  # fmt: skip
    others = {"bare": _template(root, "bare"), "scheduled": scheduled}
    return load_catalogue(root / "templates") | others


def _template(root: Path, name: str, **more: object) -> Template:
    """A template without sources, and without parameters unless it is given some."""
    words = {"fr": "x", "en": "x"}
    spec = TemplateSpec.model_validate(
        {
            "name": name, "version": "1", "title": words, "question": words, **more,
            "outputs": {
                "report": {
                    "kind": "report", "title": words, "sensitivity": "public", "channel": "site",
                }
            },
        }
    )  # fmt: skip
    return Template(root, spec)


def judge(
    ticket: Ticket, templates: dict[str, Template], settings: Settings | None = None
) -> Verdict:
    verdict = judge_ticket(ticket, templates, settings or make_settings(), TODAY)
    assert (verdict.request is None) == bool(verdict.problems)
    return verdict


def problems(
    ticket: Ticket, templates: dict[str, Template], settings: Settings | None = None
) -> list[tuple[str, str]]:
    return [(one.field, one.code) for one in judge(ticket, templates, settings).problems]


def test_a_good_ticket_becomes_a_request(templates: dict[str, Template]) -> None:
    ticket = make_ticket(parameters="regions = Bretagne, Corse\n# rien\n\nend = 2020-12-31")
    request = judge(ticket, templates).request
    assert request is not None
    assert request.purpose == "care"
    assert request.parameters == {"regions": "Bretagne, Corse", "end": "2020-12-31"}
    assert request.sources == {"hospital": "spf", "admissions": "spf_flux"}
    assert request.language == "fr"
    assert (request.every, request.ethics, request.dpo) == ("once", "", None)


def test_good_research_becomes_a_request(templates: dict[str, Template]) -> None:
    request = judge(RESEARCH, templates).request
    assert request is not None
    assert (request.purpose, request.legal_basis) == ("research", "mr_004")
    assert (request.ethics, request.dpo) == ("CER-2026-031", PETIT)


# What is wrong with a ticket that is good otherwise, and what of it is found.
CASES: list[tuple[Ticket, str, str, str]] = [
    (make_ticket(purpose=""), "purpose", "missing", ""),
    (make_ticket(purpose="curiosité"), "purpose", "unknown_purpose", "curiosité"),
    (make_ticket(purpose="Soins / Recherche"), "purpose", "unknown_purpose", "Soins / Recherche"),
    (make_ticket(legal_basis=""), "legal_basis", "missing", ""),
    (make_ticket(legal_basis="MR-004"), "legal_basis", "legal_basis_does_not_fit", "MR-004"),
    (make_research(legal_basis="Accord du chef de service"), "legal_basis",
     "legal_basis_does_not_fit", "Accord du chef de service"),
    (make_ticket(reference="  "), "reference", "missing", ""),
    (make_ticket(reference=" \u00a0\u200b"), "reference", "missing", ""),
    (make_ticket(reference="—"), "reference", "not_a_reference", "—"),
    (make_ticket(reference="N" * 256), "reference", "text_too_long", "NNNNN"),
    (make_research(reference="en cours"), "reference", "not_a_reference", "en cours"),
    (make_research(reference="MR-004"), "reference", "not_a_reference", "MR-004"),
    (make_research(reference="F2026"), "reference", "not_a_reference", "F2026"),
    (make_research(legal_basis="Autorisation CNIL", reference="oui"), "reference",
     "not_a_reference", "oui"),
    (make_research(ethics=""), "ethics", "missing", ""),
    (make_research(ethics="accordé"), "ethics", "not_a_reference", "accordé"),
    (make_research(ethics="12345"), "ethics", "not_a_reference", "12345"),
    (make_research(dpo=None), "dpo", "missing", ""),
    (make_research(dpo=Person("rfaure", "Rémi Faure")), "dpo", "not_an_officer", "Rémi Faure"),
    (make_ticket(expires="2026-03-01"), "expires", "expired", "2026-03-01"),
    (make_ticket(expires="demain"), "expires", "not_a_day", "demain"),
    (make_ticket(expires="31/12/2027"), "expires", "not_a_day", "31/12/2027"),
    (make_ticket(expires="20271231"), "expires", "not_a_day", "20271231"),
    (make_ticket(expires="2027-02-29"), "expires", "not_a_day", "2027-02-29"),
    (make_ticket(expires=""), "expires", "missing", ""),
    (make_ticket(components=()), "components", "missing", ""),
    (make_ticket(components=("Lingerie",)), "components", "unmapped_service", "Lingerie"),
    (make_ticket(components=("Lingerie", "Cuisine")), "components", "unmapped_service", "Cuisine"),
    (make_ticket(components=("Direction médicale", "Hygiène hospitalière")), "components",
     "several_services", "Direction médicale, Hygiène"),
    (make_ticket(components=("Lingerie", "Direction médicale", "Cuisine")), "components",
     "other_components", "Lingerie, Cuisine"),
    (make_ticket(approver=None), "approver", "missing", ""),
    (make_ticket(approver=Person("5d1", "Ana Lopes")), "approver", "not_an_approver", "Ana Lopes"),
    (make_ticket(template=""), "template", "missing", ""),
    (make_ticket(template="../../etc"), "template", "unknown_template", "../../etc"),
    (make_research(**LINE_LIST, parameters=f"{WARD}\nend = 2020-12-02"), "template",
     "purpose_not_allowed", "line_list"),
    (make_ticket(recurrence="parfois"), "recurrence", "unknown_recurrence", "parfois"),
    (make_ticket(recurrence="daily / weekly"), "recurrence", "unknown_recurrence", "daily / week"),
    (make_ticket(recurrence="tous les lundis à midi"), "recurrence", "unknown_recurrence",
     "tous les lundis à midi"),
    (make_ticket(recurrence="6 h"), "recurrence", "unreadable_cron", "6 h"),
    (make_ticket(recurrence="0 25 * * *"), "recurrence", "unreadable_cron", "0 25 * * *"),
    (make_ticket(recurrence="0 6 30 2 *"), "recurrence", "cron_never_fires", "0 6 30 2 *"),
    (make_ticket(recurrence="* * * * *"), "recurrence", "cron_too_often", "* * * * *"),
    (make_ticket(recurrence="Selon le modèle"), "recurrence", "no_template_schedule",
     "Selon le modèle"),
    (make_ticket(template="scheduled", parameters="other = 2026-01-01"), "parameters",
     "missing_parameter", "start"),
    (make_ticket(template="scheduled", recurrence="daily"), "parameters", "missing_parameter",
     "other"),
    (make_ticket(colleagues=tuple(Person(f"c{n}", "C") for n in range(11))), "colleagues",
     "too_many_colleagues", "11"),
    (make_ticket(parameters="start 2020"), "parameters", "line_without_sign", "start 2020"),
    (make_ticket(parameters="end = 2020-12-31\nend = 2020-12-30"), "parameters", "parameter_twice",
     "2020-12-30"),
    (make_ticket(parameters="colour = red"), "parameters", "unknown_parameter", "colour"),
    (make_ticket(template="bare", parameters="colour = red"), "parameters", "takes_no_parameters",
     "colour"),
    (make_ticket(parameters="end = 31/12/2020"), "parameters", "not_a_date", "31/12/2020"),
    (make_ticket(parameters="end = 2020-02-30"), "parameters", "not_a_date", "2020-02-30"),
    (make_ticket(parameters="regions = Atlantide"), "parameters", "not_a_choice", "Atlantide"),
    (make_ticket(parameters="regions = Corse,,Bretagne"), "parameters", "empty_in_list", "Corse,,"),
    (make_ticket(parameters="source.hospital = stays"), "parameters", "unknown_source", "stays"),
    (make_ticket(parameters="source.lab = spf"), "parameters", "unknown_parameter", "source.lab"),
    (make_ticket(template="bare", parameters="source.lab = spf"), "parameters", "takes_no_sources",
     "source.lab"),
    (make_ticket(**LINE_LIST, parameters=WARD), "parameters", "missing_parameter", "end"),
]  # fmt: skip
IDS = [f"{field}-{code}-{found}"[:50] for _, field, code, found in CASES]
SPEAKS_FOR_ITSELF = {
    *("takes_no_parameters", "takes_no_sources", "nobody_else", "no_source"),
    "too_many_colleagues",
}
"""Problems whose mend is in the message, since no value is right."""


@pytest.mark.parametrize(("ticket", "field", "code", "found"), CASES, ids=IDS)
def test_a_problem_is_told_in_both_languages(
    ticket: Ticket, field: str, code: str, found: str, templates: dict[str, Template]
) -> None:
    verdict = judge(ticket, templates)
    assert [(one.field, one.code) for one in verdict.problems] == [(field, code)]
    (problem,) = verdict.problems
    assert bool(problem.example) == (code not in SPEAKS_FOR_ITSELF)
    for language in LANGUAGES:
        told = explain_problem(problem, language, NAMES)
        assert NAMES[field] in told
        assert found in told
        assert problem.example in told


@pytest.mark.parametrize(("ticket", "field", "code", "found"), CASES, ids=IDS)
def test_the_example_that_is_given_would_have_been_right(
    ticket: Ticket, field: str, code: str, found: str, templates: dict[str, Template]
) -> None:
    (problem,) = judge(ticket, templates).problems
    for example in filter(None, problem.example.split(" | ")):
        follows = mend(ticket, problem, example)
        assert (field, code) not in problems(follows, templates), example


def mend(ticket: Ticket, problem: Problem, example: str) -> Ticket:
    """Do as the refusal says."""
    people = {one.name: one for one in (BERNARD, PETIT)}
    value: Any = example
    if problem.field == "components":
        value = (example,)
    elif problem.field in {"approver", "dpo"}:
        value = people[example]
    elif problem.code == "missing_parameter":
        value = f"{ticket.parameters}\n{example}"
    elif problem.field == "parameters" and "=" not in example:
        value = f"{problem.name} = {example}"  # a further choice
    return replace(ticket, **{problem.field: value})


def test_every_refusal_is_tried() -> None:
    elsewhere = {"own_request", "officer_approves", "nobody_else", "no_source"}
    elsewhere |= {"source_closed", "no_open_source"}
    of_types = {"too_long", "not_a_number", "out_of_bounds", "not_a_boolean"}
    tried = {code for _, _, code, _ in CASES} | elsewhere | of_types
    texts = set(topic_texts("fr", "gate")) - {"line", "example", "and_more"}
    assert tried == {text for text in texts if not text.startswith("field_")}


def test_colleagues_are_named_once_and_the_requester_not_among_them(
    templates: dict[str, Template],
) -> None:
    named = (
        Person("b", "B"),
        Person("cmoreau", "Claire Moreau"),
        Person("a", "A"),
        Person("b", "B"),
    )
    request = judge(make_ticket(colleagues=named), templates).request
    assert request is not None
    assert request.recipients == ("cmoreau", "b", "a")
    ten = tuple(Person(f"c{n}", "C") for n in range(10))
    assert problems(make_ticket(colleagues=ten), templates) == []


# --- who may sign -----------------------------------------------------------------------------


def with_approvers(*approvers: str) -> Settings:
    service = ServiceSettings(project="p", approvers=approvers, reviewers=())
    return make_settings().model_copy(update={"services": {"Direction médicale": service}})


def with_officers(*officers: str) -> Settings:
    settings = make_settings()
    unit = settings.unit.model_copy(update={"data_protection_officers": officers})
    return settings.model_copy(update={"unit": unit})


def test_nobody_approves_their_own_request_not_even_a_head_of_service(
    templates: dict[str, Template],
) -> None:
    settings = with_approvers("hbernard", "vroux")
    own = make_ticket(reporter=BERNARD)
    (problem,) = judge(own, templates, settings).problems
    assert (problem.field, problem.code) == ("approver", "own_request")
    assert problem.example == "vroux", "the other one"
    deputy = make_ticket(reporter=BERNARD, approver=Person("vroux", "Valérie Roux"))
    assert problems(deputy, templates, settings) == []
    assert problems(make_ticket(), templates, settings) == []


def test_where_only_the_requester_could_approve_the_unit_is_named(
    templates: dict[str, Template],
) -> None:
    own = make_ticket(reporter=BERNARD)
    (problem,) = judge(own, templates, with_approvers("hbernard")).problems
    assert (problem.field, problem.code, problem.example) == ("approver", "nobody_else", "")
    for language, word in (("fr", "suppléant"), ("en", "deputy")):
        assert word in explain_problem(problem, language, NAMES)  # type: ignore[arg-type]


def test_the_officer_neither_asks_nor_approves(templates: dict[str, Template]) -> None:
    settings = with_officers("npetit", "hbernard", "osimon")
    (asks,) = judge(make_research(reporter=PETIT), templates, settings).problems
    assert (asks.field, asks.code, asks.example) == ("dpo", "own_request", "osimon")
    (approves,) = judge(make_research(dpo=BERNARD), templates, settings).problems
    assert (approves.field, approves.code, approves.found) == (
        "dpo",
        "officer_approves",
        BERNARD.name,
    )
    assert approves.example == "Nadia Petit | osimon", "names where they are known"
    assert problems(RESEARCH, templates, settings) == []


def test_care_needs_neither_committee_nor_officer(templates: dict[str, Template]) -> None:
    assert problems(make_ticket(ethics="?", dpo=MOREAU), templates) == []


def test_a_service_that_is_not_known_still_has_somebody_approve(
    templates: dict[str, Template],
) -> None:
    found = judge(make_ticket(components=(), approver=None), templates).problems
    assert [(one.field, one.code) for one in found] == [
        ("components", "missing"), ("approver", "missing"),
    ]  # fmt: skip
    assert found[1].example == "Dr Hélène Bernard"


# --- what people type -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "plain"),
    [
        ({"expires": "２０２７－１２－３１"}, "expires", "2027-12-31"),
        ({"expires": "\u00a02027-12-31 \n"}, "expires", "2027-12-31"),
        ({"expires": "2027\u201112\u201131"}, "expires", "2027-12-31"),
        ({"reference": "NOTE\u00a02026\u2013０１４\u200b "}, "reference", "NOTE 2026-014"),
        ({"purpose": " SOINS / Care "}, "purpose", "care"),
        ({"legal_basis": "Approval of the\u00a0head of service"}, "legal_basis", "head_of_service"),
        ({"template": "hospital_epidemic "}, "template", "hospital_epidemic"),
        ({"components": ("Direction médicale ",)}, "service", "Direction médicale"),
        ({"parameters": "\u200bend = ２０２０-12-31"}, "parameters", {"end": "２０２０-12-31"}),
        ({"recurrence": "Hebdomadaire / weekly"}, "every", "weekly"),
        ({"recurrence": "DAILY"}, "every", "daily"),
        ({"recurrence": "mensuelle"}, "every", "monthly"),
        ({"recurrence": " "}, "every", "once"),
        ({"recurrence": "Une fois"}, "every", "once"),
        ({"recurrence": " 0  6 * * lun".replace("lun", "mon")}, "every", "0 6 * * MON"),
        ({"recurrence": "０ ６ * * １–5"}, "every", "0 6 * * 1-5"),
        ({"recurrence": "0 */6 * * *"}, "every", "0 */6 * * *"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_meant_is_taken(
    changes: dict[str, object], field: str, plain: object, templates: dict[str, Template]
) -> None:
    request = judge(make_ticket(**changes), templates).request
    assert request is not None
    assert getattr(request, field) == plain


@pytest.mark.parametrize(
    ("template", "recurrence", "expected"),
    [
        ("scheduled", "Selon le modèle / As the template says",
         ("30 6 * * MON", "America/Havana", "all", 5)),
        ("scheduled", "Quotidienne", ("daily", "America/Havana", "all", 5)),
        ("scheduled", "0 7 1 * *", ("0 7 1 * *", "America/Havana", "all", 5)),
        ("hospital_epidemic", "Quotidienne", ("daily", "Europe/Paris", "latest", 31)),
        ("hospital_epidemic", "0 7 1 * *", ("0 7 1 * *", "Europe/Paris", "latest", 31)),
        ("scheduled", "", ("once", "", "latest", 31)),
    ],
)  # fmt: skip
def test_the_ticket_says_when_and_the_template_where_and_how_it_catches_up(
    template: str, recurrence: str, expected: tuple[object, ...], templates: dict[str, Template]
) -> None:
    lines = "start = 2026-01-01\nother = 2026-01-01" if template == "scheduled" else ""
    ticket = make_ticket(template=template, recurrence=recurrence, parameters=lines)
    request = judge(ticket, templates).request
    assert request is not None
    found = (request.every, request.zone, request.catch_up, request.max_catch_up)
    assert found == expected


def test_what_the_period_gives_need_not_be_written(templates: dict[str, Template]) -> None:
    ticket = make_ticket(template="scheduled", recurrence="weekly", parameters="other = 2026-01-01")
    request = judge(ticket, templates).request
    assert request is not None
    assert request.parameters == {"other": "2026-01-01"}, "an example is no value"
    wrong = make_ticket(
        template="scheduled", recurrence="weekly", parameters="other = 2026-01-01\nstart = lundi"
    )
    assert problems(wrong, templates) == [("parameters", "not_a_date")]
    misspelt = make_ticket(
        template="scheduled", recurrence="hebdo", parameters="other = 2026-01-01"
    )
    assert problems(misspelt, templates) == [("recurrence", "unknown_recurrence")]


@pytest.mark.parametrize(
    ("basis", "reference"),
    [
        ("MR-004", "F20260114093012"),
        ("MR-004", "2216394 v 0"),
        ("MR-004", "MR-004 n° 2216394"),
        ("MR-004", "mr004-2026-14"),
        ("Autorisation CNIL", "DR-2026-031"),
        ("Autorisation CNIL", "Décision DR-2026-031"),
        ("Authorisation", "délibération n° 2021-118"),
        ("Authorisation", "926031"),
    ],
)
def test_known_forms_of_references_pass(
    basis: str, reference: str, templates: dict[str, Template]
) -> None:
    assert problems(make_research(legal_basis=basis, reference=reference), templates) == []


@pytest.mark.parametrize(
    "ethics",
    ["CER-2026-031", "2026-A01234-37", "IRB00011558", "CESREES n° 4512", "CPP Ouest 26.014"],
)
def test_known_forms_of_committees_pass(ethics: str, templates: dict[str, Template]) -> None:
    assert problems(make_research(ethics=ethics), templates) == []


# --- the last day -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "expected"),
    [("2026-03-02", [("expires", "expired")]), ("2026-03-03", []), ("2026-03-04", [])],
    ids=["yesterday", "today", "tomorrow"],
)
def test_the_last_day_is_a_day_of_the_unit(
    expires: str, expected: list[tuple[str, str]], templates: dict[str, Template]
) -> None:
    """At 23:30 UTC it is already the next day in Paris."""
    house = House(make_settings(), now=lambda: datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    assert house.today == date(2026, 3, 3)
    verdict = judge_ticket(make_ticket(expires=expires), templates, house.settings, house.today)
    assert [(one.field, one.code) for one in verdict.problems] == expected


# --- the whole answer -------------------------------------------------------------------------


def test_every_problem_is_told_at_once(templates: dict[str, Template]) -> None:
    ticket = make_research(
        legal_basis="", reference="", expires="", approver=None, template="", ethics="", dpo=None,
        components=(), parameters="x", recurrence="x",
    )  # fmt: skip
    verdict = judge(ticket, templates)
    fields = {problem.field for problem in verdict.problems}
    assert fields == set(NAMES) - {"purpose", "colleagues"}
    text = write_refusal("DATA-1", verdict, NAMES)
    assert all(NAMES[field] in text.replace("\\", "") for field in fields)


def test_a_reference_of_research_is_judged_while_its_basis_is_still_unknown(
    templates: dict[str, Template],
) -> None:
    unknown = [("legal_basis", "missing")]
    for reference in ("F20260114093012", "DR-2026-031"):
        ticket = make_research(legal_basis="", reference=reference)
        assert problems(ticket, templates) == unknown
    found = problems(make_research(legal_basis="", reference="en cours"), templates)
    assert found == [*unknown, ("reference", "not_a_reference")]


def test_our_own_words_stand_in_for_a_name_that_jira_does_not_give() -> None:
    problem = Problem("expires", "missing", "", "2027-12-31")
    assert "Échéance" in explain_problem(problem, "fr")
    assert "expiry" in explain_problem(problem, "en")


def test_long_values_and_many_lines_fit_into_a_comment(templates: dict[str, Template]) -> None:
    ticket = make_research(
        purpose="p" * 40_000, reference="r" * 40_000, approver=Person("x", "n" * 9_000),
        template="t" * 40_000, components=tuple("c" * 200 + str(n) for n in range(100)),
        parameters="\n".join(f"x{n} {'y' * 90}" for n in range(5_000)),
    )  # fmt: skip
    verdict = judge(ticket, templates)
    assert len(verdict.problems) > 5_000
    text = write_refusal("DATA-1", verdict, NAMES)
    assert len(text) < 32_767
    assert "autres lignes" in text


def test_a_template_whose_data_the_unit_lacks_names_the_unit(
    templates: dict[str, Template],
) -> None:
    settings = make_settings(sources={})
    codes = {code for _, code in problems(make_ticket(), templates, settings)}
    assert codes == {"no_source"}


CLOSED = [{"purposes": ["research"]}, {"services": ["Hygiène hospitalière"]}]


@pytest.mark.parametrize("closed", CLOSED, ids=["purpose", "service"])
def test_a_source_that_is_not_open_to_the_request_is_refused(
    templates: dict[str, Template], closed: dict[str, list[str]]
) -> None:
    def unit(*names: str) -> Settings:
        file = {"path": "a.csv", "sensitivity": "sensitive"}
        sources = {
            name: file | {"kind": "spf-hospital"} | (closed if name == "study" else {})
            for name in names
        }
        return make_settings(sources=sources | {"flow": file | {"kind": "spf-admissions"}})

    asked = make_ticket(parameters="source.hospital = study")
    verdict = judge(asked, templates, unit("study", "open"))
    (problem,) = verdict.problems
    assert (problem.code, problem.found, problem.name) == ("source_closed", "study", "hospital")
    assert problem.example == "source.hospital = open"
    follows = replace(asked, parameters=problem.example)
    request = judge(follows, templates, unit("study", "open")).request
    assert request is not None
    assert request.sources["hospital"] == "open"
    by_default = judge(make_ticket(), templates, unit("study", "open")).request
    assert by_default is not None
    assert by_default.sources["hospital"] == "open"
    for ticket in (asked, make_ticket()):
        (problem,) = judge(ticket, templates, unit("study")).problems
        assert (problem.code, problem.example) == ("no_open_source", "")
        for language in LANGUAGES:
            assert "hospital" in explain_problem(problem, language, NAMES)


def test_the_same_source_is_open_to_whom_it_is_for(templates: dict[str, Template]) -> None:
    file = {"path": "a.csv", "sensitivity": "sensitive", "purposes": ["research"]}
    kinds = {"spf": "spf-hospital", "flow": "spf-admissions"}
    settings = make_settings(sources={name: file | {"kind": kind} for name, kind in kinds.items()})
    assert judge(RESEARCH, templates, settings).request is not None
    assert judge(make_ticket(), templates, settings).request is None


def test_english_is_answered_in_english(templates: dict[str, Template]) -> None:
    assert judge(make_ticket(language="English"), templates).language == "en"


hostile = st.text(max_size=60) | st.sampled_from(
    ["{0.__class__}", "%s", "${x}", "\u202e", "a\x00b", "{found}", "\r\n/close"]
)
people = st.none() | st.builds(Person, hostile, hostile)


TEXTS = (
    *("summary", "description", "purpose", "legal_basis", "reference", "expires"),
    *("template", "parameters", "language", "ethics", "recurrence"),
)


@given(
    fields=st.fixed_dictionaries(
        dict.fromkeys(TEXTS, hostile) | dict.fromkeys(["approver", "dpo"], people)
    )
)
def test_whatever_a_ticket_says_the_gate_answers_in_words(
    fields: dict[str, object], templates: dict[str, Template]
) -> None:
    verdict = judge_ticket(make_ticket(**fields), templates, make_settings(), TODAY)
    for problem in verdict.problems:
        for language in LANGUAGES:
            assert explain_problem(problem, language)
