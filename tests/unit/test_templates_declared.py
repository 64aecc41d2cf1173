"""Each shipped template: what it declares, says and holds."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from wardbook.domain.output import Channel, OutputKind, Sensitivity
from wardbook.epidemic.geography import all_regions, expected_departments
from wardbook.hospital.vocabulary import COLUMNS, ORGANISMS, WARDS
from wardbook.messages import topic_texts
from wardbook.template.rules import (
    code_cells,
    find_breaches,
    ordinary_spaces_before_signs,
    strings_passed_to,
)
from wardbook.template.spec import Template, load_catalogue

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = load_catalogue(ROOT / "templates")
every_template = pytest.mark.parametrize("template", CATALOGUE.values(), ids=CATALOGUE.keys())


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_messages_about_data_have_both_languages_and_french_spaces() -> None:
    french, english = topic_texts("fr", "data"), topic_texts("en", "data")
    assert {key: places(text) for key, text in french.items()} == {
        key: places(text) for key, text in english.items()
    }
    assert [t for t in french.values() if ordinary_spaces_before_signs(t)] == []
    assert ordinary_spaces_before_signs("ligne 3 : oui") == ["3 :"]


@every_template
def test_a_template_holds_to_the_rules(template: Template) -> None:
    assert list(find_breaches(template)) == []
    assert strings_passed_to(template, "say", "text")


def test_the_epidemic_outputs_are_public_and_the_flow_s_are_optional() -> None:
    outputs = CATALOGUE["hospital_epidemic"].spec.outputs
    assert {o.sensitivity for o in outputs.values()} == {Sensitivity.PUBLIC}
    optional = {name for name, output in outputs.items() if not output.required}
    assert optional == {name for name in outputs if "admissions" in name}
    assert not CATALOGUE["hospital_epidemic"].spec.sources["admissions"].required


def test_the_places_offered_are_those_of_the_code() -> None:
    regions = tuple(r.name for r in all_regions().values() if r.code != "COM")
    growth = CATALOGUE["epidemic_growth"].spec.parameters
    assert CATALOGUE["hospital_epidemic"].spec.parameters["regions"].choices == regions
    assert growth["regions"].choices == regions
    assert growth["departments"].choices == tuple(sorted(expected_departments()))


def test_the_line_list_has_one_sensitive_output_and_offers_our_lists() -> None:
    spec = CATALOGUE["line_list"].spec
    assert list(spec.outputs) == ["stays"]
    output = spec.outputs["stays"]
    assert (output.kind, output.sensitivity, output.channel) == (
        OutputKind.TABLE,
        Sensitivity.SENSITIVE,
        Channel.SHARE,
    )
    assert tuple(output.columns) == COLUMNS
    assert spec.parameters["ward"].choices == WARDS
    assert spec.parameters["organism"].choices == ORGANISMS
    assert spec.purposes == ("care",)


def test_the_line_list_never_shows_its_table() -> None:
    template = CATALOGUE["line_list"]
    shows = {
        ast.unparse(keyword.value)
        for call in ast.walk(ast.parse("\n".join(code_cells(template))))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "wb.table"
        for keyword in call.keywords
        if keyword.arg == "show"
    }
    assert shows == {"False"}
    # A bare expression at a cell's end is shown by the kernel: only the call above stands there.
    for cell in code_cells(template):
        last = ast.parse(cell).body[-1]
        assert not isinstance(last, ast.Expr) or ast.unparse(last).startswith("wb.table(")
