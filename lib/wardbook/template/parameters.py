"""Parameters: from a requester's lines to typed values, or to the list of what is wrong.

A ticket holds lines `name = value`; a list is separated by commas. Values stay data all the way:
they are never pasted into code, only read from JSON by the notebook.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from wardbook.domain.record import Problem
from wardbook.template.spec import ParameterSpec, TemplateSpec
from wardbook.typed_text import parse_day, tidy

SOURCE_PREFIX = "source."
TRUE, FALSE = {"oui", "yes", "true", "vrai", "1"}, {"non", "no", "false", "faux", "0"}
_MOST_SHOWN = 60


class _Wrong(Exception):
    """A value that does not fit; carries the code of a message of topic `gate`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def split_lines(
    text: str, example: str = "start = 2020-03-18"
) -> tuple[dict[str, str], list[Problem]]:
    """Split the ticket's parameter field into name and text.

    Empty lines and lines that begin with `#` are passed over. Returns what could be split, and a
    problem for each line that could not or that repeats a name; `example` is a line that could.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        name = tidy(name)
        if not sign or not name:
            problems.append(Problem("parameters", "line_without_sign", shorten(line), example))
        elif name in texts:
            kept = shorten(f"{name} = {texts[name]}")
            problems.append(
                Problem("parameters", "parameter_twice", shorten(value), kept, shorten(name))
            )
        else:
            texts[name] = value.strip()
    return texts, problems


def type_parameters(
    spec: TemplateSpec, texts: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    """Type each parameter's text as the template says.

    Args:
        spec: the template's declaration.
        texts: parameter name to text, without sources.

    Returns:
        JSON-ready values by name, dates as `{"date": "YYYY-MM-DD"}`, None where an optional
        parameter is not given; and every problem found, none when all is well.
    """
    problems = [
        Problem(
            "parameters",
            "unknown_parameter" if spec.parameters else "takes_no_parameters",
            name=shorten(name),
            example=" | ".join(example_lines(spec)),
        )
        for name in texts
        if name not in spec.parameters
    ]
    values: dict[str, Any] = {}
    for name, parameter in spec.parameters.items():
        text = texts.get(name, "") or parameter.default or ""
        if not text:
            values[name] = None
            if parameter.required:
                problems.append(
                    Problem(
                        "parameters", "missing_parameter", "", f"{name} = {parameter.example}", name
                    )
                )
            continue
        try:
            values[name] = _type_text(parameter, text)
        except _Wrong as wrong:
            problems.append(
                Problem(
                    "parameters", wrong.code, shorten(text), f"{name} = {_example(parameter)}", name
                )
            )
    return values, problems


def decode_value(value: Any) -> Any:
    """Return a JSON value of a parameter as what it stands for: dates are `datetime.date`.

    Raises:
        ValueError: a date is not one, or an object is not a date.
    """
    if isinstance(value, list):
        return [decode_value(item) for item in value]
    if isinstance(value, dict):
        if set(value) != {"date"}:
            raise ValueError('a JSON object among the parameters is not {"date": "YYYY-MM-DD"}')
        return date.fromisoformat(value["date"])
    return value


def example_lines(spec: TemplateSpec) -> list[str]:
    """Return a valid line for each of a template's first parameters."""
    return [f"{name} = {one.example}" for name, one in list(spec.parameters.items())[:8]]


def shorten(text: str) -> str:
    """Cut foreign text to what a message can show, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SHOWN else line[: _MOST_SHOWN - 1] + "…"


def _example(parameter: ParameterSpec) -> str:
    return " | ".join(parameter.choices[:8]) if parameter.choices else parameter.example


def _type_text(parameter: ParameterSpec, text: str) -> Any:
    if parameter.many:
        return [_type_one(parameter, part) for part in _split_list(text)]
    return _type_one(parameter, text)


def _split_list(text: str) -> Iterator[str]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise _Wrong("empty_in_list")
    yield from parts


def _type_one(parameter: ParameterSpec, text: str) -> Any:
    match parameter.type:
        case "date":
            return {"date": _within(parameter, _date(text)).isoformat()}
        case "integer":
            return _within(parameter, _number(int, text))
        case "number":
            return _within(parameter, _number(float, text))
        case "boolean":
            return _boolean(text)
        case "choice":
            return _choice(parameter, text)
        case "text":
            if len(text) > parameter.max_length:
                raise _Wrong("too_long")
            return text


def _date(text: str) -> date:
    try:
        return parse_day(text)
    except ValueError:
        raise _Wrong("not_a_date") from None


def _number(kind: type[int] | type[float], text: str) -> int | float:
    try:
        number = kind(text.replace(",", ".") if kind is float else text)
        finite = math.isfinite(number)
    except (ValueError, OverflowError):  # a whole number beyond what a float holds
        raise _Wrong("not_a_number") from None
    if not finite:
        raise _Wrong("not_a_number")
    return number


def _within(parameter: ParameterSpec, value: Any) -> Any:
    for bound, sign in ((parameter.min, 1), (parameter.max, -1)):
        if bound is None:
            continue
        limit: Any = date.fromisoformat(str(bound)) if isinstance(value, date) else bound
        if (value < limit) if sign == 1 else (value > limit):
            raise _Wrong("out_of_bounds")
    return value


def _boolean(text: str) -> bool:
    word = text.casefold()
    if word not in TRUE | FALSE:
        raise _Wrong("not_a_boolean")
    return word in TRUE


def _choice(parameter: ParameterSpec, text: str) -> str:
    for choice in parameter.choices:
        if choice.casefold() == text.casefold():
            return choice
    raise _Wrong("not_a_choice")
