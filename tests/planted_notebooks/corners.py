"""Corners of the notebook's format: each takes a run notebook and puts a text there.

`MADE` are those that a run or an editor fills, and that git's form does not have; `WRITTEN` are the
author's own, and stay: what must not be there has to be refused.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

Notebook = dict[str, Any]
Corner = Callable[[Notebook, str], None]


def run_notebook(random: Random) -> Notebook:
    """A notebook as JupyterLab saves it after a run: outputs, counts, times, nobody in it."""
    day = f"2025-0{random.randint(1, 9)}-1{random.randint(0, 9)}"
    beds = random.randint(10, 400)
    cells = [
        markdown("# Durées de séjour\n\nMédiane et quartiles par unité, voir "
                 "[la méthode](https://example.org/methode).\n"),
        code("import pandas as pd\nimport wardbook as wb\n\nstays = wb.source('stays')\n"),
        code(f"# Lits installés au premier janvier\nBEDS = {beds}\nSTART = '{day}'\n"
             "rate = len(stays) / BEDS\nprint(f'{rate:.1f} séjours par lit')\n",
             [{"output_type": "stream", "name": "stdout", "text": ["12.4 séjours par lit\n"]}]),
        markdown("Les séjours de moins de trois jours sont *exclus* : 0 < durée < 3.\n"),
        code("stays.groupby('ward')['nights'].median()\n",
             [{"output_type": "execute_result", "execution_count": 4, "metadata": {},
               "data": {"text/plain": ["ward\n", "A    4\n", "B    6\n"]}}]),
    ]  # fmt: skip
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python",
                           "name": "python3"},
            "language_info": {"name": "python", "version": "3.11.2", "file_extension": ".py"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def code(source: str, outputs: list[Any] | None = None) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 3, "metadata": {}, "outputs": outputs or [],
            "source": source.splitlines(keepends=True)}  # fmt: skip


def _picture(text: str, form: str, *, packed: bool = False) -> str:
    told, written = PngInfo(), io.BytesIO()
    told.add_text("Comment", text, zip=packed)
    image = Image.new("RGB", (3, 3))
    if form == "png":
        image.save(written, "png", pnginfo=told)
    else:
        image.save(written, "jpeg", comment=text.encode("latin-1", "replace"))
    return base64.b64encode(written.getvalue()).decode()


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def _output(make: Callable[[str], dict[str, Any]]) -> Corner:
    def plant(notebook: Notebook, text: str) -> None:
        notebook["cells"][2]["outputs"].append(make(text))

    return plant


def _shown(kind: str, make: Callable[[str], Any] = str, output: str = "display_data") -> Corner:
    def show(text: str) -> dict[str, Any]:
        count = {"execution_count": 3} if output == "execute_result" else {}
        return {"output_type": output, "metadata": {}, "data": {kind: make(text)}} | count

    return _output(show)


def _at(*path: str | int, make: Callable[[str], Any] = str) -> Corner:
    """Plant at a path of keys, making what is not there yet."""

    def plant(notebook: Notebook, text: str) -> None:
        place: Any = notebook
        for key in path[:-1]:
            place = place[key] if isinstance(key, int) else place.setdefault(key, {})
        place[path[-1]] = make(text)

    return plant


def _digits_of(text: str) -> int:
    return int("".join(filter(str.isdecimal, text)) or 1)


def _cell(make: Callable[[str], dict[str, Any]]) -> Corner:
    def plant(notebook: Notebook, text: str) -> None:
        notebook["cells"].insert(2, make(text) | {"id": "planted"})

    return plant


def _tagged(tag: str) -> Callable[[str], dict[str, Any]]:
    return lambda text: code(f"# Parameters\nwho = {text!r}\n") | {"metadata": {"tags": [tag]}}


def _attached(kind: str, make: Callable[[str], Any]) -> Corner:
    def plant(notebook: Notebook, text: str) -> None:
        cell = markdown("Voir ![image](attachment:image.png)\n")
        notebook["cells"].append(
            cell | {"id": "seen", "attachments": {"image.png": {kind: make(text)}}}
        )

    return plant


def _name_attachment(notebook: Notebook, text: str) -> None:
    name = text.replace(" ", "_").replace("/", "-").replace("\n", "-")
    cell = markdown(f"![x](attachment:{name}.png)\n")
    attachments = {f"{name}.png": {"image/png": _picture("", "png")}}
    notebook["cells"].append(cell | {"id": "seen", "attachments": attachments})


def _base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _coloured(text: str) -> list[str]:
    first, second = _halves(text)
    return [f"\x1b[0;31mKeyError\x1b[0m: {first}\x1b[1m{second}\x1b[0m"]


_STATE = "application/vnd.jupyter.widget-state+json"

MADE: dict[str, Corner] = {
    "stream": _output(lambda t: {"output_type": "stream", "name": "stdout", "text": t}),
    "stream in halves": _output(
        lambda t: {"output_type": "stream", "name": "stderr", "text": _halves(t)}
    ),
    "name of a stream": _output(lambda t: {"output_type": "stream", "name": t, "text": ""}),
    "error": _output(lambda t: {"output_type": "error", "ename": "KeyError", "evalue": t,
                                "traceback": []}),
    "name of an error": _output(lambda t: {"output_type": "error", "ename": t, "evalue": "",
                                           "traceback": []}),
    "traceback": _output(lambda t: {"output_type": "error", "ename": "KeyError", "evalue": "",
                                    "traceback": _coloured(t)}),
    "unknown output": _output(lambda t: {"output_type": "tomorrow", "said": t}),
    "output's metadata": _output(lambda t: {"output_type": "display_data", "data": {},
                                            "metadata": {"image/png": {"alt": t}}}),
    "output's transient": _output(lambda t: {"output_type": "display_data", "data": {},
                                             "metadata": {}, "transient": {"display_id": t}}),
    "text/plain": _shown("text/plain", _halves, "execute_result"),
    "text/html": _shown("text/html", "<table><tr><td>{}</td></tr></table>".format),
    "text/markdown": _shown("text/markdown"),
    "text/latex": _shown("text/latex"),
    "application/json": _shown("application/json", lambda t: {"rows": [{"value": t}]}),
    "key of application/json": _shown("application/json", lambda t: {t: 1}),
    "vega": _shown("application/vnd.vegalite.v5+json", lambda t: {"data": {"values": [{"x": t}]}}),
    "javascript": _shown("application/javascript", "alert('{}')".format),
    "svg": _shown("image/svg+xml", "<svg><text>{}</text></svg>".format),
    "png": _shown("image/png", lambda t: _picture(t, "png")),
    "packed png": _shown("image/png", lambda t: _picture(t, "png", packed=True)),
    "jpeg": _shown("image/jpeg", lambda t: _picture(t, "jpeg")),
    "pdf": _shown("application/pdf", lambda t: _base64_of(f"%PDF-1.4\n({t}) Tj\n")),
    "widget's view": _shown("application/vnd.jupyter.widget-view+json", lambda t: {"model_id": t}),
    "key of a bundle": _output(lambda t: {"output_type": "display_data", "metadata": {},
                                          "data": {t: ""}}),
    "execution count": _at("cells", 2, "execution_count", make=_digits_of),
    "output's execution count": _at("cells", 4, "outputs", 0, "execution_count", make=_digits_of),
    "cell's metadata": _at("cells", 1, "metadata", "note"),
    "key of cell's metadata": lambda n, t: n["cells"][1]["metadata"].update({t: True}),
    "markdown's metadata": _at("cells", 0, "metadata", "editable"),
    "cell's name": _at("cells", 1, "metadata", "name"),
    "cell's title": _at("cells", 1, "metadata", "jupyter", "source_hidden"),
    "times of a cell": _at("cells", 1, "metadata", "execution", "iopub.execute_input"),
    "papermill of a cell": _at("cells", 1, "metadata", "papermill", "exception"),
    "slide": _at("cells", 0, "metadata", "slideshow", "slide_type"),
    "slide's other": _at("cells", 0, "metadata", "slideshow", "note"),
    "tag of words": _at("cells", 1, "metadata", "tags", make=lambda t: ["kept", f"À revoir : {t}"]),
    "tags that are no list": _at("cells", 1, "metadata", "tags"),
    "cell's other key": _at("cells", 1, "seen_by"),
    "cell's id": _at("cells", 1, "id", make=lambda t: f"{t} "),
    "outputs of markdown": _at("cells", 0, "outputs", make=lambda t: [{"text": t}]),
    "attached text": _attached("text/plain", str),
    "attached picture": _attached("image/png", lambda t: _picture(t, "png")),
    "name of an attached file": _name_attachment,
    "injected parameters": _cell(_tagged("injected-parameters")),
    "papermill's error cell": _cell(_tagged("papermill-error-cell-tag")),
    "papermill's parameters": _at("metadata", "papermill", "parameters", "patient"),
    "papermill's input": _at("metadata", "papermill", "input_path", make="/srv/{}.ipynb".format),
    "papermill's output": _at("metadata", "papermill", "output_path", make="s3://x/{}".format),
    "papermill's environment": _at("metadata", "papermill", "environment_variables", "TOKEN"),
    "state of widgets": lambda n, t: n["metadata"].update(
        {"widgets": {_STATE: {"state": {"ab12": {"state": {"value": t}}}}}}
    ),
    "key of a widget": lambda n, t: n["metadata"].update(
        {"widgets": {_STATE: {"state": {t: {"model_name": "TextModel"}}}}}
    ),
    "title": _at("metadata", "title"),
    "authors": _at("metadata", "authors", make=lambda t: [{"name": t}]),
    "editor's metadata": _at("metadata", "vscode", "interpreter", "hash"),
    "origin's format": _at("metadata", "orig_nbformat"),
    "jupytext's header": _at("metadata", "jupytext", "text_representation", "header"),
    "kernel's environment": _at("metadata", "kernelspec", "env", make=lambda t: {"TOKEN": t}),
    "kernel's arguments": _at("metadata", "kernelspec", "argv", make=lambda t: ["python", t]),
    "version of the language": _at("metadata", "language_info", "version"),
    "mode of the language": _at("metadata", "language_info", "codemirror_mode", "name"),
    "key beside the cells": _at("signature"),
    "list beside the cells": _at("comments", make=lambda t: [{"said": t}]),
    "minor format": _at("nbformat_minor"),
    "picture in the text": lambda n, t: n["cells"].append(
        markdown(f"![x](data:image/png;base64,{_picture(t, 'png')})\n")
    ),
    "picture by reference": lambda n, t: n["cells"].append(
        markdown(f"![x][p]\n\n[p]: data:text/plain;base64,{_base64_of(t)}\n")
    ),
    "picture as an element": lambda n, t: n["cells"].append(
        markdown(f'<img alt="{_base64_of(t)}" src="data:image/png;base64,{_base64_of(t)}">\n')
    ),
}  # fmt: skip


def _last(kind: Callable[[str], dict[str, Any]], around: str = "{}") -> Corner:
    def plant(notebook: Notebook, text: str) -> None:
        notebook["cells"].append(kind(around.replace("{}", text)) | {"id": "last"})

    return plant


def _raw(source: str) -> dict[str, Any]:
    return {"cell_type": "raw", "metadata": {"format": "text/restructuredtext"},
            "source": source}  # fmt: skip


def _in_halves(kind: Callable[[str], dict[str, Any]]) -> Corner:
    def plant(notebook: Notebook, text: str) -> None:
        notebook["cells"].append(kind("") | {"id": "last", "source": _halves(f"# {text}")})

    return plant


def _joined(text: str) -> str:
    return text.replace(" ", "-").replace("/", "-")[:60]


WRITTEN: dict[str, Corner] = {
    "tag of a cell": _at("cells", 1, "metadata", "tags", make=lambda t: [_joined(t).lower()]),
    "cell's own name": _at("cells", 1, "id", make=_joined),
    "comment": _last(code, "# {}\nx = 1\n"),
    "comment behind code": _last(code, "x = 1  # {}\n"),
    "string": _last(code, 'who = """{}"""\n'),
    "docstring": _last(code, 'def f():\n    """Count.\n\n    {}\n    """\n'),
    "table in a string": _last(code, 'data = """ward;seen\nA;{}\n"""\n'),
    "JSON in a string": _last(code, "body = '{\"seen\": \"{}\"}'\n"),
    "bytes": _last(code, "body = b'''{}'''\n"),
    "shell": _last(code, "!echo {}\n"),
    "magic": _last(code, "%env SEEN={}\n"),
    "cell magic": _last(code, "%%bash\nexport SEEN=\"{}\"\n"),
    "SQL": _last(code, "q = '''select * from stays -- {}\n'''\n"),
    "R": _last(code, "# {}\nx <- 1\n"),
    "source in halves": _in_halves(code),
    "markdown": _last(markdown, "Vu avec le service : {}.\n"),
    "markdown in halves": _in_halves(markdown),
    "hidden comment": _last(markdown, "Voir.\n\n<!-- {} -->\n"),
    "address of a link": _last(markdown, "[ici](https://example.org/?q={})\n"),
    "title of a link": _last(markdown, '[ici](https://example.org "{}")\n'),
    "defined link": _last(markdown, "[a]\n\n[a]: https://example.org '{}'\n"),
    "name of a picture": _last(markdown, "![{}](figures/a.png)\n"),
    "linked file in the text": lambda n, t: n["cells"].append(
        markdown(f"[lettre](data:text/plain;base64,{_base64_of(t)})\n")
    ),
    "percent file in the text": _last(markdown, "[lettre](data:text/plain,{})\n"),
    "hidden element": _last(markdown, '<span hidden title="{}"></span>\n'),
    "table": _last(markdown, "| a | b |\n|---|---|\n| 1 | {} |\n"),
    "formula": _last(markdown, "$$ \\text{{}} $$\n"),
    "heading": _last(markdown, "## {}\n"),
    "footnote": _last(markdown, "Texte[^1]\n\n[^1]: {}\n"),
    "raw cell": _last(_raw, ".. note:: {}\n"),
    "name of the kernel": _at("metadata", "kernelspec", "display_name"),
    "short name of the kernel": _at("metadata", "kernelspec", "name"),
    "language": _at("metadata", "kernelspec", "language"),
    "name of the language": _at("metadata", "language_info", "name"),
}  # fmt: skip

FITTING = {"tag of a cell": ("name",), "cell's own name": ("name", "aws_key", "gitlab_token")}
"""Kinds that the forms of tags and names of cells let stand there; others are taken away."""

UNFIT = {*FITTING, "linked file in the text"}
"""Corners that nothing clean can fill: a file in a text is refused, whatever is in it."""

SMALL = {"name of the kernel", "short name of the kernel", "language", "name of the language"}
"""Corners of one short line: more is not kept there."""


def write(notebook: Notebook) -> bytes:
    """Write a notebook as Jupyter does."""
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")
