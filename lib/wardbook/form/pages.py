"""The pages of the forms, one for each template of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from wardbook.form.by_hand import example_ticket
from wardbook.form.controls import Part, lay_out
from wardbook.form.rules import GateRules, write_rules
from wardbook.messages import Language
from wardbook.pages.catalogue import describe_templates
from wardbook.pages.page import Page
from wardbook.report.voice import Voice
from wardbook.settings import Settings
from wardbook.template.spec import Template

FILTERED = 12
"""A list of more choices than this gets a field to search it by."""


@dataclass(frozen=True)
class FieldByHand:
    """A field of the ticket: what it is called, what goes into it, and an example."""

    label: str
    hints: tuple[str, ...]
    example: str


def form_pages(
    templates: Mapping[str, Template],
    settings: Settings,
    gate: GateRules,
    language: Language,
    today: date,
) -> tuple[Page, ...]:
    """Return the page `catalogue/<template>/request/index.html` of each template.

    Args:
        templates: the catalogue, by name.
        settings: services, people, sources, and what Jira's fields are called.
        gate: the rules that hold for every ticket.
        language: of the pages.
        today: the day in the unit's zone, for the example ticket's expiry. The browser takes its
            own day for what it judges.
    """
    return tuple(
        Page(
            file=f"catalogue/{name}/request/index.html",
            template="form.html.j2",
            words=_words(template, templates, settings, gate, language, today),
        )
        for name, template in templates.items()
    )


def _words(
    template: Template,
    templates: Mapping[str, Template],
    settings: Settings,
    gate: GateRules,
    language: Language,
    today: date,
) -> dict[str, object]:
    voice = Voice(language)
    parts = lay_out(template, settings, gate, voice)
    example = example_ticket(template.spec, settings, gate, language, today)
    rules = write_rules(template.spec, templates, settings, gate, language)
    (entry,) = describe_templates({"": template}, voice)
    return {
        "name": template.spec.name,
        "entry": entry,
        "parts": parts,
        "by_hand": _tell_by_hand(parts, example, settings, voice),
        "rules": json.dumps(rules, ensure_ascii=False, separators=(",", ":")),
        "jira": settings.jira.url,
        "project": settings.jira.project,
        "has_link": settings.jira.create is not None,
        "filtered": FILTERED,
    }


def _tell_by_hand(
    parts: list[Part], example: Mapping[str, str], settings: Settings, voice: Voice
) -> list[FieldByHand]:
    say = voice.say
    asked = {one.name: one for part in parts for one in part.controls}
    own = {"parameters": "parameters_hint", "template": "template_hint"}
    order = [*example, *(one for one in ("recurrence", "colleagues", "language") if one in asked)]
    order += [one for one in ("ethics", "dpo") if one in asked and one not in example]
    told = []
    for field in order:
        if field in own:
            hints: tuple[str, ...] = (say(f"form.{own[field]}"),)
        elif field == "components":
            hints = (say("form.components_hint"),)
        else:
            hints = asked[field].hints
        if field in asked and asked[field].research and field not in example:
            hints = (say("form.only_research"), *hints)
        topic = "form" if field in ("summary", "description", "language") else "gate"
        text = example.get(field) or (asked[field].value if field in asked else "")
        shown = settings.name_of(text) if field in ("approver", "dpo") else text
        told.append(FieldByHand(say(f"{topic}.field_{field}"), hints, shown))
    return told
