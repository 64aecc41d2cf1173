"""Parameters as a notebook sees them: one typed, frozen attribute each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, NoReturn

from wardbook.template.spec import ParameterSpec, TemplateProblem

_TRUE = {"true": True, "yes": True, "oui": True, "1": True}
_FALSE = {"false": False, "no": False, "non": False, "0": False}


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
    return Parameters({name: _decode(value) for name, value in values.items()})


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if isinstance(value, dict):
        if set(value) != {"date"}:
            raise ValueError('a JSON object among the parameters is not {"date": "YYYY-MM-DD"}')
        return date.fromisoformat(value["date"])
    return value


def read_example(name: str, spec: ParameterSpec) -> Any:
    """Return the value an analyst gets outside a run: the default, else a required one's example.

    Items of a `many` parameter are separated by commas.

    Raises:
        TemplateProblem: the default or example is not of the declared type.
    """
    text = spec.default if spec.default is not None else spec.example if spec.required else None
    if text is None:
        return None
    try:
        if spec.many:
            return [_parse(item.strip(), spec) for item in text.split(",") if item.strip()]
        return _parse(text.strip(), spec)
    except (ValueError, KeyError):
        raise TemplateProblem(
            f"template.toml: parameters.{name}: its default or example is not of type "
            f"{spec.type!r}. Mend it."
        ) from None


def _parse(text: str, spec: ParameterSpec) -> Any:
    match spec.type:
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            return (_TRUE | _FALSE)[text.lower()]
        case "date":
            return date.fromisoformat(text)
        case "text" | "choice":
            return text
