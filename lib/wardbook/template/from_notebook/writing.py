"""The files of a template that was begun from a notebook: declaration, texts, sheets, tests."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from importlib import resources

from wardbook.template.beginning import notebook_of
from wardbook.template.from_notebook.constants import Parameter
from wardbook.template.from_notebook.draft import Exploration, rewritten_cells
from wardbook.template.from_notebook.frames import Shape
from wardbook.template.from_notebook.names import in_words
from wardbook.template.from_notebook.outputs import Output
from wardbook.template.from_notebook.sources import Source
from wardbook.template.rules import UNKNOWN_COLUMNS

_FRENCH = frozenset(
    "le la les des du de et est une par pour dans sur au aux ce cette qui que".split()
)
_ENGLISH = frozenset("the of and is a by for in on to this that which with are".split())
_TODO = {"fr": "TODO à traduire", "en": "TODO translate"}
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
    name, texts = exploration.name, _Texts(exploration)
    return {
        "template.toml": "\n".join(_declaration(exploration, texts)) + "\n",
        "notebook.ipynb": json.dumps(
            notebook_of(_notebook(exploration, cells, texts)), indent=1, ensure_ascii=False
        )
        + "\n",
        "texts.toml": texts.as_toml(),
        "methods.toml": "\n".join(_methods(exploration)) + "\n",
        "README.md": "\n".join(_readme(exploration, texts)) + "\n",
        f"tests/test_{name}.py": _test(exploration),
    }


class _Texts:
    """The report's texts: of the Markdown cells, the outputs, the methods and the limits."""

    def __init__(self, exploration: Exploration) -> None:
        markdown = [cell for cell in exploration.cells if not cell.is_code and not cell.is_raw]
        said = " ".join(cell.text for cell in markdown)
        self.language = _language_of(said)
        self.title = in_words(exploration.name)
        self.keys: dict[int, str] = {}
        self.pairs: dict[str, tuple[str, str]] = {}
        for cell in markdown:
            text = cell.text.strip()
            heading = re.match(r"#\s+(.+)\n*", text)
            if heading and not self.keys and self.title == in_words(exploration.name):
                self.title = heading[1].strip()
                text = text[heading.end() :].strip()
            if text:
                key = f"text_{len(self.keys) + 1}"
                self.keys[cell.number] = key
                self.pairs[key] = self.in_both(_braced(text))
        for output in exploration.outputs:
            self.pairs[f"caption_{output.name}"] = self.in_both(_braced(output.title))
            if output.kind == "figure":
                self.pairs[f"alternative_{output.name}"] = (
                    "TODO dire ce que la figure montre, pour qui ne la voit pas.",
                    "TODO say what the figure shows, for readers who do not see it.",
                )
        self.pairs["methods"] = (
            "## Méthode\n\n- TODO dire comment on a compté.",
            "## Method\n\n- TODO say how it was counted.",
        )
        self.pairs["limits"] = (
            "## Limites\n\n- TODO dire ce que ces chiffres ne disent pas.",
            "## Limits\n\n- TODO say what these figures do not tell.",
        )

    def in_both(self, text: str) -> tuple[str, str]:
        """Return a text in French and English, the one that is missing with its mark."""
        if self.language == "fr":
            return _space(text), f"{_TODO['en']}: {text}"
        return _space(f"{_TODO['fr']} : {text}"), text

    def as_toml(self) -> str:
        """Return the file of texts."""
        lines = ["# What the report says; lines marked TODO wait for a person.", ""]
        for at, language in enumerate(("fr", "en")):
            lines += [f"[{language}]"]
            lines += [f"{key} = {_quote(pair[at])}" for key, pair in self.pairs.items()]
            lines += [""]
        return "\n".join(lines)


