"""What a template must hold to beyond its schema, so that readers, reviewers and engines can rely
on it: `wardbook template check`.
"""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wardbook.domain.output import Channel, OutputKind
from wardbook.messages import LANGUAGES
from wardbook.template.localised import Localised
from wardbook.template.methods import METHODS, load_methods
from wardbook.template.parameters import type_parameters
from wardbook.template.spec import Template

UNKNOWN_COLUMNS = "todo_columns"
"""Stands in a draft for the columns of a table that could not be known without running it."""

KERNELS = {"python3": "wb", "ir": "wardbook"}
"""How a kernel's notebooks call the library."""

_PRINTS = {
    "python3": {"print", "display", "exec", "eval", "open"},
    "ir": {
        *("print", "cat", "message", "source", "eval", "parse"),
        "system",
        "system2",
        "readline",
    },
}
"""What shows a value beside what is declared, or runs what is not in the notebook."""

_OF_A_DRAFT = frozenset({
    "pandas", "numpy", "matplotlib", "scipy", "sklearn", "statsmodels", "datetime", "math",
    "statistics", "re", "collections", "itertools", "functools", "calendar",
})  # fmt: skip
"""What the notebook of a draft (version 0.x) may import: until 1.0.0 its calculations may still
stand in it, as they were explored. Where one of them could reach a file or the network, the walls
around every run hold it."""


@dataclass(frozen=True)
class Breach:
    """Where a template does not hold to a rule, and what to do about it."""

    file: str
    what: str


def find_breaches(template: Template) -> Iterator[Breach]:
    """Yield every breach of a template that could be loaded.

    Raises:
        TemplateProblem: `methods.toml` does not hold to its schema.
    """
    try:
        if template.spec.kernel == "python3":
            ast.parse("\n".join(code_cells(template)))
    except SyntaxError as error:
        yield Breach(template.spec.notebook, f"line {error.lineno} of its code cannot be read.")
        return
    yield from _look_at_texts(template)
    yield from _look_at_notebook(template)
    yield from _look_at_sheets(template)
    yield from _look_at_examples(template)


