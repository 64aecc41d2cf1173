"""The card: all that an analyst wants to know of a request, in the desk's language.

Texts of the requester (title, question, parameters, reference) are foreign: they stay plain text,
without control characters, which the panel shows as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.bench.subject import Data, is_expired
from requests_sync.foreign_text import drop_controls, title_of
from wardbook.domain.record import Record
from wardbook.domain.request import Request
from wardbook.domain.states import Actor, State
from wardbook.ledger.history import Event
from wardbook.messages import Language, say, topic_texts
from wardbook.settings import Settings
from wardbook.template.spec import Template


@dataclass(frozen=True)
class ParameterLine:
    """A parameter as the branch has it."""

    name: str
    label: str
    text: str


@dataclass(frozen=True)
class SourceLine:
    """A source: which of the unit's stands for it, and why it may not be read, if so."""

    name: str
    label: str
    source: str
    sensitivity: str
    sensitivity_label: str
    twin: bool
    refused: str


@dataclass(frozen=True)
class HistoryLine:
    """One event: when (ISO 8601, UTC), what, who."""

    at: str
    text: str
    actor: str


@dataclass(frozen=True)
class KernelLine:
    """The notebook's kernel, and why it cannot be started, if so."""

    name: str
    problem: str


@dataclass(frozen=True)
class GitLine:
    """How the clone stands to the branch that it knows."""

    branch: str
    changed: bool = False
    ahead: int = 0
    behind: int = 0
    gone: bool = False


@dataclass(frozen=True)
class Card:
    """What the panel shows of a request."""

    key: str
    title: str
    question: str
    requester: str
    service: str
    purpose: str
    purpose_label: str
    basis: str
    reference: str
    expires: str
    expired: bool
    parameters: tuple[ParameterLine, ...]
    sources: tuple[SourceLine, ...]
    state: str
    state_label: str
    history: tuple[HistoryLine, ...]
    issue_url: str
    ticket_url: str
    merge_request_url: str
    template: str
    template_title: str
    language: Language
    data: Data
    notebook: str
    kernel: KernelLine
    git: GitLine
    trial: Mapping[str, Any] | None
    is_try: bool
    note: str


@dataclass(frozen=True)
class Seen:
    """What stands on the desk besides what the ledger knows.

    `texts` are the parameters as they stand in the request's folder, `twins` the sources, by the
    template's name, of which there is a stand-in; `notebook` is its path from the server's root.
    """

    texts: Mapping[str, str]
    twins: AbstractSet[str]
    events: Sequence[Event]
    data: Data
    notebook: str
    kernel_problem: str
    git: GitLine
    trial: Mapping[str, Any] | None
    is_try: bool = False


def draw_card(
    record: Record,
    request: Request,
    template: Template,
    settings: Settings,
    seen: Seen,
    today: date,
    language: Language,
) -> Card:
    """Draw the card of a request, or of a try."""
    ticket = record.ticket
    return Card(
        key=record.key,
        title=title_of(request.title),
        question=drop_controls(request.question),
        requester=title_of(request.requester_name),
        service="" if seen.is_try else request.service,
        purpose=request.purpose,
        purpose_label="" if seen.is_try else say(language, f"site.purpose_{request.purpose}"),
        basis=_tell_basis(request, language),
        reference=title_of(request.reference),
        expires="" if seen.is_try else request.expires,
        expired=is_expired(request, today),
        parameters=tuple(
            ParameterLine(name, one.label.in_language(language), drop_controls(seen.texts[name]))
            for name, one in template.spec.parameters.items()
            if seen.texts.get(name)
        ),
        sources=tuple(_draw_sources(request, template, settings, seen, language)),
        state=record.state.value,
        state_label=tell_state(record.state, language) if not seen.is_try else "",
        history=tuple(_draw_event(one, settings, language) for one in reversed(seen.events)),
        issue_url=record.links.issue_url or "",
        ticket_url="" if seen.is_try else f"{settings.jira.url.rstrip('/')}/browse/{ticket.key}",
        merge_request_url=record.links.merge_request_url or "",
        template=template.spec.name,
        template_title=template.spec.title.in_language(language),
        language=request.language,
        data=seen.data,
        notebook=seen.notebook,
        kernel=KernelLine(template.spec.kernel, seen.kernel_problem),
        git=seen.git,
        trial=seen.trial,
        is_try=seen.is_try,
        note=tell_note(request, settings, seen.is_try, today, language),
    )


def tell_note(
    request: Request, settings: Settings, is_try: bool, today: date, language: Language
) -> str:
    """Return what the analyst has to know before all else; "" where there is nothing."""
    if is_try:
        project = settings.jira.project
        return say(language, "bench.card_try", template=request.template, project=project)
    if is_expired(request, today):
        return say(language, "bench.card_expired", key=request.key, expires=request.expires)
    return ""


def find_refusal(
    name: str, chosen: str, request: Request, settings: Settings, language: Language
) -> str:
    """Return the gate's own sentence where a source is closed to this request; "" where it is open.

    Args:
        name: of the source in the template.
        chosen: of the source in the settings.
        request: whose purpose and service count.
        settings: where the sources stand.
        language: of the sentence.
    """
    source = settings.sources.get(chosen)
    if source is None:
        return say(language, "gate.unknown_source", name=name, found=chosen)
    if not source.is_open_to(request.purpose, request.service):
        return say(language, "gate.source_closed", name=name, found=chosen)
    return ""


def tell_state(state: State, language: Language) -> str:
    """Return a state in words, as the site of the unit tells it."""
    return say(language, f"site.state_{state}")


def _tell_basis(request: Request, language: Language) -> str:
    return say(language, f"form.legal_basis_{request.legal_basis}") if request.legal_basis else ""


def _draw_sources(
    request: Request, template: Template, settings: Settings, seen: Seen, language: Language
) -> list[SourceLine]:
    lines = []
    for name, declared in template.spec.sources.items():
        chosen = request.sources.get(name)
        if chosen is None:
            continue
        source = settings.sources.get(chosen)
        sensitivity = source.sensitivity if source else declared.sensitivity
        refused = "" if seen.is_try else find_refusal(name, chosen, request, settings, language)
        lines.append(
            SourceLine(
                name=name,
                label=declared.label.in_language(language),
                source=chosen,
                sensitivity=sensitivity.value,
                sensitivity_label=say(language, f"site.sensitivity_{sensitivity}"),
                twin=name in seen.twins,
                refused=refused,
            )
        )
    return lines


def _draw_event(event: Event, settings: Settings, language: Language) -> HistoryLine:
    texts = topic_texts(language, "bench")
    text = texts.get(f"card_event_{event.event.replace('.', '_')}", event.event)
    actor = (
        say(language, f"bench.card_actor_{event.actor}")
        if event.actor in {*Actor}
        else settings.name_of(event.actor)
    )
    return HistoryLine(event.at, text, title_of(actor))
