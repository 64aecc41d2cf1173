"""The files of a template that was begun from a notebook: declaration, texts, sheets, tests."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Sequence

from wardbook.template.beginning import notebook_of
from wardbook.template.from_notebook.draft import Exploration, rewritten_cells
from wardbook.template.from_notebook.first_test import secret_example, write_test
from wardbook.template.from_notebook.frames import Shape
from wardbook.template.from_notebook.names import in_words
from wardbook.template.from_notebook.outputs import Output
from wardbook.template.from_notebook.parameters import Parameter
from wardbook.template.from_notebook.sources import Source
from wardbook.template.from_notebook.texts import Texts, both, key, quote, space
from wardbook.template.rules import UNKNOWN_COLUMNS

_ASSUMED = {
    "dropna": "Rows with a missing value are left out.",
    "fillna": "Missing values are replaced by another.",
    "drop_duplicates": "Of rows that repeat, one counts.",
    "merge": "Rows without a counterpart in the other source may be lost.",
    "nunique": "Somebody who comes back counts once.",
    "rolling": "The first rows of a moving window rest on fewer values.",
    "resample": "A period without rows is a gap or a zero: say which.",
    "mean": "A mean is moved by single large values.",
    "median": "A median tells nothing of the extremes.",
    "isin": "What is not listed is not counted.",
    "query": "What the filter does not take is not counted.",
    "cut": "The bounds of the classes were chosen.",
}


def write_files(exploration: Exploration) -> dict[str, str]:
    """Return the template's files by their path in its folder."""
    cells = rewritten_cells(exploration)
    name, texts = exploration.name, Texts(exploration)
    return {
        "template.toml": "\n".join(_declaration(exploration, texts)) + "\n",
        "notebook.ipynb": json.dumps(
            notebook_of(_notebook(exploration, cells, texts)), indent=1, ensure_ascii=False
        )
        + "\n",
        "texts.toml": texts.as_toml(),
        "methods.toml": "\n".join(_methods(exploration)) + "\n",
        "README.md": "\n".join(_readme(exploration, texts)) + "\n",
        f"tests/test_{name}.py": write_test(exploration),
    }


def _declaration(exploration: Exploration, texts: Texts) -> Iterator[str]:
    yield f'name = "{exploration.name}"'
    yield 'version = "0.1.0"'
    yield f"title = {both(texts.title)}  # TODO translate"
    yield "\n[question]  # TODO write the question that a requester asks"
    yield f"fr = {quote(space(f'{texts.title} : que disent les données ?'))}"
    yield f"en = {quote(f'{texts.title}: what do the data say?')}"
    for parameter in exploration.parameters:
        yield from _declare_parameter(parameter, exploration.parameters)
    for source in exploration.sources:
        yield from _declare_source(source)
    public = all(source.public for source in exploration.sources) and bool(exploration.sources)
    yield '\n[outputs.report]\nkind = "report"\ntitle = { fr = "Rapport", en = "Report" }'
    yield _leaves(public)
    for output in exploration.outputs:
        yield from _declare_output(output, exploration)
    yield "\n[resources]\ncpus = 1\nmemory_mb = 2048\nminutes = 10"


def _declare_parameter(parameter: Parameter, others: Sequence[Parameter]) -> Iterator[str]:
    kind = "choice" if parameter.choices else parameter.value.type
    yield f"\n[parameters.{parameter.name}]"
    yield f'type = "{kind}"'
    yield f"label = {both(in_words(parameter.name))}  # TODO translate"
    if parameter.value.many:
        yield "many = true"
    if parameter.choices:
        yield f"choices = {json.dumps(parameter.choices, ensure_ascii=False)}"
    for word, bound in (("min", parameter.low), ("max", parameter.high)):
        if bound is not None:
            yield f"{word} = {json.dumps(bound)}"
    if parameter.secret:
        yield "# The notebook's own value told a person and is not kept."
        yield f"example = {quote(secret_example(parameter))}"
        return
    given = ", ".join(parameter.value.texts)
    yield f"default = {quote(given)}"
    yield f"example = {quote(given)}"
    period = {
        "start": "first_day",
        "first_day": "first_day",
        "end": "last_day",
        "last_day": "last_day",
    }
    names = {one.name for one in others if one.value.type == "date" and not one.value.many}
    paired = {"start", "end"} <= names or {"first_day", "last_day"} <= names
    if paired and kind == "date" and parameter.name in period:
        yield f'from_period = "{period[parameter.name]}"'


def _declare_source(source: Source) -> Iterator[str]:
    yield f"\n[sources.{source.name}]"
    if source.dataset is None and not source.public:
        columns = ", ".join(sorted(source.used)) or "see the notebook"
        yield "# TODO a kind of its own: declare a dataset in wardbook/datasets with the columns"
        yield f"# {columns}: their types, bounds and meaning, and which is the key."
    yield f'kind = "{source.kind}"'
    yield f"label = {both(in_words(source.name))}  # TODO translate"
    if source.public:
        yield 'sensitivity = "public"'


