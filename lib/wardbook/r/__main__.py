"""Print as JSON what the R side asks: `python -m wardbook.r session`, `departments`, `read …`.

`read NAME FILE` writes the rows of a source whose kind is a dataset into a CSV file of the R side's
own: R reads no Parquet, and both sides hold a file to the same rules. A WardbookError is an answer
too: `{"error": class name, "message": text}`, with `code` and `details` of a data problem.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from wardbook.errors import DataProblem, WardbookError

_R_TYPES: dict[type, str] = {
    bool: "logical",
    int: "integer",
    float: "double",
    date: "date",
    str: "character",
}
_DECLARED_TYPES = {
    "text": "character",
    "choice": "character",
    "integer": "integer",
    "number": "double",
    "boolean": "logical",
    "date": "date",
}


def describe_session() -> dict[str, Any]:
    """Return the current session: values, places, texts and declared outputs, ready for JSON."""
    from wardbook.notebook.session import current_session

    session = current_session()
    spec = session.template.spec
    declared = {name: _DECLARED_TYPES[p.type] for name, p in spec.parameters.items()}
    return {
        "language": session.language,
        "by_hand": session.by_hand,
        "outputs": str(session.outputs),
        "parameters": {
            name: describe_value(getattr(session.parameters, name), declared.get(name))
            for name in dir(session.parameters)
        },
        "sources": {name: str(path) for name, path in session.sources.items()},
        "declared_sources": {name: source.required for name, source in spec.sources.items()},
        "declared_outputs": {
            name: {
                "kind": output.kind,
                "title": output.title.in_language(session.language),
                "columns": list(output.columns),
            }
            for name, output in spec.outputs.items()
        },
        "texts": dict(session.texts),
    }


def describe_value(value: Any, declared: str | None) -> dict[str, Any] | None:
    """Return a parameter as R type and list of values, each None or text; None where not given.

    Numbers are texts as Python writes them, so that no digit is lost on the way. `declared` is the
    type of a list that does not show one.

    Raises:
        TemplateProblem: a list holds values of types that no R vector holds together.
    """
    from wardbook.template.spec import TemplateProblem

    if value is None:
        return None
    values = value if isinstance(value, list) else [value]
    found = {_R_TYPES[type(one)] for one in values if one is not None}
    if found == {"integer", "double"}:
        found = {"double"}
    if len(found) > 1:
        raise TemplateProblem(
            f"no R vector holds {' and '.join(sorted(found))} together. Mend the parameter's type."
        )
    (kind,) = found or {declared or "logical"}
    return {"type": kind, "values": [None if one is None else str(one) for one in values]}


def list_departments() -> list[dict[str, str]]:
    """Return every department of `wardbook.epidemic.geography` with its region."""
    from wardbook.epidemic.geography import all_departments, all_regions

    regions = all_regions()
    return [
        {
            "department": code,
            "department_name": department.name,
            "region": department.region,
            "region_name": regions[department.region].name,
        }
        for code, department in all_departments().items()
    ]


def hand_over(name: str, file: str) -> dict[str, Any]:
    """Write the rows of a source that was given to `file`, all quoted; return the columns' kinds.

    Days and moments are YYYY-MM-DDTHH:MM:SS, numbers as Python writes them, flags 1 or 0, and what
    is missing is empty.
    """
    from wardbook.datasets import find_dataset
    from wardbook.notebook.given import read
    from wardbook.notebook.session import current_session

    rows = read(name)
    dataset = find_dataset(current_session().template.spec.sources[name].kind)
    assert rows is not None  # noqa: S101  the R side asks for what was given
    assert dataset is not None  # noqa: S101  else it was refused
    with Path(file).open("w", encoding="utf-8", newline="") as stream:
        texts = rows.astype({c.name: "int64" for c in dataset.columns if c.kind == "flag"})
        texts.to_csv(stream, index=False, quoting=csv.QUOTE_ALL, date_format="%Y-%m-%dT%H:%M:%S")
    return {"columns": {column.name: str(column.kind) for column in dataset.columns}}


_ANSWERS: dict[str, Callable[..., Any]] = {
    "session": describe_session,
    "departments": list_departments,
    "read": hand_over,
}


def main(argument: str, *more: str) -> None:
    """Print the answer to one question."""
    try:
        answer: Any = _ANSWERS[argument](*more)
    except DataProblem as error:
        answer = {
            "error": "DataProblem",
            "message": str(error),
            "code": error.code,
            "details": dict(error.details),
        }
    except WardbookError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
