"""The unit's templates, as the catalogue tells them to a requester."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wardbook.pages.address import slug_of
from wardbook.report.voice import Voice
from wardbook.template.spec import OutputSpec, ParameterSpec, Template, TemplateSpec


@dataclass(frozen=True)
class ParameterEntry:
    """A parameter in words."""

    name: str
    label: str
    help: str
    type: str
    bounds: str
    need: str
    example: str


@dataclass(frozen=True)
class OutputEntry:
    """A declared output in words; `sensitivity` is its value, for the style."""

    name: str
    title: str
    kind: str
    sensitivity: str
    channel: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CatalogueEntry:
    """A template in words; `sources` holds label and whether it is required.

    `ticket` is an example of a ticket that asks for it, as text to copy.
    """

    name: str
    version: str
    title: str
    question: str
    purposes: tuple[str, ...]
    parameters: tuple[ParameterEntry, ...]
    sources: tuple[tuple[str, bool], ...]
    outputs: tuple[OutputEntry, ...]
    ticket: str

    @property
    def reports(self) -> str:
        """The folder of the list of its reports, relative to the site's root."""
        return f"results/topic/{slug_of(self.name)}"

    @property
    def method(self) -> str:
        """The sheet of its indicators in the documentation, relative to the site's root."""
        return f"docs/methods/{self.name}.html"


def describe_templates(
    templates: Mapping[str, Template], voice: Voice
) -> tuple[CatalogueEntry, ...]:
    """Return the catalogue's entries, by title."""
    entries = (_describe(template, voice) for template in templates.values())
    return tuple(sorted(entries, key=lambda entry: (entry.title.casefold(), entry.name)))


def _describe(template: Template, voice: Voice) -> CatalogueEntry:
    spec = template.spec
    return CatalogueEntry(
        name=spec.name,
        version=spec.version,
        title=spec.title.in_language(voice.language),
        question=spec.question.in_language(voice.language),
        purposes=tuple(voice.say(f"site.purpose_{purpose}") for purpose in spec.purposes),
        parameters=tuple(
            _describe_parameter(name, parameter, voice)
            for name, parameter in spec.parameters.items()
        ),
        sources=tuple(
            (source.label.in_language(voice.language), source.required)
            for source in spec.sources.values()
        ),
        outputs=tuple(
            _describe_output(name, output, voice) for name, output in spec.outputs.items()
        ),
        ticket=_write_ticket(spec, voice),
    )


def _write_ticket(spec: TemplateSpec, voice: Voice) -> str:
    """Return an example ticket: each field of it with a value, or in ‹› what to put there."""
    purpose = spec.purposes[0]
    fields = {
        "site.ticket_summary": spec.title.in_language(voice.language),
        "gate.field_components": voice.say("site.ticket_service"),
        "gate.field_purpose": voice.say(f"site.purpose_{purpose}"),
        "gate.field_legal_basis": voice.say(f"site.ticket_basis_{purpose}"),
        "gate.field_reference": voice.say(f"site.ticket_reference_{purpose}"),
        "gate.field_expires": voice.say("site.ticket_expires"),
        "gate.field_approver": voice.say("site.ticket_approver"),
    }
    if purpose == "research":
        fields["gate.field_ethics"] = voice.say("site.ticket_ethics")
        fields["gate.field_dpo"] = voice.say("site.ticket_dpo")
    fields["gate.field_template"] = spec.name
    lines = [voice.say("site.ticket_line", field=voice.say(f), value=v) for f, v in fields.items()]
    given = [f"{name} = {one.example}" for name, one in spec.parameters.items()]
    if given:
        lines.append(
            voice.say("site.ticket_line", field=voice.say("gate.field_parameters"), value="")
        )
    return "\n".join(line.rstrip() for line in (*lines, *given))


def _describe_parameter(name: str, spec: ParameterSpec, voice: Voice) -> ParameterEntry:
    kind = voice.say(f"site.type_{spec.type}")
    if spec.default is not None:
        need = voice.say("site.by_default", value=spec.default)
    else:
        need = voice.say("site.required" if spec.required else "site.optional")
    return ParameterEntry(
        name=name,
        label=spec.label.in_language(voice.language),
        help=spec.help.in_language(voice.language) if spec.help else "",
        type=voice.say("site.many", type=kind) if spec.many else kind,
        bounds=_describe_bounds(spec, voice),
        need=need,
        example=spec.example,
    )


def _describe_bounds(spec: ParameterSpec, voice: Voice) -> str:
    if spec.choices:
        return ", ".join(spec.choices)
    if spec.type == "text":
        return voice.say("site.at_most_characters", count=spec.max_length)
    low, high = (_describe_bound(bound, spec, voice) for bound in (spec.min, spec.max))
    if low and high:
        return voice.say("site.between", low=low, high=high)
    if low:
        return voice.say("site.at_least", low=low)
    return voice.say("site.at_most", high=high) if high else ""


def _describe_bound(bound: float | str | None, spec: ParameterSpec, voice: Voice) -> str:
    """Return a bound in words; dates relative to today, such as `today`, stay as written."""
    if spec.type == "date" and isinstance(bound, str):
        try:
            return voice.day(bound)
        except ValueError:
            return bound
    return "" if bound is None else str(bound)


def _describe_output(name: str, spec: OutputSpec, voice: Voice) -> OutputEntry:
    return OutputEntry(
        name=name,
        title=spec.title.in_language(voice.language),
        kind=voice.say(f"site.kind_{spec.kind.value}"),
        sensitivity=spec.sensitivity.value,
        channel=voice.say(f"site.channel_{spec.channel.value}"),
        columns=tuple(
            (column, label.in_language(voice.language)) for column, label in spec.columns.items()
        ),
    )
