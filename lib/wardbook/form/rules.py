"""What a form judges by: the template's declaration, the unit's settings and the gate's own rules.

They go to the page as data, and `site/assets/form_judge.js` judges by them as the gate does
(`requests_sync/gate.py`). Nothing here decides: a test runs both over the same inputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any

from wardbook.domain.cron import LONGEST as LONGEST_CRON
from wardbook.domain.request import Purpose
from wardbook.form.link import write_link
from wardbook.form.patterns import folds_into, in_browser
from wardbook.form.wording import WORDS_OF_JS
from wardbook.messages import Language, topic_texts
from wardbook.settings import Settings
from wardbook.template.parameters import FALSE, TRUE, example_lines
from wardbook.template.spec import ParameterSpec, SourceSpec, Template, TemplateSpec


@dataclass(frozen=True)
class ReferenceRule:
    """The form of a reference, matched as a whole on tidied text, and examples of it."""

    form: re.Pattern[str]
    example: str


@dataclass(frozen=True)
class GateRules:
    """What the gate asks of every ticket.

    `purposes`, `legal_bases` and `recurrences` give each word, case-folded, its meaning;
    `references` are by legal basis, "" for a research whose basis is not known, and `ethics`.
    """

    purposes: Mapping[str, Purpose]
    legal_bases: Mapping[Purpose, Mapping[str, str]]
    references: Mapping[str, ReferenceRule]
    recurrences: Mapping[str, str]
    as_template: str
    longest_reference: int
    most_colleagues: int
    examples: Mapping[str, str]


def write_rules(
    spec: TemplateSpec,
    catalogue: Mapping[str, Template],
    settings: Settings,
    gate: GateRules,
    language: Language,
) -> dict[str, Any]:
    """Return what the form of a template of the catalogue judges by, ready for JSON."""
    choices = (choice for one in spec.parameters.values() for choice in one.choices)
    words = chain(gate.purposes, *gate.legal_bases.values(), gate.recurrences, TRUE, FALSE)
    accounts = [account for one in settings.services.values() for account in one.approvers]
    officers = settings.unit.data_protection_officers
    fields = settings.jira.fields
    return {
        "template": {
            "name": spec.name,
            "purposes": spec.purposes,
            "cron": spec.schedule.cron if spec.schedule else "",
            "lines": example_lines(spec),
        },
        "fitting": {
            purpose: [name for name, one in catalogue.items() if purpose in one.spec.purposes]
            for purpose in gate.legal_bases
        },
        "parameters": [_parameter(name, one) for name, one in spec.parameters.items()],
        "sources": [_source(name, one, settings) for name, one in spec.sources.items()],
        "services": [
            {"name": name, "approvers": one.approvers} for name, one in settings.services.items()
        ],
        "officers": officers,
        "people": {one: settings.name_of(one) for one in dict.fromkeys([*accounts, *officers])},
        "purposes": gate.purposes,
        "bases": gate.legal_bases,
        "references": {
            name: in_browser(one.form) | {"example": one.example}
            for name, one in gate.references.items()
        },
        "recurrences": gate.recurrences,
        "as_template": gate.as_template,
        "yes_no": {"yes": sorted(TRUE), "no": sorted(FALSE)},
        "folds": folds_into(chain(words, choices)),
        "longest": {"reference": gate.longest_reference, "cron": LONGEST_CRON},
        "most_colleagues": gate.most_colleagues,
        "recurs": fields.recurrence is not None,
        "copies": fields.colleagues is not None,
        "examples": gate.examples,
        "zone": settings.unit.time_zone,
        "language": language,
        "gate": topic_texts(language, "gate"),
        "words": {key: topic_texts(language, "form")[key] for key in WORDS_OF_JS},
        "link": write_link(settings),
    }


def _parameter(name: str, one: ParameterSpec) -> dict[str, Any]:
    low, high = one.min, one.max
    if one.type == "date":
        low, high = (date.fromisoformat(str(b)).isoformat() if b is not None else b
                     for b in (low, high))  # fmt: skip
    return {
        "name": name,
        "type": one.type,
        "many": one.many,
        "required": one.required,
        "default": one.default or "",
        "choices": one.choices,
        "min": low,
        "max": high,
        "max_length": one.max_length,
        "example": one.example,
        "from_period": one.from_period is not None,
    }


def _source(name: str, one: SourceSpec, settings: Settings) -> dict[str, Any]:
    return {
        "name": name,
        "required": one.required,
        "fitting": [
            {
                "name": key,
                "purposes": source.purposes,
                "services": source.services,
                "default": source.default,
            }
            for key, source in settings.sources.items()
            if source.fits(one.kind)
        ],
    }