def _declaration(exploration: Exploration, texts: _Texts) -> Iterator[str]:
    yield f'name = "{exploration.name}"'
    yield 'version = "0.1.0"'
    yield f"title = {_both(texts.title)}  # TODO translate"
    yield "\n[question]  # TODO write the question that a requester asks"
    yield f"fr = {_quote(_space(f'{texts.title} : que disent les données ?'))}"
    yield f"en = {_quote(f'{texts.title}: what do the data say?')}"
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
    yield f"label = {_both(in_words(parameter.name))}  # TODO translate"
    if parameter.value.many:
        yield "many = true"
    if parameter.choices:
        yield f"choices = {json.dumps(parameter.choices, ensure_ascii=False)}"
    for key, bound in (("min", parameter.low), ("max", parameter.high)):
        if bound is not None:
            yield f"{key} = {json.dumps(bound)}"
    if parameter.secret:
        yield "# The notebook's own value told a person and is not kept."
        yield f"example = {_quote(secret_example(parameter))}"
        return
    given = ", ".join(parameter.value.texts)
    yield f"default = {_quote(given)}"
    yield f"example = {_quote(given)}"
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


def secret_example(parameter: Parameter) -> str:
    """Return an invented example of a value that told a person."""
    return {"date": "2026-01-01", "integer": "1", "number": "1", "boolean": "yes"}.get(
        parameter.value.type, "TODO"
    )


def _declare_source(source: Source) -> Iterator[str]:
    yield f"\n[sources.{source.name}]"
    if source.dataset is None and not source.public:
        columns = ", ".join(sorted(source.used)) or "see the notebook"
        yield "# TODO a kind of its own: declare a dataset in wardbook/datasets with the columns"
        yield f"# {columns}: their types, bounds and meaning, and which is the key."
    yield f'kind = "{source.kind}"'
    yield f"label = {_both(in_words(source.name))}  # TODO translate"
    if source.public:
        yield 'sensitivity = "public"'


def _declare_output(output: Output, exploration: Exploration) -> Iterator[str]:
    public = {one.name for one in exploration.sources if one.public}
    of_all = {one.name for one in exploration.sources}
    origins = set(output.shape.origins) or of_all
    yield f"\n[outputs.{output.name}]"
    yield f'kind = "{output.kind}"'
    yield f"title = {_both(output.title)}  # TODO translate"
    yield _leaves(bool(origins) and origins <= public)
    if output.kind != "table":
        return
    dimensions = [one for one in output.shape.keys if one in output.columns]
    if dimensions:
        yield f"dimensions = {json.dumps(dimensions, ensure_ascii=False)}"
    counts = [name for name in output.columns if _counts_persons(output.shape, name)]
    if counts:
        yield f"count = {_quote(counts[0])}"
        yield 'population = "TODO who is counted"'
    else:
        yield "# TODO `count`: the column with the number of persons behind a row; without it the"
        yield "# disclosure rules cannot judge the table, and it waits for a person."
    if output.columns == (UNKNOWN_COLUMNS,):
        yield "# TODO the columns could not be known: declare each, in the frame's order."
    yield f"\n[outputs.{output.name}.columns]"
    for column in output.columns:
        yield f"{_key(column)} = {_both(in_words(column))}"


def _counts_persons(shape: Shape, column: str) -> bool:
    how, of = shape.told.get(column, ("", ""))
    return how == "nunique" and of.lower() in {"patient", "patients", "ipp", "person", "nip"}


def _leaves(public: bool) -> str:
    if public:
        return 'sensitivity = "public"\nchannel = "site"'
    return 'sensitivity = "sensitive"\nchannel = "share"'


def _notebook(exploration: Exploration, cells: Sequence[str], texts: _Texts) -> list[str]:
    setups = [one.setup for one in exploration.parameters if one.setup]
    first = ["import wardbook as wb", "", f"{exploration.alias} = wb.params()", *setups]
    if not exploration.parameters:
        first = first[:1]
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
        yield f"formula = {_quote(output.formula or 'TODO')}"
        yield f"name = {_both(output.title)}  # TODO translate"
        yield 'definition = { fr = "TODO dire ce que la table compte.", en = "TODO say what the table counts." }'
        yield f"source = {_both(source)}"
        yield "limits = ["
        for text in assumed or ["TODO say what these figures do not tell."]:
            yield f"    {{ fr = {_quote(_space(f'TODO à traduire : {text}'))}, en = {_quote(text)} }},"
        yield "]"


