"""The gate: may this ticket run? A pure decision; nothing is read or written here.

Every problem is found, not only the first, so that a requester mends the ticket once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from wardbook.domain.record import Problem
from wardbook.domain.request import Purpose, Request
from wardbook.domain.ticket import Ticket
from wardbook.messages import LANGUAGES, Language, say
from wardbook.settings import ServiceSettings, Settings, SourceSettings
from wardbook.template.parameters import SOURCE_PREFIX, shorten, split_lines, type_parameters
from wardbook.template.spec import Template

PURPOSES: Mapping[str, Purpose] = {
    "soins": "care",
    "care": "care",
    "recherche": "research",
    "research": "research",
}
LEGAL_BASES: Mapping[Purpose, Mapping[str, str]] = {
    "care": {
        "accord du chef de service": "head_of_service",
        "approval of the head of service": "head_of_service",
    },
    "research": {
        "mr-004": "mr_004",
        "autorisation cnil": "authorisation",
        "authorisation": "authorisation",
    },
}


@dataclass(frozen=True)
class Verdict:
    """The gate's answer: a request, or what the requester has to change."""

    request: Request | None
    problems: tuple[Problem, ...]
    language: Language


def judge_ticket(
    ticket: Ticket, templates: Mapping[str, Template], settings: Settings, today: date
) -> Verdict:
    """Judge a ticket.

    Args:
        ticket: as read from Jira.
        templates: the catalogue, by name.
        settings: services, sources and default language.
        today: the day on which a legal basis must still hold.
    """
    language = _language(ticket, settings)
    problems: list[Problem] = []
    purpose = _purpose(ticket, problems)
    basis = _legal_basis(ticket, purpose, today, problems)
    service_name, service = _service(ticket, settings, problems)
    if service is not None and ticket.approver not in service.approvers:
        problems.append(
            Problem(
                "approver",
                "not_an_approver",
                shorten(ticket.approver),
                ", ".join(service.approvers),
            )
        )
    template = _template(ticket, templates, purpose, problems)
    parameters, sources = _parameters(ticket, template, settings, problems)
    if problems or purpose is None or template is None:
        return Verdict(None, tuple(problems), language)
    request = Request(
        key=ticket.key,
        title=ticket.summary,
        question=ticket.description,
        service=service_name,
        requester=ticket.reporter.username,
        requester_name=ticket.reporter.name,
        purpose=purpose,
        legal_basis=basis,
        reference=ticket.reference,
        expires=ticket.expires,
        approver=ticket.approver,
        template=template.spec.name,
        parameters=parameters,
        sources=sources,
        language=language,
    )
    return Verdict(request, (), language)


def explain_problem(problem: Problem, language: Language) -> str:
    """Say one problem in the requester's words: the field in Jira, what was found, an example."""
    field = say(language, f"gate.field_{problem.field}")
    text = say(language, f"gate.{problem.code}", name=problem.name, found=problem.found)
    parts = [say(language, "gate.line", field=field, problem=text)]
    if problem.example:
        parts.append(say(language, "gate.example", example=problem.example))
    return " ".join(parts)


def shown_parameters(request: Request) -> str:
    """Return a request's parameters and sources as the requester would write them."""
    lines = [f"{name} = {text}" for name, text in request.parameters.items()]
    lines += [f"{SOURCE_PREFIX}{name} = {source}" for name, source in request.sources.items()]
    return "\n".join(lines)


def _language(ticket: Ticket, settings: Settings) -> Language:
    wanted = ticket.language[:2].casefold()
    return next((known for known in LANGUAGES if known == wanted), settings.unit.language)


def _purpose(ticket: Ticket, problems: list[Problem]) -> Purpose | None:
    purpose = PURPOSES.get(ticket.purpose.strip().casefold())
    if purpose is None:
        problems.append(
            Problem(
                "purpose",
                _missing_or(ticket.purpose, "unknown_purpose"),
                shorten(ticket.purpose),
                "Soins | Recherche",
            )
        )
    return purpose


