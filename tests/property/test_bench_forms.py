"""The launcher's forms: what the schema of a template takes, `type_parameters` takes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.bench.launcher import NoParameter, describe_parameters, write_texts
from wardbook.messages import LANGUAGES
from wardbook.shipped import shipped_folder
from wardbook.template.localised import Localised
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import ParameterSpec, TemplateSpec, load_catalogue

CATALOGUE = load_catalogue(shipped_folder("templates"))
LABEL = Localised(fr="Libellé", en="Label")


def _bound(sign: int) -> Any:
    def check(_: Any, bound: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
        if isinstance(value, str) and (value > bound if sign > 0 else value < bound):
            yield jsonschema.ValidationError("outside")

    return check


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    {"formatMinimum": _bound(-1), "formatMaximum": _bound(1)},
)


def judge(schema: dict[str, Any], values: Any) -> bool:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return bool(Validator(schema, format_checker=checker).is_valid(values))


def spec_of(parameters: dict[str, ParameterSpec]) -> TemplateSpec:
    base = CATALOGUE["ward_activity"].spec
    return base.model_copy(update={"parameters": parameters})


@st.composite
def parameters(draw: st.DrawFn) -> ParameterSpec:
    kind = draw(st.sampled_from(["text", "integer", "number", "boolean", "date", "choice"]))
    low, high = {
        "integer": (-5, 40),
        "number": (-0.5, 7.25),
        "date": ("2020-02-28", "2024-03-01"),
    }.get(kind, (None, None))
    return ParameterSpec(
        type=kind,
        label=LABEL,
        many=draw(st.booleans()),
        required=draw(st.booleans()),
        default=draw(st.sampled_from([None, {"choice": "b c", "date": "2021-01-01",
                                             "boolean": "oui", "text": "t"}.get(kind, "3")])),
        choices=("a", "b c", "2A") if kind == "choice" else (),
        min=draw(st.sampled_from([None, low])),
        max=draw(st.sampled_from([None, high])),
        max_length=draw(st.sampled_from([3, 200])),
        example={"choice": "a", "date": "2021-01-01", "boolean": "oui"}.get(kind, "3"),
    )  # fmt: skip


TEXTS = st.one_of(st.text(max_size=4), st.sampled_from(["a", ",", " ", "\n", "x" * 9]))
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "integer": st.one_of(st.integers(-9, 50), st.sampled_from([5.0, 10**400, -(10**30), 1e300])),
    "number": st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([10**400, 1e-9]),
    "boolean": st.booleans(),
    "date": st.one_of(
        st.dates().map(str),
        st.sampled_from(["2020-02-29", "2021-02-30", "20210101", "2021-W01-1", "2021-01-01\n"]),
    ),
    "choice": st.sampled_from(["a", "b c", "2A", "2a"]),
}
ODD = st.one_of(st.none(), TEXTS, st.integers(), st.booleans(), st.dictionaries(TEXTS, TEXTS))


def values_for(one: ParameterSpec) -> st.SearchStrategy[Any]:
    """Values that a form may hold, most of them of the right shape."""
    scalar = st.one_of(*[LIKELY[one.type]] * 4, ODD)
    some = st.lists(LIKELY[one.type], max_size=3)
    return st.one_of(some, some, scalar) if one.many else st.one_of(scalar, scalar, some)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_the_schema_takes_is_taken(data: st.DataObject) -> None:
    declared = {name: data.draw(parameters()) for name in ("one", "two")}
    spec = spec_of(declared)
    schema = describe_parameters(spec, "en")
    jsonschema.Draft202012Validator.check_schema(schema)
    held = {name: values_for(one) for name, one in declared.items()} | {"three": ODD}
    names = data.draw(st.lists(st.sampled_from([*held, "one", "two"]), unique=True))
    values = json.loads(json.dumps({name: data.draw(held[name]) for name in names}))
    if judge(schema, values):
        typed, problems = type_parameters(spec, write_texts(values))
        assert not problems
        assert set(typed) == {"one", "two"}


@settings(max_examples=80, deadline=None)
@given(parameters(), st.lists(TEXTS, min_size=1, max_size=2))
def test_a_list_of_texts_keeps_its_items(one: ParameterSpec, items: list[str]) -> None:
    if one.type != "text" or not one.many:
        return
    spec = spec_of({"one": one})
    if judge(describe_parameters(spec, "en"), {"one": items}):
        typed, _ = type_parameters(spec, write_texts({"one": items}))
        assert typed["one"] == [item.strip() for item in items]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_templates_own_examples_and_defaults_fit_its_form(name: str, language: Any) -> None:
    spec = CATALOGUE[name].spec
    schema = describe_parameters(spec, language)
    jsonschema.Draft202012Validator.check_schema(schema)
    told = schema["properties"]
    assert list(told) == list(spec.parameters)
    examples = {key: one["examples"][0] for key, one in told.items()}
    defaults = {key: one["default"] for key, one in told.items() if "default" in one}
    assert judge(schema, examples)
    assert judge(schema, examples | defaults)
    assert all(key in defaults for key, one in spec.parameters.items() if one.default is not None)
    _, problems = type_parameters(spec, write_texts(examples))
    assert not problems


def test_the_form_refuses_what_the_gate_refuses() -> None:
    schema = describe_parameters(CATALOGUE["ward_activity"].spec, "en")
    good = {"start": "2026-02-01", "end": "2026-02-02"}
    assert judge(schema, good)
    for wrong in (
        {"start": "soon"}, {"start": "2026-02-30"}, {"start": None}, {"census": "noon"},
        {"wards": ["CARD", "a,b"]}, {"wards": [" "]}, {"wards": "CARD"}, {"more": 1},
    ):  # fmt: skip
        assert not judge(schema, good | wrong), wrong
    assert not judge(schema, {"start": "2026-02-01"})
    for many in (False, True):
        spec = spec_of({"one": ParameterSpec(type="number", label=LABEL, example="1", many=many)})
        held = {"one": [10**400] if many else 10**400}
        assert type_parameters(spec, write_texts(held))[1]
        assert not judge(describe_parameters(spec, "en"), held)


@pytest.mark.parametrize("value", [{}, {"date": "2020-01-01"}, [[1]], [{"a": 1}], math.inf])
def test_what_is_no_value_is_refused(value: object) -> None:
    if value == math.inf:
        spec = spec_of({"one": ParameterSpec(type="number", label=LABEL, example="1")})
        assert type_parameters(spec, write_texts({"one": value}))[1]
        return
    with pytest.raises(NoParameter, match="one"):
        write_texts({"one": value})
