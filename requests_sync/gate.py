"""The gate: may this ticket run? A pure decision; nothing is read or written here.

Every problem is found, not only the first, so that a requester mends the ticket once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from requests_sync.legal import judge_approver, judge_ground, missing_or, offer
from requests_sync.recurrence import judge_recurrence
from wardbook.domain.record import Problem
from wardbook.domain.request import Purpose, Request
from wardbook.domain.ticket import Ticket
from wardbook.messages import LANGUAGES, Language, say
from wardbook.settings import ServiceSettings, Settings, SourceSettings
from wardbook.template.from_period import example_period
from wardbook.template.parameters import (
    SOURCE_PREFIX,
    example_lines,
    shorten,
    split_lines,
    type_parameters,
)
from wardbook.template.spec import Template
from wardbook.typed_text import tidy

MOST_COLLEAGUES = 10
"""What goes to more people is not for one request's sealed files."""


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
    ground = judge_ground(ticket, settings, today, problems)
    service_name, service = _service(ticket, settings, problems)
    judge_approver(ticket, service, settings, problems)
    template = _template(ticket, templates, ground.purpose, problems)
    recurrence = judge_recurrence(ticket, template, settings, problems)
    # Nothing is asked for that a period gives, as soon as one may be meant.
    recurs = recurrence is None or recurrence.every != "once"
    colleagues = _colleagues(ticket, problems)
    parameters, chosen = _parameters(ticket, template, problems, recurs=recurs)
    sources = {}
    if template is not None:
        sources = _sources(chosen, template, settings, ground.purpose, service_name, problems)
    if (
        problems
        or ground.purpose is None
        or template is None
        or ticket.approver is None
        or recurrence is None
    ):
        return Verdict(None, tuple(problems), language)
    request = Request(
        key=ticket.key,
        title=ticket.summary,
        question=ticket.description,
        service=service_name,
        requester=ticket.reporter.username,
        requester_name=ticket.reporter.name,
        purpose=ground.purpose,
        legal_basis=ground.basis,
        reference=ground.reference,
        expires=ground.expires,
        approver=ticket.approver,
        template=template.spec.name,
        parameters=parameters,
        sources=sources,
        language=language,
        ethics=ground.ethics,
        dpo=ground.dpo,
        every=recurrence.every,
        zone=recurrence.zone,
        catch_up=recurrence.catch_up,
        max_catch_up=recurrence.max_catch_up,
        colleagues=colleagues,
    )
    return Verdict(request, (), language)


def explain_problem(
    problem: Problem, language: Language, names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Say one problem in the requester's words: the field, what was found, a valid example.

    Args:
        problem: as the gate found it.
        language: the requester's.
        names: what the unit's Jira calls each field; our own word where it does not say.
    """
    field = names.get(problem.field) or say(language, f"gate.field_{problem.field}")
    text = say(language, f"gate.{problem.code}", name=problem.name, found=problem.found)
    parts = [say(language, "gate.line", field=field, problem=text)]
    if problem.example:
        parts.append(say(language, "gate.example", example=problem.example))
    return " ".join(parts)


def _language(ticket: Ticket, settings: Settings) -> Language:
    wanted = tidy(ticket.language)[:2].casefold()
    return next((known for known in LANGUAGES if known == wanted), settings.unit.language)


def _colleagues(ticket: Ticket, problems: list[Problem]) -> tuple[str, ...]:
    named = dict.fromkeys(one.username for one in ticket.colleagues)
    others = tuple(one for one in named if one != ticket.reporter.username)
    if len(others) > MOST_COLLEAGUES:
        found = str(len(others))
        problems.append(Problem("colleagues", "too_many_colleagues", found))
    return others


def _service(
    ticket: Ticket, settings: Settings, problems: list[Problem]
) -> tuple[str, ServiceSettings | None]:
    components = [component.strip() for component in ticket.components]
    known = [name for name in components if name in settings.services]
    others = [name for name in components if name not in settings.services]
    if len(known) == 1 and not others:
        return known[0], settings.services[known[0]]
    shown, example = components, offer(list(settings.services))
    if not components:
        code = "missing"
    elif not known:
        code = "unmapped_service"
    elif len(known) == 1:
        code, shown, example = "other_components", others, known[0]
    else:
        code = "several_services"
    problems.append(Problem("components", code, shorten(", ".join(shown)), example))
    return "", None


def _template(
    ticket: Ticket,
    templates: Mapping[str, Template],
    purpose: Purpose | None,
    problems: list[Problem],
) -> Template | None:
    template = templates.get(tidy(ticket.template))
    if template is None:
        code = missing_or(ticket.template, "unknown_template")
        problems.append(Problem("template", code, shorten(ticket.template), offer(list(templates))))
    elif purpose is not None and purpose not in template.spec.purposes:
        fitting = [name for name, one in templates.items() if purpose in one.spec.purposes]
        problems.append(
            Problem("template", "purpose_not_allowed", template.spec.name, offer(fitting))
        )
    return template


def _parameters(
    ticket: Ticket,
    template: Template | None,
    problems: list[Problem],
    *,
    recurs: bool,
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of the parameters, and those that choose a source, by its name."""
    lines = example_lines(template.spec) if template else []
    texts, line_problems = split_lines(ticket.parameters, *lines[:1])
    problems += line_problems
    if template is None:
        return {}, {}
    chosen = {
        name.removeprefix(SOURCE_PREFIX): texts.pop(name)
        for name in list(texts)
        if name.startswith(SOURCE_PREFIX)
    }
    given = {name: text for name, text in texts.items() if text}
    from_period = example_period(template.spec) if recurs else {}
    _, wrong = type_parameters(template.spec, from_period | given)
    problems += wrong
    return texts, chosen


def _sources(
    chosen: dict[str, str],
    template: Template,
    settings: Settings,
    purpose: Purpose | None,
    service: str,
    problems: list[Problem],
) -> dict[str, str]:
    """Return which source of the settings stands for each that the template declares."""
    sources: dict[str, str] = {}
    lines = []
    for name, source in template.spec.sources.items():
        fitting = {n: s for n, s in settings.sources.items() if s.fits(source.kind)}
        open_ones = {n: s for n, s in fitting.items() if s.is_open_to(purpose, service)}
        offered = [f"{SOURCE_PREFIX}{name} = {one}" for one in open_ones]
        lines += offered
        picked = chosen.pop(name, None) or _default_source(open_ones)
        if picked in open_ones:
            sources[name] = picked
        elif picked is not None or source.required:
            code = "source_closed" if picked in fitting else "unknown_source"
            if not open_ones:
                code = "no_open_source" if fitting else "no_source"
            example = offer(offered)
            problems.append(Problem("parameters", code, shorten(picked or ""), example, name))
    code = "unknown_parameter" if lines else "takes_no_sources"
    problems += (
        Problem("parameters", code, "", offer(lines), shorten(SOURCE_PREFIX + name))
        for name in chosen
    )
    return sources


def _default_source(fitting: Mapping[str, SourceSettings]) -> str | None:
    marked = [name for name, source in fitting.items() if source.default]
    return next(iter(marked or fitting), None)
