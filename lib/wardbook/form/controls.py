"""The controls of a form, in words: what is asked, with which help, choices and example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from wardbook.form.rules import GateRules
from wardbook.form.wording import write_word
from wardbook.messages import LANGUAGES
from wardbook.pages.catalogue import ParameterEntry, describe_templates
from wardbook.report.voice import Voice
from wardbook.settings import Settings
from wardbook.settings.create_link import ListField
from wardbook.template.spec import ParameterSpec, Template

Kind = Literal["line", "area", "day", "whole", "real", "select", "checks"]
LAST_DAY = "9999-12-31"
"""A date field without a last day takes years of six digits."""

CRON = "cron"
"""The choice of a recurrence that is written as a cron expression, and the control for it."""


@dataclass(frozen=True)
class Choice:
    """One of a control's values; `of` is what it goes with: a purpose, a service."""

    value: str
    label: str
    of: str = ""


@dataclass(frozen=True)
class Control:
    """One control; `name` is what the script knows its text by.

    `research` says that only a research needs it, `free` that it holds a person's own words.
    """

    name: str
    kind: Kind
    label: str
    hints: tuple[str, ...] = ()
    required: bool = False
    choices: tuple[Choice, ...] = ()
    value: str = ""
    low: str = ""
    high: str = ""
    research: bool = False
    free: bool = False

    @property
    def id(self) -> str:
        """The element's id."""
        return f"f-{self.name.replace('.', '-')}"


@dataclass(frozen=True)
class Part:
    """Controls that belong together."""

    title: str
    controls: tuple[Control, ...]


def lay_out(template: Template, settings: Settings, gate: GateRules, voice: Voice) -> list[Part]:
    """Return the parts of a template's form, in their order; empty ones are left out."""
    desk = _Desk(template, settings, gate, voice)
    parts = {
        "request": desk.question(),
        "parameters": (*desk.parameters(), *desk.sources()),
        "ground": desk.ground(),
        "service": desk.service(),
        "delivery": desk.delivery(),
    }
    return [
        Part(voice.say(f"form.part_{name}"), tuple(controls))
        for name, controls in parts.items()
        if controls
    ]


