"""answer: the ticket says where the deliverable is, and how to check and open it."""

from __future__ import annotations

from pipelines.decide import wakes_at
from pipelines.house import House
from pipelines.steps.notices import intend, intend_notices, language_of
from pipelines.steps.prepare import request_of
from requests_sync.foreign_text import quote_for_jira
from wardbook.domain.record import Deliverable, Record
from wardbook.domain.states import State
from wardbook.messages import Language, say


def answer_ticket(house: House, record: Record) -> Record:
    """Intend the answer: a comment, a link for each deliverable, and the ticket's last status."""
    target = State.ANSWERED
    language = language_of(house, record)
    template = house.templates[request_of(record).template]
    deliverables = [d for d in record.links.deliverables if d.run == record.work.run]
    lines = "\n".join(_line(deliverable, language) for deliverable in deliverables)
    comment = say(
        language,
        "notice.answered",
        key=record.key,
        title=quote_for_jira(template.spec.title.in_language(language)),
        lines=lines,
    )
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
        for deliverable in deliverables
    ]
    return house.ledger.move(
        record,
        target,
        now=house.now(),
        intents=[*links, *intend_notices(house, record, target, comment)],
        due_at=wakes_at(record, house.zone, house.settings.unit.expiry_notice_days),
    )


def _line(deliverable: Deliverable, language: Language) -> str:
    return say(
        language,
        f"notice.line_{deliverable.channel}",
        address=deliverable.address,
        file=deliverable.file,
        opened=deliverable.plain_name or deliverable.file.removesuffix(".gpg"),
    )
