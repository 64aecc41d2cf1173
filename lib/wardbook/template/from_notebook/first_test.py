"""The first test of a template that is begun: that it runs, and that what is asked matters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from importlib import resources

from wardbook.template.from_notebook.draft import Exploration
from wardbook.template.from_notebook.guessing import delimiter_of, guess_columns
from wardbook.template.from_notebook.literals import is_day
from wardbook.template.from_notebook.parameters import Parameter
from wardbook.template.from_notebook.persons import tells_a_person
from wardbook.template.from_notebook.sources import Source


def secret_example(parameter: Parameter) -> str:
    """Return an invented example of a value that told a person."""
    return {"date": "2026-01-01", "integer": "1", "number": "1", "boolean": "yes"}.get(
        parameter.value.type, "TODO"
    )


def write_test(exploration: Exploration) -> str:
    """Return the test's file: it runs the template on invented rows of each source."""
    days = [
        date.fromisoformat(text)
        for one in exploration.parameters
        if one.value.type == "date" and not one.secret
        for text in one.value.texts
    ]
    first = min(days, default=date(2026, 1, 1))
    last = max([*days, first + timedelta(days=60)])
    invented = [line for one in exploration.sources for line in _invent(one, exploration)]
    other = {one.name: _another(one) for one in exploration.parameters if not one.secret}
    secret = {one.name: secret_example(one) for one in exploration.parameters if one.secret}
    places = {
        "NAME": exploration.name,
        "FIRST_DAY": f"date({first.year}, {first.month}, {first.day})",
        "LAST_DAY": f"date({last.year}, {last.month}, {last.day})",
        "GIVEN_VALUES": _literal(secret, ""),
        "OTHER_VALUES": _literal({name: value for name, value in other.items() if value}, ""),
        "TABLE_NAMES": _names(exploration, "table"),
        "FIGURE_NAMES": _names(exploration, "figure"),
        "INVENTED_ROWS": "\n    ".join(invented) or "pass",
    }
    text = (resources.files(__package__) / "test_NAME.py.txt").read_text(encoding="utf-8")
    return re.sub(rf"\b(?:{'|'.join(places)})\b", lambda place: places[place[0]], text)


def _invent(source: Source, exploration: Exploration) -> Iterator[str]:
    if source.dataset is not None:
        of, seen = [json.dumps(source.kind)], set(source.dataset.names)
    else:
        columns = guess_columns(source, exploration.cells, exploration.asked)
        of, seen = [_literal(columns, " " * 8)], set(columns)
        of.append(f"delimiter={json.dumps(delimiter_of(source))}")
    secret = [one.value.texts for one in exploration.parameters if one.secret]
    hidden = {text for texts in secret for text in texts}
    codes = {
        column: sorted(values - hidden)
        for column, values in exploration.asked.items()
        if column in seen and not tells_a_person(column) and not any(map(is_day, values))
    }
    yield f'rows_of["{source.name}"] = invent_rows('
    yield from (f"    {one}," for one in of)
    yield "    first=FIRST,"
    yield "    last=LAST,"
    yield f"    codes={_literal(codes, ' ' * 8)},"
    yield ")"


def _literal(value: Mapping[str, object], indent: str) -> str:
    """Return a dictionary as Python writes it, an item a line."""
    items = (
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(one, ensure_ascii=False)},"
        for key, one in value.items()
    )
    lines = "".join(f"{indent}    {item}\n" for item in items)
    return f"{{\n{lines}{indent}}}" if lines else "{}"


def _names(exploration: Exploration, kind: str) -> str:
    names = [f'"{one.name}",' for one in exploration.outputs if one.kind == kind]
    return f"({' '.join(names)})" if len(names) < 2 else f"({' '.join(names).rstrip(',')})"


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