@dataclass(frozen=True)
class _Desk:
    template: Template
    settings: Settings
    gate: GateRules
    voice: Voice

    def question(self) -> Iterable[Control]:
        say = self.voice.say
        example = say("form.example_hint", example=say("form.summary_example"))
        hints = (say("form.summary_hint"), example)
        return (
            Control("summary", "line", say("form.field_summary"), hints, required=True, free=True),
            Control(
                "description",
                "area",
                say("form.field_description"),
                (say("form.description_hint"),),
                free=True,
            ),
        )

    def parameters(self) -> list[Control]:
        (entry,) = describe_templates({"": self.template}, self.voice)
        told = {one.name: one for one in entry.parameters}
        spec = self.template.spec
        return [self._parameter(told[name], one) for name, one in spec.parameters.items()]

    def _parameter(self, told: ParameterEntry, one: ParameterSpec) -> Control:
        say = self.voice.say
        kind = _kind_of(one)
        hints = [told.help]
        if told.bounds and not one.choices:
            hints.append(say("form.bounds_hint", bounds=told.bounds))
        if one.default is not None:
            hints.append(say("form.default_hint", value=one.default))
        if one.many and kind != "checks":
            hints.append(say("form.list_hint"))
        if one.from_period:
            hints.append(say("form.from_period_hint"))
        hints.append(say("form.example_hint", example=one.example))
        choices: Iterable[str] = one.choices
        if one.type == "boolean" and not one.many:
            choices = (say("form.boolean_yes"), say("form.boolean_no"))
        return Control(
            name=f"parameter.{told.name}",
            kind=kind,
            label=told.label,
            hints=tuple(hint for hint in hints if hint),
            required=one.required and one.default is None,
            choices=tuple(Choice(choice, choice) for choice in choices),
            value=one.default or "",
            low=str(one.min or "") if kind == "day" else "",
            high=str(one.max or LAST_DAY) if kind == "day" else "",
            free=one.type == "text",
        )

    def sources(self) -> list[Control]:
        say, language = self.voice.say, self.voice.language
        controls = []
        for name, one in self.template.spec.sources.items():
            fitting = [key for key, s in self.settings.sources.items() if s.fits(one.kind)]
            if len(fitting) != 1:  # else there is nothing to choose
                label = say("form.field_source", label=one.label.in_language(language))
                choices = (Choice("", say("form.source_default")), *_plain(fitting))
                controls.append(Control(f"source.{name}", "select", label, choices=choices))
        return controls

    def ground(self) -> Iterable[Control]:
        say, gate = self.voice.say, self.gate
        purposes = self.template.spec.purposes
        told = ", ".join(self._word("purpose", one, gate.purposes) for one in purposes)
        bases = {(code, of): None for of in purposes for code in gate.legal_bases[of].values()}
        choices = [
            Choice(self._word("legal_basis", code, gate.legal_bases[of]), "", of)
            for code, of in bases
        ]
        reference = " | ".join(gate.references[code].example for code, _ in bases)
        return (
            self._select(
                "purpose",
                (Choice(self._word("purpose", one, gate.purposes), "", one) for one in purposes),
                say("form.purpose_hint", purposes=told),
            ),
            self._select("legal_basis", choices),
            self._line("reference", say("form.reference_hint", example=reference)),
            Control(
                name="expires",
                kind="day",
                label=say("gate.field_expires"),
                hints=(say("form.expires_hint"),),
                required=True,
                high=LAST_DAY,
            ),
            *(self._of_research() if "research" in purposes else ()),
        )

    def _of_research(self) -> Iterable[Control]:
        say = self.voice.say
        example = self.gate.references["ethics"].example
        officers = self.settings.unit.data_protection_officers
        yield self._line("ethics", say("form.ethics_hint", example=example), research=True)
        yield self._select("dpo", self._people(officers), say("form.dpo_hint"), research=True)

    def service(self) -> Iterable[Control]:
        say, settings = self.voice.say, self.settings
        approvers = [
            Choice(account, settings.name_of(account), service)
            for service, one in settings.services.items()
            for account in one.approvers
        ]
        signing = [one.value for one in approvers] + [*settings.unit.data_protection_officers]
        return (
            self._select("components", _plain(settings.services)),
            self._select("approver", approvers, say("form.approver_hint")),
            Control(
                "me",
                "select",
                say("form.field_me"),
                (say("form.me_hint"),),
                choices=(
                    Choice("", say("form.me_other")),
                    *self._people(dict.fromkeys(signing)),
                ),
            ),
        )

    def delivery(self) -> Iterable[Control]:
        say, fields, language = self.voice.say, self.settings.jira.fields, self.voice.language
        if fields.recurrence is not None:
            codes = dict.fromkeys(self.gate.recurrences.values())
            schedule = self.template.spec.schedule
            words = [
                self._word("recurrence", code, self.gate.recurrences)
                for code in codes
                if code != self.gate.as_template or schedule is not None
            ]
            choices = (*_plain(words), Choice(CRON, say("form.recurrence_cron")))
            hints = (say("form.recurrence_hint"),)
            label = say("gate.field_recurrence")
            yield Control("recurrence", "select", label, hints, choices=choices, value=words[0])
            yield Control(CRON, "line", say("form.cron_label"), (say("form.cron_hint"),))
        if fields.colleagues is not None:
            hints = (say("form.colleagues_hint"),)
            yield Control("colleagues", "line", say("gate.field_colleagues"), hints, free=True)
        meanings = {say(f"form.language_{one}").casefold(): one for one in LANGUAGES}
        words = [self._word("language", one, meanings) for one in LANGUAGES]
        yield Control(
            "language",
            "select",
            say("form.field_language"),
            choices=_plain(words),
            value=words[LANGUAGES.index(language)],
        )

    def _word(self, field: ListField, code: str, meanings: Mapping[str, str]) -> str:
        return write_word(field, code, meanings, self.settings, self.voice.language)

    def _people(self, accounts: Iterable[str]) -> tuple[Choice, ...]:
        return tuple(Choice(one, self.settings.name_of(one)) for one in accounts)

    def _line(self, field: str, hint: str, *, research: bool = False) -> Control:
        label = self.voice.say(f"gate.field_{field}")
        return Control(field, "line", label, (hint,), required=True, research=research)

    def _select(
        self, field: str, choices: Iterable[Choice], hint: str = "", *, research: bool = False
    ) -> Control:
        """A required choice; where there is but one, it is made."""
        offered = tuple(choices)
        first = Choice("", self.voice.say("form.choose"))
        values = {one.value for one in offered}
        return Control(
            name=field,
            kind="select",
            label=self.voice.say(f"gate.field_{field}"),
            hints=(hint,) if hint else (),
            required=True,
            choices=(first, *offered),
            value=values.pop() if len(values) == 1 else "",
            research=research,
        )


def _plain(values: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(one, one) for one in values)


def _kind_of(one: ParameterSpec) -> Kind:
    if one.type == "choice":
        return "checks" if one.many else "select"
    if one.many or one.type == "text":
        return "line"
    kinds: Mapping[str, Kind] = {
        "date": "day",
        "integer": "whole",
        "number": "real",
        "boolean": "select",
    }
    return kinds[one.type]
