"""Each shipped template: what it declares, says and holds."""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path
from typing import Any

import pytest

from wardbook.domain.output import Channel, OutputKind, Sensitivity
from wardbook.epidemic.geography import all_regions, expected_departments
from wardbook.hospital.vocabulary import COLUMNS, ORGANISMS, WARDS
from wardbook.messages import LANGUAGES, topic_texts
from wardbook.template.spec import Localised, Template, load_catalogue

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = load_catalogue(ROOT / "templates")
every_template = pytest.mark.parametrize("template", CATALOGUE.values(), ids=CATALOGUE.keys())


def of_kernel(name: str) -> pytest.MarkDecorator:
    chosen = {key: one for key, one in CATALOGUE.items() if one.spec.kernel == name}
    return pytest.mark.parametrize("template", chosen.values(), ids=chosen.keys())


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def code_of(template: Template) -> list[dict[str, Any]]:
    notebook = json.loads(template.notebook.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source_of(template: Template) -> str:
    return "\n".join("".join(cell["source"]) for cell in code_of(template))


def calls(template: Template) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(source_of(template)))
    return [node for node in nodes if isinstance(node, ast.Call)]


def strings_passed_to(template: Template, *names: str) -> set[str]:
    """First arguments that are plain strings of calls like wb.say("answer")."""
    if template.spec.kernel == "ir":
        call = rf'wardbook\.(?:{"|".join(names)})\(\s*"(\w+)"'
        return set(re.findall(call, source_of(template)))
    return {
        call.args[0].value
        for call in calls(template)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in names
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def french_texts(value: object) -> list[str]:
    if isinstance(value, Localised):
        return [value.fr]
    if isinstance(value, dict):
        return [text for item in value.values() for text in french_texts(item)]
    if hasattr(type(value), "model_fields"):
        return [t for name in type(value).model_fields for t in french_texts(getattr(value, name))]
    return []


def ordinary_spaces_before_signs(text: str) -> list[str]:
    return re.findall(r"\w* [;:?!»]", text)


@every_template
def test_both_languages_say_the_same_with_the_same_places(template: Template) -> None:
    french, english = (template.texts(language) for language in LANGUAGES)
    assert list(french) == list(english)
    for key, text in french.items():
        assert places(text) == places(english[key]), key
        assert text != english[key], key


@every_template
def test_every_text_is_used_and_every_used_text_exists(template: Template) -> None:
    texts = set(template.texts("fr"))
    source = source_of(template)
    assert strings_passed_to(template, "say", "text")
    assert strings_passed_to(template, "say", "text") <= texts
    unused = {
        key for key in texts if not re.search(rf"""["']{key}["']""", source) and "label_" not in key
    }
    assert unused == set()


@every_template
def test_french_texts_have_no_breaking_space_before_a_sign(template: Template) -> None:
    for text in [*template.texts("fr").values(), *french_texts(dict(template.spec.outputs))]:
        assert ordinary_spaces_before_signs(text) == []
    for text in french_texts(template.spec):
        assert ordinary_spaces_before_signs(text) == []


def test_messages_about_data_have_both_languages_and_french_spaces() -> None:
    french, english = topic_texts("fr", "data"), topic_texts("en", "data")
    assert {key: places(text) for key, text in french.items()} == {
        key: places(text) for key, text in english.items()
    }
    assert [t for t in french.values() if ordinary_spaces_before_signs(t)] == []
    assert ordinary_spaces_before_signs("ligne 3 : oui") == ["3 :"]


@every_template
def test_the_notebook_is_stripped(template: Template) -> None:
    notebook = json.loads(template.notebook.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == template.spec.kernel
    assert template.spec.kernel in ("python3", "ir")
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}
        assert "attachments" not in cell


@of_kernel("python3")
def test_the_notebook_imports_wardbook_only_and_prints_nothing(template: Template) -> None:
    for cell in code_of(template):
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.Import):
                assert {name.name for name in node.names} == {"wardbook"}
            if isinstance(node, ast.ImportFrom):
                assert node.module is not None
                assert node.module.split(".")[0] == "wardbook"
    named = {call.func.id for call in calls(template) if isinstance(call.func, ast.Name)}
    assert named.isdisjoint({"print", "display", "exec", "eval", "open"})


@of_kernel("ir")
def test_a_notebook_in_r_prints_nothing_and_runs_no_program(template: Template) -> None:
    named = set(re.findall(r"(?<![\w.])([\w.]+)\(", source_of(template)))
    assert "wardbook.say" in named
    unwanted = {
        "print",
        "cat",
        "message",
        "source",
        "eval",
        "parse",
        "system",
        "system2",
        "readline",
    }
    assert named.isdisjoint(unwanted)


@every_template
def test_a_method_sheet_stands_beside(template: Template) -> None:
    sheet = (template.folder / "README.md").read_text(encoding="utf-8")
    assert sheet.startswith(f"# {template.spec.name}")
    for name in (*template.spec.parameters, *template.spec.sources):
        assert f"`{name}`" in sheet


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
        for call in calls(template)
        if ast.unparse(call.func) == "wb.table"
        for keyword in call.keywords
        if keyword.arg == "show"
    }
    assert shows == {"False"}
    # A bare expression at a cell's end is shown by the kernel: only the call above stands there.
    for cell in code_of(template):
        last = ast.parse("".join(cell["source"])).body[-1]
        assert not isinstance(last, ast.Expr) or ast.unparse(last).startswith("wb.table(")
