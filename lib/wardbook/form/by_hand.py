"""A whole ticket of a template, as one writes it by hand: an example that the gate accepts."""

from __future__ import annotations

from datetime import date

from wardbook.form.rules import GateRules
from wardbook.form.wording import write_word
from wardbook.messages import Language, say
from wardbook.settings import Settings
from wardbook.template.spec import TemplateSpec


def example_ticket(
    spec: TemplateSpec, settings: Settings, gate: GateRules, language: Language, today: date
) -> dict[str, str]:
    """Return the text of each field of a ticket; `approver` and `dpo` are accounts.

    Fields that may stay empty are left out, as are sources, which the unit chooses by itself.
    """
    purpose = spec.purposes[0]
    bases = gate.legal_bases[purpose]
    basis = next(iter(bases.values()))
    service, first = next(iter(settings.services.items()))
    approver = first.approvers[0] if first.approvers else ""
    fields = {
        "summary": say(language, "form.summary_example"),
        "description": spec.question.in_language(language),
        "components": service,
        "purpose": write_word("purpose", purpose, gate.purposes, settings, language),
        "legal_basis": write_word("legal_basis", basis, bases, settings, language),
        "reference": _first(gate.references[basis].example),
        "expires": f"{today.year + 1}-12-31",
        "approver": approver,
    }
    if purpose == "research":
        officers = settings.unit.data_protection_officers
        fields["ethics"] = _first(gate.references["ethics"].example)
        fields["dpo"] = next((one for one in officers if one != approver), officers[0])
    lines = (f"{name} = {one.example}" for name, one in spec.parameters.items())
    return {**fields, "template": spec.name, "parameters": "\n".join(lines)}


def _first(examples: str) -> str:
    return examples.partition(" | ")[0]
