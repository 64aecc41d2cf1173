"""The launcher: the catalogue as tiles, with a form for each made of what the template declares.

What a form's schema takes, `type_parameters` takes. `formatMinimum` and `formatMaximum` bound days,
as the validator of JupyterLab's forms knows them; all else is of JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from wardbook.domain.output import Sensitivity
from wardbook.messages import Language
from wardbook.settings import Settings, SourceSettings
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import ParameterSpec, SourceSpec, Template, TemplateSpec

DRAFT = "https://json-schema.org/draft/2020-12/schema"
LARGEST = 2**53 - 1
"""The greatest whole number that a browser keeps exactly."""
_GREATEST = sys.float_info.max
"""What the gate refuses, as no number that can be computed with, begins beyond it."""

HasTwin = Callable[[str, str], bool]
"""Whether a source of the settings has a stand-in of a kind of data."""


class NoParameter(ValueError):
    """A value of JSON that cannot be a parameter's."""


@dataclass(frozen=True)
class TemplateTile:
    """A template in the launcher: what it answers, and its form."""

    name: str
    title: str
    summary: str
    kernel: str
    schema: Mapping[str, Any]
    ui: Mapping[str, Any]
    sources: tuple[SourceEntry, ...]


@dataclass(frozen=True)
class SourceEntry:
    """A source that a template reads; `public`, `twin`: such data, a stand-in of such is there."""

    name: str
    label: str
    public: bool
    twin: bool


def describe_tiles(
    templates: Mapping[str, Template], settings: Settings, language: Language, has_twin: HasTwin
) -> list[TemplateTile]:
    """Return a tile for each template, by title."""
    tiles = (
        _describe(template.spec, settings, language, has_twin) for template in templates.values()
    )
    return sorted(tiles, key=lambda tile: tile.title.casefold())


def describe_parameters(spec: TemplateSpec, language: Language) -> dict[str, Any]:
    """Return the JSON Schema of a template's parameters, told in `language`."""
    defaults, _ = type_parameters(spec, {})
    examples, _ = type_parameters(spec, {name: p.example for name, p in spec.parameters.items()})
    return {
        "$schema": DRAFT,
        "type": "object",
        "title": spec.title.in_language(language),
        "description": spec.question.in_language(language),
        "additionalProperties": False,
        "required": [name for name, one in spec.parameters.items() if _is_needed(one)],
        "properties": {
            name: _describe_parameter(one, language, defaults.get(name), examples.get(name))
            for name, one in spec.parameters.items()
        },
    }


def write_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of a form as a requester would write them, without those left empty.

    Raises:
        NoParameter: one is neither text, number, yes or no, nor a list of such; it names which.
    """
    texts = {}
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        try:
            texts[name] = ", ".join(_write(item) for item in items)
        except TypeError:
            raise NoParameter(name) from None
    return {name: text for name, text in texts.items() if text}


def usable_sources(source: SourceSpec, settings: Settings, has_twin: HasTwin) -> list[str]:
    """Return the unit's sources that may stand for one in a try: public ones, then with a twin."""
    fitting = _fitting(settings, source)
    public = [name for name in fitting if _is_public(settings.sources[name])]
    twins = [name for name in fitting if name not in public and has_twin(name, source.kind)]
    return public + twins


def _describe(
    spec: TemplateSpec, settings: Settings, language: Language, has_twin: HasTwin
) -> TemplateTile:
    return TemplateTile(
        name=spec.name,
        title=spec.title.in_language(language),
        summary=spec.question.in_language(language),
        kernel=spec.kernel,
        schema=describe_parameters(spec, language),
        ui={"ui:order": list(spec.parameters)}
        | {name: _look_of(one) for name, one in spec.parameters.items()},
        sources=tuple(
            SourceEntry(
                name,
                source.label.in_language(language),
                any(_is_public(settings.sources[key]) for key in _fitting(settings, source)),
                any(has_twin(key, source.kind) for key in _fitting(settings, source)),
            )
            for name, source in spec.sources.items()
        ),
    )


def _fitting(settings: Settings, source: SourceSpec) -> list[str]:
    return [name for name, one in settings.sources.items() if one.fits(source.kind)]


def _is_public(source: SourceSettings) -> bool:
    return source.sensitivity is Sensitivity.PUBLIC


def _describe_parameter(
    one: ParameterSpec, language: Language, default: Any, example: Any
) -> dict[str, Any]:
    told: dict[str, Any] = {"title": one.label.in_language(language)}
    if one.help:
        told["description"] = one.help.in_language(language)
    if one.many:
        told |= {"type": "array", "items": _describe_value(one)}
        if one.type == "choice":
            told["uniqueItems"] = True
        if _is_needed(one):
            told["minItems"] = 1
    else:
        told |= _describe_value(one)
        if one.type == "text" and _is_needed(one):
            told["minLength"] = 1
    if one.default is not None and default is not None:
        told["default"] = _plain(default)
    if example is not None:
        told["examples"] = [_plain(example)]
    return told


def _describe_value(one: ParameterSpec) -> dict[str, Any]:
    match one.type:
        case "date":
            return {
                "type": "string",
                "format": "date",
                "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
                **_bounds(one, "formatMinimum", "formatMaximum", _day),
            }
        case "integer":
            return {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST} | _bounds(one)
        case "number":
            return {"type": "number", "minimum": -_GREATEST, "maximum": _GREATEST} | _bounds(one)
        case "boolean":
            return {"type": "boolean"}
        case "choice":
            return {"type": "string", "enum": list(one.choices)}
        case "text":
            text = {"type": "string", "maxLength": one.max_length}
            # A comma separates the values of a list, so none is in one; none is blank either.
            return text | ({"pattern": r"^[^,]*[^,\s][^,]*$"} if one.many else {})


def _bounds(
    one: ParameterSpec,
    low: str = "minimum",
    high: str = "maximum",
    read: Callable[[Any], Any] = lambda bound: bound,
) -> dict[str, Any]:
    given = {low: one.min, high: one.max}
    return {name: read(bound) for name, bound in given.items() if bound is not None}


def _day(bound: object) -> str:
    return date.fromisoformat(str(bound)).isoformat()


def _look_of(one: ParameterSpec) -> dict[str, Any]:
    # In a list of choices an example would look like the choice that is made.
    shown = not one.many and one.type in ("text", "integer", "number")
    look: dict[str, Any] = {"ui:placeholder": one.example} if shown else {}
    if one.type == "choice" and one.many:
        look["ui:widget"] = "checkboxes"
    return look


def _is_needed(one: ParameterSpec) -> bool:
    return one.required and one.default is None


def _plain(value: Any) -> Any:
    """Return a typed value as a form holds it: days as text."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value["date"] if isinstance(value, dict) else value


def _write(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) <= LARGEST:
            return str(int(value))  # JSON writes 5.0 for a whole number too
        case int() | float():
            return repr(value)
        case str():
            return value
        case _:
            raise TypeError
