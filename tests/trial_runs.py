"""A small template and runs of it, for the tests of engines and executors."""

import os
import textwrap
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import nbformat

from wardbook.domain.run import RunSpec

TEMPLATE = """
name = "trial"
version = "1"
title = {fr = "Essai", en = "Trial"}
question = {fr = "Combien ?", en = "How many?"}

[parameters.who]
type = "text"
label = {fr = "Qui", en = "Who"}
default = "monde"
example = "Ada"

[parameters.days]
type = "date"
many = true
label = {fr = "Jours", en = "Days"}
example = "2021-01-08, 2021-01-09"

[parameters.share]
type = "number"
required = false
label = {fr = "Part", en = "Share"}
example = "0.5"

[sources.stays]
kind = "stays"
label = {fr = "Séjours", en = "Stays"}

[sources.wards]
kind = "wards"
required = false
label = {fr = "Services", en = "Wards"}

[outputs.counts]
kind = "table"
title = {fr = "Comptes", en = "Counts"}
sensitivity = "public"
channel = "site"
columns = {day = {fr = "jour", en = "day"}, n = {fr = "nombre", en = "number"}}

[outputs.curve]
kind = "figure"
title = {fr = "Courbe", en = "Curve"}
sensitivity = "public"
channel = "site"
"""

TEXTS = """
[fr]
hello = "Bonjour **{who}** : {rate:.1f}"
[en]
hello = "Hello **{who}**: {rate:.1f}"
"""


def make_template(parent: Path) -> Path:
    folder = parent / "trial"
    folder.mkdir()
    (folder / "template.toml").write_text(TEMPLATE, encoding="utf-8")
    (folder / "texts.toml").write_text(TEXTS, encoding="utf-8")
    nbformat.write(nbformat.v4.new_notebook(), folder / "notebook.ipynb")
    return folder


def make_run(parent: Path, key: str, *cells: str, **spec: Any) -> Path:
    """Make the folder of a run whose notebook has a heading and these code cells."""
    template = parent / "trial"
    if not template.exists():
        make_template(parent)
    folder = parent / key
    folder.mkdir()
    code = [nbformat.v4.new_code_cell(textwrap.dedent(cell).strip("\n")) for cell in cells]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Trial"), *code])
    nbformat.write(notebook, folder / "notebook.ipynb")
    given: dict[str, Any] = {
        "request": "request",
        "template": "trial",
        "template_folder": str(template),
        "kernel": "python3",
        "language": "fr",
        "sources": {},
        "seconds": 60.0,
        "memory_mb": 1024,
        "open_to": [str(parent)],  # where tests and their notebooks meet
    }
    parameters = {name: encode(value) for name, value in spec.pop("parameters", {}).items()}
    RunSpec(key=key, parameters=parameters, **(given | spec)).write(folder)
    return folder


def encode(value: Any) -> Any:
    """Turn a typed value into that of `spec.json`."""
    if isinstance(value, list):
        return [encode(item) for item in value]
    return {"date": value.isoformat()} if isinstance(value, date) else value


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
