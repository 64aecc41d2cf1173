"""Stripping again changes nothing, keeps what authors wrote, and never fails but by a sentence."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from wardbook.identifiers.notebooks import check_notebook
from wardbook.stripping import NoNotebook, strip_notebook

words = st.text(st.characters(codec="utf-8"), max_size=30)
sources = words | st.lists(words, max_size=4)
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
labels = st.lists(st.sampled_from(["parameters", "kept", "À voir", "x" * 60]) | words, max_size=3)
metadata = junk | st.fixed_dictionaries({"tags": labels}, optional={"slideshow": junk, "a": junk})
cells = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": sources},
    optional={"id": words | st.just("same"), "metadata": metadata, "outputs": junk,
              "execution_count": junk, "attachments": junk, "other": junk},
)  # fmt: skip
notebooks = st.fixed_dictionaries(
    {"cells": st.lists(cells, max_size=5), "nbformat": st.just(4)},
    optional={"metadata": junk, "nbformat_minor": junk, "extra": junk},
)


def joined(source: str | list[str]) -> str:
    return "".join(source).replace("\r\n", "\n").replace("\r", "\n")


@given(notebooks)
@settings(max_examples=80, deadline=None)
def test_what_authors_wrote_is_all_that_stays(notebook: dict[str, Any]) -> None:
    once = strip_notebook(json.dumps(notebook))
    assert strip_notebook(once) == once
    told = json.loads(once)
    assert [joined(cell["source"]) for cell in told["cells"]] == [
        joined(cell["source"]) for cell in notebook["cells"]
    ]
    assert set(told) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    for cell in told["cells"]:
        assert set(cell) <= {"cell_type", "id", "metadata", "source", "execution_count", "outputs"}
        assert set(cell["metadata"]) <= {"tags", "slideshow"}
        assert not cell.get("outputs") and cell.get("execution_count") is None
    assert len({cell["id"] for cell in told["cells"]}) == len(told["cells"])
    # The check asks for this very form.
    assert {kind for _, kind in check_notebook(once)} <= {"machine_path", "inline_file"}


@given(junk | st.fixed_dictionaries({"nbformat": junk, "cells": junk, "worksheets": junk}))
@settings(max_examples=80, deadline=None)
def test_what_is_no_notebook_is_refused_in_a_sentence(value: Any) -> None:
    try:
        once = strip_notebook(json.dumps(value))
    except NoNotebook as error:
        assert str(error).startswith("this is no notebook: ")
    else:
        assert strip_notebook(once) == once