def _readme(exploration: Exploration, texts: _Texts) -> Iterator[str]:
    yield f"# {exploration.name}: {texts.title}\n"
    yield f"**Question.** TODO: what does a requester ask? It was begun from a notebook ({texts.title}).\n"
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
    yield "The calculations stand in the notebook. A draft (version 0.x) may do so; before 1.0.0 they"
    yield "move into the library, with tests of what they count by hand. Everything marked TODO waits"
    yield "for a person."
    yield "\n## Example\n```sh"
    given = " ".join(f"--source {one.name}={one.name}.csv" for one in exploration.sources)
    yield f"wardbook run {exploration.name} --templates templates {given} --out results".replace(
        "  ", " "
    )
    yield "```\n\n## Tests"
    yield f"`tests/test_{exploration.name}.py`: on invented data every declared output is made, and"
    yield "another value of each parameter gives other figures."


def _test(exploration: Exploration) -> str:
    days = [
        date.fromisoformat(text)
        for one in exploration.parameters
        if one.value.type == "date" and not one.secret
        for text in one.value.texts
    ]
    first = min(days, default=date(2026, 1, 1))
    last = max([*days, first + timedelta(days=60)])
    invented = []
    for source in exploration.sources:
        if source.dataset is None:
            columns = ";".join(sorted(source.used)) or "column;column"
            invented.append(f"    # TODO invent rows of {source.name}: until then this test fails.")
            invented.append(f'    rows_of["{source.name}"] = "{columns}\\n"')
        else:
            codes = {
                one.column: list(one.value.texts)
                for one in exploration.parameters
                if one.column in source.dataset.names
                and one.value.type == "text"
                and not one.secret
            }
            invented.append(f'    rows_of["{source.name}"] = invent_rows(')
            invented.append(f'        "{source.kind}", first=FIRST, last=LAST, codes={codes!r}')
            invented.append("    )")
    other = {one.name: _another(one) for one in exploration.parameters if not one.secret}
    secret = {one.name: secret_example(one) for one in exploration.parameters if one.secret}
    skeleton = resources.files(__package__) / "test_NAME.py.txt"
    places = {
        "NAME": exploration.name,
        "FIRST_DAY": f"date({first.year}, {first.month}, {first.day})",
        "LAST_DAY": f"date({last.year}, {last.month}, {last.day})",
        "GIVEN_VALUES": repr(secret),
        "OTHER_VALUES": repr({name: value for name, value in other.items() if value}),
        "TABLE_NAMES": repr(tuple(o.name for o in exploration.outputs if o.kind == "table")),
        "FIGURE_NAMES": repr(tuple(o.name for o in exploration.outputs if o.kind == "figure")),
        "    INVENTED_ROWS": "\n".join(invented) or "    pass",
    }
    text = skeleton.read_text(encoding="utf-8")
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def _another(parameter: Parameter) -> str:
    """Return another value that fits the parameter, "" where none is known."""
    value = parameter.value
    if value.many:
        return value.texts[0] if len(value.texts) > 1 else ""
    text = value.texts[0]
    match value.type:
        case "date":
            late = re.search(r"end|last|_to$|fin|until", parameter.name)
            return (date.fromisoformat(text) + timedelta(days=-10 if late else 10)).isoformat()
        case "integer":
            return str(int(text) + max(1, abs(int(text)) // 2))
        case "number":
            made = float(text) * 0.5
            return repr(made)
        case "boolean":
            return "no" if text == "yes" else "yes"
    return next((one for one in parameter.choices if one != text), "")


def _language_of(text: str) -> str:
    words = re.findall(r"[a-zà-ÿ]+", text.lower())
    french = sum(word in _FRENCH for word in words)
    return "fr" if french > sum(word in _ENGLISH for word in words) else "en"


def _space(text: str) -> str:
    """Put no-break spaces where a French line could break before a sign."""
    return re.sub(r" ([;:?!»])", "\u00a0\\1", text).replace("« ", "«\u00a0")


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _both(text: str) -> str:
    return f"{{ fr = {_quote(_space(text))}, en = {_quote(text)} }}"


def _quote(text: str) -> str:
    if "\n" in text and "'''" not in text:
        escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        ending = "\\" if escaped.endswith('"') else ""
        return f'"""\n{escaped}{ending}"""' if not ending else json.dumps(text, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quote(name)
