"""How often a ticket asks for its answer: a word, the template's own schedule, or cron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wardbook.domain.cron import Unfit, check_cron
from wardbook.domain.periods import CatchUp
from wardbook.domain.record import Problem
from wardbook.domain.ticket import Ticket
from wardbook.settings import Settings
from wardbook.template.parameters import shorten
from wardbook.template.spec import ScheduleSpec, Template
from wardbook.typed_text import pick, tidy

AS_TEMPLATE = "template"
RECURRENCES: Mapping[str, str] = {
    "": "once",
    "une fois": "once",
    "once": "once",
    "quotidienne": "daily",
    "daily": "daily",
    "hebdomadaire": "weekly",
    "weekly": "weekly",
    "mensuelle": "monthly",
    "monthly": "monthly",
    "selon le modèle": AS_TEMPLATE,
    "as the template says": AS_TEMPLATE,
}
WORDS_EXAMPLE = "Une fois | Quotidienne | Hebdomadaire | Mensuelle"
CRON_EXAMPLE = "0 6 * * 1"


@dataclass(frozen=True)
class Recurrence:
    """As in Request."""

    every: str = "once"
    zone: str = ""
    catch_up: CatchUp = "latest"
    max_catch_up: int = 31


def judge_recurrence(
    ticket: Ticket, template: Template | None, settings: Settings, problems: list[Problem]
) -> Recurrence | None:
    """Judge the recurrence field; adds what is wrong, and is then None.

    The ticket says when; zone and catch-up are the template's, where it has a schedule.
    """
    declared = template.spec.schedule if template else None
    every = _every(ticket, template, declared, problems)
    if every is None:
        return None
    if every == "once":
        return Recurrence()
    zone = settings.unit.time_zone
    if declared is None:
        return Recurrence(every, zone)
    return Recurrence(every, declared.zone or zone, declared.catch_up, declared.max_catch_up)


def _every(
    ticket: Ticket,
    template: Template | None,
    declared: ScheduleSpec | None,
    problems: list[Problem],
) -> str | None:
    text = tidy(ticket.recurrence)
    word = pick(text, RECURRENCES)
    if word is not None and word != AS_TEMPLATE:
        return word
    if word == AS_TEMPLATE:
        if declared is not None:
            return declared.cron
        if template is not None:  # else that is the problem
            example = f"Hebdomadaire | {CRON_EXAMPLE}"
            name = template.spec.name
            problems.append(
                Problem("recurrence", "no_template_schedule", shorten(text), example, name)
            )
        return None
    if not any(char.isdigit() or char == "*" for char in text):
        example = f"{WORDS_EXAMPLE} | {CRON_EXAMPLE}"
        problems.append(Problem("recurrence", "unknown_recurrence", shorten(text), example))
        return None
    try:
        return check_cron(text)
    except Unfit as unfit:
        problems.append(Problem("recurrence", unfit.code, shorten(text), CRON_EXAMPLE))
        return None
