"""Corners outside the format: notebooks that are broken, old, named or written otherwise.

Each makes the file's name and bytes of a run notebook and a text. `n0001` is put before the name,
behind which a folder may begin: what is told of a name with an identifier has it masked.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable

from tests.planted_notebooks.corners import Notebook, write

Made = tuple[str, bytes]
File = Callable[[Notebook, str], Made]


def _printed(notebook: Notebook, text: str) -> Notebook:
    notebook["cells"][2]["outputs"].append(
        {"output_type": "stream", "name": "stdout", "text": text}
    )
    return notebook


def _commented(notebook: Notebook, text: str) -> Notebook:
    notebook["cells"][1]["source"].append(f"# {text}\n")
    return notebook


def _twice(notebook: Notebook, text: str) -> Made:
    told = json.dumps(text)
    return ".ipynb", write(notebook).replace(b'"metadata": {', b'"metadata": ' + told.encode() +
                                             b',\n "metadata": {', 1)  # fmt: skip


def _old(notebook: Notebook, text: str, *, written: bool) -> Made:
    """Format 3: worksheets, prompt numbers, headings."""
    printed = [] if written else [text]
    cells = [
        {"cell_type": "heading", "level": 2, "metadata": {}, "source": "Séjours"},
        {"cell_type": "code", "collapsed": False, "language": "python", "metadata": {},
         "input": [f"x = 1 # {text if written else ''}\n"], "prompt_number": 3,
         "outputs": [{"output_type": "pyout", "prompt_number": 3, "text": printed}]},
    ]  # fmt: skip
    whole = {"metadata": {"name": "n"}, "nbformat": 3, "nbformat_minor": 0,
             "worksheets": [{"cells": cells, "metadata": {}}]}  # fmt: skip
    return ".ipynb", write(whole)


def _format(notebook: Notebook, text: str, minor: int) -> Made:
    for cell in notebook["cells"]:
        cell.pop("id", None)
    return ".ipynb", write(_printed(notebook, text) | {"nbformat_minor": minor})


def _nested(notebook: Notebook, text: str) -> Made:
    deep = b"[" * 100_000 + b"]" * 100_000
    told = json.dumps(text).encode()
    return ".ipynb", b'{"cells": [], "nbformat": 4, "a": [' + told + b", " + deep + b"]}\n"


def _zipped(notebook: Notebook, text: str) -> Made:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("n.ipynb", write(_printed(notebook, text)))
    return ".zip", packed.getvalue()


def _huge(notebook: Notebook, text: str) -> Made:
    filling = "0.123 séjours par lit et par jour\n" * 10_000
    notebook["cells"][2]["outputs"].append({"output_type": "stream", "name": "stdout",
                                            "text": filling + text + filling})  # fmt: skip
    return ".ipynb", write(notebook)


PARSED: dict[str, File] = {
    "format 3": lambda n, t: _old(n, t, written=False),
    "format 4.0": lambda n, t: _format(n, t, 0),
    "format 4.2": lambda n, t: _format(n, t, 2),
    "format 4.4": lambda n, t: _format(n, t, 4),
    "byte order mark": lambda n, t: (".ipynb", b"\xef\xbb\xbf" + write(_printed(n, t))),
    "Windows' line ends": lambda n, t: (
        ".ipynb", write(_printed(n, t)).replace(b"\n", b"\r\n")
    ),
    "key said twice": _twice,
    "not a number": lambda n, t: (
        ".ipynb", write(_printed(n, t)).replace(b'"nbformat": 4', b'"x": NaN,\n "nbformat": 4')
    ),
    "huge": _huge,
    "in checkpoints": lambda n, t: ("/.ipynb_checkpoints/n.ipynb", write(_printed(n, t))),
    "not ASCII": lambda n, t: (
        ".ipynb", json.dumps(_printed(n, t), ensure_ascii=True).encode()
    ),
}  # fmt: skip
"""What the filter reads: a plant in an output goes."""

REFUSED: dict[str, File] = {
    "format 3, in the code": lambda n, t: _old(n, t, written=True),
    "format 5": lambda n, t: (".ipynb", write(_printed(n, t) | {"nbformat": 5})),
    "format of text": lambda n, t: (".ipynb", write(_printed(n, t) | {"nbformat": "4"})),
    "cut off": lambda n, t: (".ipynb", write(_commented(n, t))[:-40]),
    "text behind": lambda n, t: (".ipynb", write(n) + f"{t}\n".encode()),
    "conflict marks": lambda n, t: (
        ".ipynb", b"<<<<<<< ours\n" + write(n) + f"=======\n{t}\n>>>>>>> theirs\n".encode()
    ),
    "comments in JSON": lambda n, t: (".ipynb", f"// {t}\n".encode() + write(n)),
    "JSON in lines": lambda _, t: (".ipynb", f'{{"a": 1}}\n{json.dumps({"b": t})}\n'.encode()),
    "a list": lambda n, t: (".ipynb", write([_printed(n, t)])),  # type: ignore[arg-type]
    "a text": lambda _, t: (".ipynb", f"Bonjour, {t}\n".encode()),
    "a script": lambda _, t: (".ipynb", f"#!/bin/sh\necho '{t}'\n".encode()),
    "unknown cell": lambda n, t: (
        ".ipynb", write(n | {"cells": [*n["cells"], {"cell_type": "query", "source": t}]})
    ),
    "source of objects": lambda n, t: (
        ".ipynb", write(n | {"cells": [{"cell_type": "code", "source": [{"a": t}]}]})
    ),
    "nested": _nested,
    "UTF-16": lambda n, t: (".ipynb", write(_printed(n, t)).decode().encode("utf-16")),
    "Latin-1": lambda n, t: (".ipynb", write(_printed(n, t)).decode().encode("latin-1", "replace")),
    "packed": lambda n, t: (".ipynb", gzip.compress(write(_printed(n, t)))),
    "capital suffix": lambda n, t: (".IPYNB", write(_printed(n, t))),
    "other suffix": lambda n, t: (".json", write(_printed(n, t))),
    "no suffix": lambda n, t: ("", write(_printed(n, t))),
    "kept as .bak": lambda n, t: (".ipynb.bak", write(_printed(n, t))),
    "kept as .txt in UTF-16": lambda n, t: (
        ".txt", write(_printed(n, t)).decode().encode("utf-16")
    ),
    "in an archive": _zipped,
    "script of a notebook": lambda _, t: (".py", f"# %% [markdown]\n# {t}\nx = 1\n".encode()),
}  # fmt: skip
"""What must be refused, or whose plant is the author's."""


def name_with(text: str) -> str:
    """Return a file's name that says a text."""
    return "_" + text.replace("/", "-").replace(" ", "_").replace("\n", "_")


NAMED: dict[str, File] = {
    "name of the file": lambda n, t: (f"/{name_with(t)}.ipynb", write(n)),
    "name of a folder": lambda n, t: (f"/{name_with(t)}/n.ipynb", write(n)),
}
