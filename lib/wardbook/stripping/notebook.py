"""A notebook in git's one form.

What is not named here does not stay: a format that grows a corner loses it at the next commit,
instead of carrying something into the history that nobody looks at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from wardbook.errors import Refusal
from wardbook.stripping.cells import is_made_by_a_run, name_cell, strip_cell
from wardbook.stripping.pictures import forget_pictures
from wardbook.stripping.upgrade import list_cells

FORMAT, MINOR = 4, 5
KERNEL_FIELDS = ("display_name", "language", "name")
LONGEST_NAME = 100


class NoNotebook(Refusal):
    """A text that is no notebook.

    Args:
        code: name of a message of the topic `stripping`.
        details: what the message needs: numbers of lines and cells, never a value.
    """

    def __init__(self, code: str, **details: int) -> None:
        self.code = code
        self.details: Mapping[str, int] = details
        super().__init__(code, *details.values())

    def __str__(self) -> str:
        from wardbook.messages import say

        return say("en", f"stripping.{self.code}", **self.details)


def strip_notebook(text: str) -> str:
    """Return a notebook as it would be before its first run, in git's one form.

    That is nbformat 4.5, keys sorted, indented by one, LF, one final newline; done again it changes
    nothing. Kept are sources, kinds and names of cells, tags, types of slides, and of the kernel
    its name, display name and language. Notebooks of older formats are upgraded. What the author
    wrote is not changed, but for attached pictures, in whose place it says that one stood there,
    and line ends.

    Raises:
        NoNotebook: it is none.
    """
    notebook = _parse(text)
    kept: list[dict[str, Any]] = []
    names: set[str] = set()
    cells = list_cells(notebook)
    if cells is None:
        _refuse("no_cells")
    for number, cell in enumerate(cells, start=1):
        if is_made_by_a_run(cell):
            continue
        stripped = strip_cell(cell) or _refuse("cell_broken", cell=number)
        if stripped["cell_type"] == "markdown":
            stripped["source"] = forget_pictures(stripped["source"])
        stripped["id"] = name_cell(cell, stripped["source"], names)
        names.add(stripped["id"])
        stripped["source"] = stripped["source"].splitlines(keepends=True)
        kept.append(stripped)
    whole = {
        "cells": kept,
        "metadata": dict(_strip_metadata(notebook.get("metadata"))),
        "nbformat": FORMAT,
        "nbformat_minor": MINOR,
    }
    # A half of a character that JSON may name and UTF-8 cannot hold is shown as such.
    told = json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return told.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _parse(text: str) -> Mapping[str, Any]:
    try:
        notebook = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        _refuse("no_json", line=error.lineno)
    except RecursionError:
        _refuse("too_deep")
    except ValueError:  # a number of thousands of digits
        _refuse("no_cells")
    if not isinstance(notebook, Mapping):
        _refuse("no_cells")
    return notebook


def _refuse(code: str, **details: int) -> NoReturn:
    raise NoNotebook(code, **details) from None


def _strip_metadata(metadata: object) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the kernel and the language; of those that an older format wrote otherwise, nothing."""
    found = metadata if isinstance(metadata, Mapping) else {}
    kernel = _take_names(found.get("kernelspec"), KERNEL_FIELDS)
    if "name" in kernel:
        yield "kernelspec", {"display_name": kernel["name"]} | kernel
    language = _take_names(found.get("language_info"), ("name",))
    if language:
        yield "language_info", language


def _take_names(given: object, fields: tuple[str, ...]) -> dict[str, str]:
    found = given if isinstance(given, Mapping) else {}
    return {
        field: value
        for field in fields
        if isinstance(value := found.get(field), str)
        and 0 < len(value) <= LONGEST_NAME
        and value.isprintable()
    }