def _legal_basis(
    ticket: Ticket, purpose: Purpose | None, today: date, problems: list[Problem]
) -> str:
    known = {name: code for bases in LEGAL_BASES.values() for name, code in bases.items()}
    allowed = LEGAL_BASES[purpose] if purpose else known
    basis = allowed.get(ticket.legal_basis.strip().casefold(), "")
    if not basis:
        code = _missing_or(ticket.legal_basis, "legal_basis_does_not_fit")
        example = (
            "MR-004 | Autorisation CNIL" if purpose == "research" else "Accord du chef de service"
        )
        problems.append(Problem("legal_basis", code, shorten(ticket.legal_basis), example))
    if not ticket.reference.strip():
        problems.append(Problem("reference", "missing", "", "NOTE-2026-014"))
    try:
        if date.fromisoformat(ticket.expires) < today:
            problems.append(
                Problem("expires", "expired", ticket.expires, f"{today.year + 1}-12-31")
            )
    except ValueError:
        code = _missing_or(ticket.expires, "not_a_date")
        problems.append(
            Problem("expires", code, shorten(ticket.expires), f"{today.year + 1}-12-31")
        )
    return basis


def _service(
    ticket: Ticket, settings: Settings, problems: list[Problem]
) -> tuple[str, ServiceSettings | None]:
    example = " | ".join(settings.services)
    if len(ticket.components) != 1:
        code = "missing" if not ticket.components else "several_services"
        problems.append(Problem("components", code, shorten(", ".join(ticket.components)), example))
        return "", None
    name = ticket.components[0]
    service = settings.services.get(name)
    if service is None:
        problems.append(Problem("components", "unmapped_service", shorten(name), example))
    return name, service


def _template(
    ticket: Ticket,
    templates: Mapping[str, Template],
    purpose: Purpose | None,
    problems: list[Problem],
) -> Template | None:
    template = templates.get(ticket.template.strip())
    if template is None:
        code = _missing_or(ticket.template, "unknown_template")
        problems.append(Problem("template", code, shorten(ticket.template), " | ".join(templates)))
    elif purpose is not None and purpose not in template.spec.purposes:
        problems.append(Problem("template", "purpose_not_allowed", name=template.spec.name))
    return template


def _parameters(
    ticket: Ticket, template: Template | None, settings: Settings, problems: list[Problem]
) -> tuple[dict[str, str], dict[str, str]]:
    texts, line_problems = split_lines(ticket.parameters)
    problems += line_problems
    if template is None:
        return {}, {}
    chosen = {
        name.removeprefix(SOURCE_PREFIX): texts.pop(name)
        for name in list(texts)
        if name.startswith(SOURCE_PREFIX)
    }
    _, wrong = type_parameters(template.spec, texts)
    problems += wrong
    sources: dict[str, str] = {}
    for name, source in template.spec.sources.items():
        fitting = {n: s for n, s in settings.sources.items() if s.kind == source.kind}
        picked = chosen.pop(name, None) or _default_source(fitting)
        if picked in fitting:
            sources[name] = picked
        elif picked is not None or source.required:
            problems.append(
                Problem(
                    "parameters",
                    "unknown_source",
                    shorten(picked or ""),
                    f"{SOURCE_PREFIX}{name} = {' | '.join(fitting)}",
                    name,
                )
            )
    problems += _unknown_sources(chosen, template)
    return texts, sources


def _default_source(fitting: Mapping[str, SourceSettings]) -> str | None:
    marked = [name for name, source in fitting.items() if source.default]
    return next(iter(marked or fitting), None)


def _unknown_sources(chosen: Mapping[str, Any], template: Template) -> Iterator[Problem]:
    for name in chosen:
        yield Problem(
            "parameters",
            "unknown_parameter",
            name=shorten(SOURCE_PREFIX + name),
            example=", ".join(SOURCE_PREFIX + known for known in template.spec.sources),
        )


def _missing_or(text: str, code: str) -> str:
    return code if text.strip() else "missing"