def _declare_output(output: Output, exploration: Exploration) -> Iterator[str]:
    public = {one.name for one in exploration.sources if one.public}
    of_all = {one.name for one in exploration.sources}
    origins = set(output.shape.origins) or of_all
    yield f"\n[outputs.{output.name}]"
    yield f'kind = "{output.kind}"'
    yield f"title = {both(output.title)}  # TODO translate"
    yield _leaves(bool(origins) and origins <= public)
    if output.kind != "table":
        return
    dimensions = [one for one in output.shape.keys if one in output.columns]
    if dimensions:
        yield f"dimensions = {json.dumps(dimensions, ensure_ascii=False)}"
    counts = [name for name in output.columns if _counts_persons(output.shape, name)]
    if counts:
        yield f"count = {quote(counts[0])}"
        yield 'population = "TODO who is counted"'
    else:
        yield "# TODO `count`: the column with the number of persons behind a row; without it the"
        yield "# disclosure rules cannot judge the table, and it waits for a person."
    if output.columns == (UNKNOWN_COLUMNS,):
        yield "# TODO the columns could not be known: declare each, in the frame's order."
    yield f"\n[outputs.{output.name}.columns]"
    for column in output.columns:
        yield f"{key(column)} = {both(in_words(column))}"


def _counts_persons(shape: Shape, column: str) -> bool:
    how, of = shape.told.get(column, ("", ""))
    return how == "nunique" and of.lower() in {"patient", "patients", "ipp", "person", "nip"}


def _leaves(public: bool) -> str:
    if public:
        return 'sensitivity = "public"\nchannel = "site"'
    return 'sensitivity = "sensitive"\nchannel = "share"'


def _notebook(exploration: Exploration, cells: Sequence[str], texts: Texts) -> list[str]:
    setups = [one.setup for one in exploration.parameters if one.setup]
    first = ["import wardbook as wb", "", f"{exploration.alias} = wb.params()", *setups]
    if not exploration.parameters:
        first = first[:1]
    first += exploration.setups
    made = ["\n".join(first)]
    for cell, code in zip(exploration.cells, cells, strict=True):
        if cell.number in texts.keys:
            made.append(f'wb.say("{texts.keys[cell.number]}")')
        elif code.strip():
            made.append(code)
    return [*made, 'wb.say("methods")\nwb.say("limits")']


def _methods(exploration: Exploration) -> Iterator[str]:
    yield "# One sheet for each table; lines marked TODO wait for a person."
    called = {
        node.func.attr
        for cell in exploration.cells
        for node in ast.walk(cell.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assumed = [text for name, text in _ASSUMED.items() if name in called]
    for output in exploration.outputs:
        if output.kind != "table":
            continue
        told = [one for one in output.columns if one not in output.shape.keys]
        origins = sorted(output.shape.origins) or [one.name for one in exploration.sources]
        source = ", ".join(in_words(one) for one in origins) or "TODO"
        yield f"\n[{output.name}]"
        yield f"columns = {json.dumps(told or list(output.columns), ensure_ascii=False)}"
        yield f"formula = {quote(output.formula or 'TODO')}"
        yield f"name = {both(output.title)}  # TODO translate"
        yield (
            'definition = { fr = "TODO dire ce que la table compte.", '
            'en = "TODO say what the table counts." }'
        )
        yield f"source = {both(source)}"
        yield "limits = ["
        for text in assumed or ["TODO say what these figures do not tell."]:
            french = quote(space(f"TODO à traduire : {text}"))
            yield f"    {{ fr = {french}, en = {quote(text)} }},"
        yield "]"


def _readme(exploration: Exploration, texts: Texts) -> Iterator[str]:
    yield f"# {exploration.name}: {texts.title}\n"
    yield "**Question.** TODO: what does a requester ask? It was begun from a notebook.\n"
    yield "## Sources\n| name | kind | columns that are used |\n|---|---|---|"
    for source in exploration.sources:
        columns = ", ".join(f"`{one}`" for one in sorted(source.used)) or "TODO"
        yield f"| `{source.name}` | `{source.kind}` | {columns} |"
    yield "\n## Parameters\n| name | meaning | where it came from |\n|---|---|---|"
    for parameter in exploration.parameters:
        yield f"| `{parameter.name}` | {in_words(parameter.name)} | {parameter.reason} |"
    yield "\n## Outputs"
    for output in exploration.outputs:
        yield f"- `{output.name}` ({output.kind}): {output.title}"
    yield "\n## Limits"
    yield "The calculations stand in the notebook. A draft (version 0.x) may do so; before 1.0.0"
    yield "they move into the library, with tests of what they count by hand. Everything marked"
    yield "TODO waits for a person."
    yield "\n## Example\n```sh"
    given = " ".join(f"--source {one.name}={one.name}.csv" for one in exploration.sources)
    yield f"wardbook run {exploration.name} --templates templates {given} --out results".replace(
        "  ", " "
    )
    yield "```\n\n## Tests"
    yield f"`tests/test_{exploration.name}.py`: on invented data every declared output is made, and"
    yield "another value of each parameter gives other figures."
