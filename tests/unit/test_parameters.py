"""Parameters: from a requester's lines to typed values, and back to the same in the notebook."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wardbook.notebook.parameters import decode_parameters
from wardbook.template.parameters import split_lines, type_parameters
from wardbook.template.spec import TemplateSpec

TEXT = {"fr": "x", "en": "x"}


def spec(**parameter: object) -> TemplateSpec:
    declared = {"label": TEXT, "example": "x"} | parameter
    return TemplateSpec.model_validate(
        {
            "name": "t", "version": "1", "title": TEXT, "question": TEXT,
            "parameters": {"p": declared},
            "outputs": {
                "report": {
                    "kind": "report", "title": TEXT, "sensitivity": "public", "channel": "site",
                }
            },
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ({"type": "text"}, "a = b", "a = b"),
        ({"type": "integer"}, "-3", -3),
        ({"type": "number"}, "2,5", 2.5),
        ({"type": "boolean"}, "Oui", True),
        ({"type": "boolean"}, "no", False),
        ({"type": "date"}, "2020-02-29", {"date": "2020-02-29"}),
        ({"type": "choice", "choices": ["Île-de-France"]}, "île-de-france", "Île-de-France"),
        ({"type": "integer", "many": True}, "1, 2 ,3", [1, 2, 3]),
        ({"type": "integer", "required": False}, "", None),
        ({"type": "integer", "default": "4"}, "", 4),
        ({"type": "integer", "min": 1, "max": 3}, "3", 3),
        ({"type": "date", "min": "2020-01-01"}, "2020-01-01", {"date": "2020-01-01"}),
    ],
)
def test_a_text_is_typed(declared: dict[str, object], text: str, value: object) -> None:
    assert type_parameters(spec(**declared), {"p": text}) == ({"p": value}, [])


@pytest.mark.parametrize(
    ("declared", "text", "code"),
    [
        ({"type": "integer"}, "1.5", "not_a_number"),
        ({"type": "integer"}, "", "missing_parameter"),
        ({"type": "number"}, "nan", "not_a_number"),
        ({"type": "number"}, "1e999", "not_a_number"),
        ({"type": "boolean"}, "peut-être", "not_a_boolean"),
        ({"type": "date"}, "20200229", "not_a_date"),
        ({"type": "date"}, "2021-02-29", "not_a_date"),
        ({"type": "date", "max": "2020-01-01"}, "2020-01-02", "out_of_bounds"),
        ({"type": "integer", "min": 1}, "0", "out_of_bounds"),
        ({"type": "choice", "choices": ["a"]}, "b", "not_a_choice"),
        ({"type": "integer", "many": True}, "1,,2", "empty_in_list"),
        ({"type": "text", "max_length": 3}, "abcd", "too_long"),
    ],
)
def test_what_does_not_fit_is_told(declared: dict[str, object], text: str, code: str) -> None:
    _, problems = type_parameters(spec(**declared), {"p": text})
    assert [problem.code for problem in problems] == [code]


def test_lines_are_split_at_the_first_sign() -> None:
    texts, problems = split_lines("# why\n a = b = c \r\n\nd=\nnonsense\n=x\na = again")
    assert texts == {"a": "b = c", "d": ""}
    codes = [problem.code for problem in problems]
    assert codes == ["line_without_sign", "line_without_sign", "parameter_twice"]


@given(st.text(min_size=1, max_size=200).filter(lambda text: bool(text.strip())))
def test_any_text_reaches_the_notebook_as_it_is(text: str) -> None:
    values, problems = type_parameters(spec(type="text"), {"p": text})
    assert problems == []
    assert decode_parameters(json.loads(json.dumps(values))).p == text
