"""Parameters as a notebook sees them: one typed, frozen attribute each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from wardbook.template.parameters import decode_value, type_parameters
from wardbook.template.spec import TemplateProblem, TemplateSpec


class Parameters:
    """The parameters of a run, as read-only attributes.

    A value is a `str`, `int`, `float`, `bool` or `datetime.date`, a list of those when the
    template declares `many`, or None when the request does not give it.
    """

    __slots__ = ("_values",)
    _values: Mapping[str, Any]

    def __init__(self, values: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_values", MappingProxyType(dict(values)))

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(self._values) or "none"
            raise AttributeError(f"no parameter {name!r}; the template declares: {known}") from None

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"parameters are read-only: {name!r} keeps the request's value")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"parameters are read-only: {name!r} keeps the request's value")

    def __dir__(self) -> Iterable[str]:
        return sorted(self._values)

    def __repr__(self) -> str:
        return f"Parameters({', '.join(f'{name}={v!r}' for name, v in self._values.items())})"


def decode_parameters(values: Mapping[str, Any]) -> Parameters:
    """Turn the JSON values of `spec.json` into typed values; dates are {"date": "2021-01-08"}.

    Raises:
        ValueError: a date is not one, or an object is not a date.
    """
    return Parameters({name: decode_value(value) for name, value in values.items()})


def read_examples(spec: TemplateSpec) -> Parameters:
    """Return what an analyst gets outside a run: defaults, else the required ones' examples.

    Raises:
        TemplateProblem: a default or an example does not fit its own declaration.
    """
    texts = {
        name: parameter.example
        for name, parameter in spec.parameters.items()
        if parameter.required and parameter.default is None
    }
    values, problems = type_parameters(spec, texts)
    if problems:
        raise TemplateProblem(
            f"template.toml: parameters.{problems[0].name}: its default or example does not fit "
            f"its own declaration ({problems[0].code}). Mend it."
        )
    return decode_parameters(values)
