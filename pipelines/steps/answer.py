"""answer: the ticket says what came out, where it is, and how to open and check it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress

from pipelines.answer_text import (
    Answer,
    Asked,
    tell_addresses,
    tell_figures,
    write_answer,
    write_figures,
)
from pipelines.decide import wakes_at
from pipelines.headlines import headlines_of
from pipelines.house import House
from pipelines.leaving import check_payload
from pipelines.provenance import Finished, told_parameters
from pipelines.steps.notices import intend, intend_mail, intend_notices, language_of
from pipelines.steps.prepare import request_of
from wardbook.domain.output import Channel, Verdict, releasable, worst_of
from wardbook.domain.record import Deliverable, Intent, Record
from wardbook.domain.states import State
from wardbook.errors import Fault, WardbookError
from wardbook.headlines import Headline
from wardbook.messages import Language, say
from wardbook.template.spec import TemplateSpec
from wardbook.typed_text import parse_day

log = logging.getLogger(__name__)


def answer_ticket(house: House, record: Record) -> Record:
    """Intend the answer: a comment, a link for each deliverable, and the ticket's last status."""
    target, language = State.ANSWERED, language_of(house, record)
    answer = compose_answer(house, record, language)
    comment = write_answer(answer, language)
    links = [
        intend(
            record,
            target,
            "jira.link",
            deliverable.name,
            what=deliverable.name,
            url=deliverable.address,
            title=say(language, f"notice.link_{deliverable.channel}", key=record.key),
        )
        for deliverable in deliverables_of(record)
        if deliverable.channel is not Channel.TICKET  # it is on the ticket
    ]
    mail = intend_mail(
        house,
        record,
        target,
        "answered",
        title=answer.asked.title,
        lines=tell_by_mail(house, answer, language),
    )
    notices: list[Intent] = [*links, *intend_notices(house, record, target, comment), *mail]
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=notices,
        due_at=wakes_at(record, house.zone, house.settings.unit.expiry_notice_days),
    )


def tell_by_mail(house: House, answer: Answer, language: Language) -> str:
    """Return what a mail tells of the result: links, and figures where the unit allows them."""
    lines = [tell_addresses(answer.deliverables, language)]
    if house.settings.mail is not None and house.settings.mail.figures and answer.headlines:
        lines.insert(0, tell_figures(answer.headlines))
    return "\n\n".join(filter(None, lines))


def compose_answer(house: House, record: Record, language: Language) -> Answer:
    """Return what the answer to a delivered request tells; its figures have passed the checks."""
    deliverables = deliverables_of(record)
    request, done = request_of(record), _finished(house, record)
    spec = house.templates[request.template].spec
    there = {one.name for one in deliverables}
    made = {output.name for output in done.result.outputs} if done else set()
    return Answer(
        key=record.key,
        asked=Asked(
            title=spec.title.in_language(language),
            question=spec.question.in_language(language),
            summary=request.title,
            parameters=_tell_parameters(
                spec, told_parameters(done, request) if done else request.parameters, language
            ),
        ),
        headlines=_checked_headlines(house, record, done, spec),
        deliverables=deliverables,
        unattached=tuple(
            spec.outputs[name].title.in_language(language)
            for name in releasable(record.work.checks)
            if name in made - there and spec.outputs[name].channel is Channel.TICKET
        ),
        kept_days=house.settings.retention.runs_days,
        contact=house.settings.unit.contact,
    )


def deliverables_of(record: Record) -> tuple[Deliverable, ...]:
    """Return what was delivered of the present run."""
    return tuple(one for one in record.links.deliverables if one.run == record.work.run)


def _finished(house: House, record: Record) -> Finished | None:
    """Return the run; None where its folder is gone: the answer is given all the same."""
    try:
        return Finished.of(house, record)
    except Fault:
        return None


def _tell_parameters(
    spec: TemplateSpec, texts: Mapping[str, str], language: Language
) -> tuple[tuple[str, str], ...]:
    """Return what was asked for, in the template's words, with days as the reader writes them."""
    # Imported when there is an answer: a pass with nothing to do stays quick.
    from wardbook.report.voice import Voice

    voice, told = Voice(language), []
    for name, parameter in spec.parameters.items():
        text = texts.get(name, "")
        if text and parameter.type == "date" and not parameter.many:
            with suppress(ValueError):  # else it is shown as it was written
                text = voice.day(parse_day(text).isoformat())
        if text:
            told.append((parameter.label.in_language(language), text))
    return tuple(told)


def _checked_headlines(
    house: House, record: Record, done: Finished | None, spec: TemplateSpec
) -> tuple[Headline, ...] | None:
    """Return the headlines that may stand on the ticket; None where there are some that may not.

    They go another way than the report, so they are read once more as they will be sent. Whatever
    is wrong with them, the requester has the answer without.
    """
    if not spec.headlines:
        return ()
    if done is None:
        return None
    try:
        headlines = headlines_of(done, releasable(record.work.checks))
        if not headlines:
            return ()
        output = next(iter(spec.headlines.values())).output
        told = f"{write_figures(headlines)}\n{tell_figures(headlines)}"
        checks = check_payload(house, record, output, told)
    except (WardbookError, OSError) as error:
        log.warning("%s: answered without figures (%s)", record.key, type(error).__name__)
        return None
    verdict = worst_of(check.verdict for check in checks)
    if verdict is not Verdict.PASS:
        reasons = sorted({one.reason for one in checks if one.verdict is not Verdict.PASS})
        log.warning("%s: answered without figures (%s)", record.key, ", ".join(reasons))
        return None
    return headlines
