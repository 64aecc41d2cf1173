"""What the notebook is given: parameters, sources, language, texts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wardbook.datasets import find_dataset
from wardbook.errors import EnvironmentFault
from wardbook.messages import Language
from wardbook.notebook.markdown import escape_markdown, fill
from wardbook.notebook.parameters import Parameters
from wardbook.notebook.session import SOURCE_VARIABLE, current_session
from wardbook.template.spec import TemplateProblem

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["language", "params", "read", "source", "text"]


def params() -> Parameters:
    """Return the parameters, one typed read-only attribute each."""
    return current_session().parameters


def language() -> Language:
    """Return the report's language, "fr" or "en"."""
    return current_session().language


def source(name: str) -> Path | None:
    """Return the file of a declared source, or None for an optional one that was not given.

    Raises:
        TemplateProblem: `template.toml` declares no such source.
        EnvironmentFault: a required source is not at hand.
    """
    session = current_session()
    if name in session.sources:
        return session.sources[name]
    declared = session.template.spec.sources
    if name not in declared:
        known = ", ".join(declared) or "none"
        raise TemplateProblem(
            f"template.toml declares no source {name!r}, only: {known}. Add it there."
        )
    if declared[name].required:
        raise EnvironmentFault(
            f"no file for the source {name!r}. Set {SOURCE_VARIABLE}{name.upper()} to its path."
            if session.by_hand
            else f"the run has no file for the source {name!r}. Name one in the settings."
        )
    return None


def read(name: str) -> pd.DataFrame | None:
    """Return the rows of a declared source whose kind is a dataset (`wardbook.datasets`).

    None for an optional source that was not given.

    Raises:
        TemplateProblem: `template.toml` declares no such source, or its kind is no dataset.
        EnvironmentFault: a required source is not at hand.
        DataProblem: the file is not what the dataset promises.
    """
    path = source(name)
    kind = current_session().template.spec.sources[name].kind
    dataset = find_dataset(kind)
    if dataset is None:
        raise TemplateProblem(f"{kind!r} is no dataset: read the file of wb.source({name!r}).")
    return None if path is None else dataset.read(path)


def text(key: str, **values: object) -> str:
    """Return the template's text `key` in the report's language, its places filled as they are.

    Raises:
        TemplateProblem: `texts.toml` has no such text, or the text has a place without a value.
    """
    return fill(current_session().texts, key, values, quote=str)


def marked_text(key: str, **values: object) -> str:
    """Return the same text as Markdown: the template's own marks stand, values are plain text."""
    return fill(current_session().texts, key, values, quote=escape_markdown)