def code_cells(template: Template) -> list[str]:
    """Return the sources of the notebook's code cells."""
    notebook = json.loads(template.notebook.read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def strings_passed_to(template: Template, *names: str) -> set[str]:
    """Return the first arguments that are plain strings of the notebook's calls of the library.

    Args:
        template: whose notebook is read.
        names: the library's functions, as `say`.
    """
    code = "\n".join(code_cells(template))
    if template.spec.kernel == "ir":
        return set(re.findall(rf'wardbook\.(?:{"|".join(names)})\(\s*"(\w+)"', code))
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in names
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def ordinary_spaces_before_signs(text: str) -> list[str]:
    """Return the places of a French text at which a line could break before a sign."""
    return re.findall(r"\w* [;:?!»]", text)


def _look_at_texts(template: Template) -> Iterator[Breach]:
    file = "texts.toml"
    french, english = (template.texts(language) for language in LANGUAGES)
    for key in sorted(set(french) ^ set(english)):
        yield Breach(file, f"{key}: stands in one language only. Add the other.")
    for key in french.keys() & english.keys():
        if _places(french[key]) != _places(english[key]):
            yield Breach(file, f"{key}: the languages differ in their places {{…}}.")
        if french[key] == english[key]:
            yield Breach(file, f"{key}: both languages are the same. Translate it.")
    code = "\n".join(code_cells(template))
    for key in sorted(strings_passed_to(template, "say", "text") - set(french)):
        yield Breach(file, f"{key}: the notebook asks for it, and it is not there.")
    for key in french:
        if not re.search(rf"""["']{key}["']""", code) and "label_" not in key:
            yield Breach(file, f"{key}: the notebook does not use it. Remove it.")
    for key, text in french.items():
        for found in ordinary_spaces_before_signs(text):
            yield Breach(file, f"{key}: {found!r} needs a no-break space before the sign.")
    for text in _french(template.spec):
        for found in ordinary_spaces_before_signs(text):
            yield Breach("template.toml", f"{found!r} needs a no-break space before the sign.")


def _look_at_notebook(template: Template) -> Iterator[Breach]:
    file, kernel = template.spec.notebook, template.spec.kernel
    notebook = json.loads(template.notebook.read_text(encoding="utf-8"))
    if notebook["metadata"].get("kernelspec", {}).get("name") != kernel:
        yield Breach(file, f"its kernel is not {kernel}, which template.toml declares.")
    if kernel not in KERNELS:
        yield Breach("template.toml", f"kernel: {kernel!r} is none of {', '.join(KERNELS)}.")
        return
    for number, cell in enumerate(notebook["cells"], 1):
        if cell.get("outputs") or cell.get("execution_count") or cell.get("attachments"):
            yield Breach(file, f"cell {number} holds outputs. Clear them.")
        if cell["metadata"]:
            yield Breach(file, f"cell {number} has metadata of an editor. Clear them.")
    for name in sorted(_named_functions(template) & _PRINTS[kernel]):
        yield Breach(file, f"{name}(): shows or runs what is not declared. Use the library's.")
    if kernel == "python3":
        allowed = _OF_A_DRAFT if template.spec.version.startswith("0.") else frozenset()
        for name in sorted(_imported(template) - {"wardbook"} - allowed):
            yield Breach(file, f"import {name}: calculations stand in the library, with tests.")
    code = "\n".join(code_cells(template))
    computed = re.search(r"\b(wb|wardbook)\.(table|figure)\(\s*[^\"\s]", code)
    for name, output in template.spec.outputs.items():
        if output.kind is not OutputKind.REPORT and not computed and f'"{name}"' not in code:
            yield Breach(file, f"the output {name} is declared and never written.")


def _look_at_sheets(template: Template) -> Iterator[Breach]:
    sheet = template.folder / "README.md"
    text = sheet.read_text(encoding="utf-8") if sheet.is_file() else ""
    if not text.startswith(f"# {template.spec.name}"):
        yield Breach("README.md", f"must be there and begin with `# {template.spec.name}`.")
    for name in (*template.spec.parameters, *template.spec.sources):
        if f"`{name}`" not in text:
            yield Breach("README.md", f"does not name `{name}`.")
    _, _, tests = text.partition("\n## Tests")
    if not re.search(r"`(templates/\w+/)?tests/[\w/*.]+`", tests):
        yield Breach("README.md", "has no section Tests that names the file of its tests.")
    explained = {name for method in load_methods(template).values() for name in method.columns}
    for name, output in template.spec.outputs.items():
        if UNKNOWN_COLUMNS in output.columns:
            yield Breach("template.toml", f"outputs.{name}.columns: TODO: declare its columns.")
        told = set(output.columns) - {*output.dimensions, *output.labels}
        if output.channel is not Channel.INSIDE and told and not told & explained:
            yield Breach(METHODS, f"no sheet explains a column of {name}.")


def _look_at_examples(template: Template) -> Iterator[Breach]:
    examples = {name: one.example for name, one in template.spec.parameters.items()}
    _, problems = type_parameters(template.spec, examples)
    for problem in problems:
        yield Breach("template.toml", f"an example does not fit its own parameter: {problem}")


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _named_functions(template: Template) -> set[str]:
    code = "\n".join(code_cells(template))
    if template.spec.kernel == "ir":
        return set(re.findall(r"(?<![\w.])([\w.]+)\(", code))
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}


def _imported(template: Template) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse("\n".join(code_cells(template)))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _french(value: Any) -> list[str]:
    if isinstance(value, Localised):
        return [value.fr]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _french(item)]
    if isinstance(value, tuple):
        return [text for item in value for text in _french(item)]
    if hasattr(type(value), "model_fields"):
        return [t for name in type(value).model_fields for t in _french(getattr(value, name))]
    return []
