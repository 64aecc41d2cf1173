"""The page on which a reviewer judges a run; it stays on the secure side.

One file without scripts, and nothing in it is loaded from elsewhere: every value is text, figures
are data, the style is named by its digest in the page's policy.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from typing import Any

from wardbook.domain.output import Output, OutputKind
from wardbook.messages import Language, say
from wardbook.review.difference import Sheet
from wardbook.template.spec import OutputSpec

MOST_SHOWN = 200
"""Rows of a table that the page bears; the file in the run's folder holds all."""


@dataclass(frozen=True)
class Counts:
    """The numbers of persons behind a table's rows: how many rows, zeros and small ones."""

    column: str
    rows: int
    total: str
    small: int
    zeros: int


@dataclass(frozen=True)
class ShownTable:
    """The first rows of a table as they stand in its file; `total` counts all."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int


@dataclass(frozen=True)
class ShownOutput:
    """One output as the page shows it."""

    name: str
    title: str
    about: str
    caption: str = ""
    alternative: str = ""
    image: str = ""
    table: ShownTable | None = None
    counts: Counts | None = None
    small_rows: frozenset[int] = frozenset()


def show_output(
    output: Output,
    declared: OutputSpec | None,
    sheet: Sheet | None,
    image: bytes | None,
    language: Language,
    least: int,
) -> ShownOutput:
    """Return an output as the page shows it.

    Args:
        output: what the run recorded.
        declared: what the template says of it.
        sheet: its rows, where it is a table that could be read.
        image: the bytes of a figure in PNG.
        language: of the page.
        least: the policy's least count of persons.
    """
    title = declared.title.in_language(language) if declared else output.title or output.name
    about = say(language, "review.page_about", size=output.size, digest=output.sha256[:16])
    picture = ""
    if image is not None and output.kind is OutputKind.FIGURE:
        picture = "data:image/png;base64," + base64.b64encode(image).decode()
    counts, small = _count(sheet, declared.count if declared else None, least)
    return ShownOutput(
        name=output.name,
        title=title,
        about=about,
        caption=output.caption or output.title,
        alternative=output.alternative,
        image=picture,
        table=ShownTable(sheet.columns, sheet.rows[:MOST_SHOWN], len(sheet.rows))
        if sheet
        else None,
        counts=counts,
        small_rows=small,
    )


def _count(
    sheet: Sheet | None, column: str | None, least: int
) -> tuple[Counts | None, frozenset[int]]:
    if sheet is None or column is None or column not in sheet.columns:
        return None, frozenset()
    place = sheet.columns.index(column)
    values = [_number(row[place]) for row in sheet.rows]
    small = frozenset(
        number for number, value in enumerate(values) if value is None or 0 < value < least
    )
    total = sum(value for value in values if value is not None)
    zeros = sum(1 for value in values if value == 0)
    return Counts(column, len(values), f"{total:g}", len(small), zeros), small


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_read("evidence.html.j2"))


@cache
def _read(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def render_page(language: Language, values: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        language: of its words.
        values: what `evidence.html.j2` names; texts are shown as text, whatever is in them.
    """
    from markupsafe import Markup

    style = _read("evidence.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return str(
        _template().render(
            language=language,
            t=partial(_say, language),
            style=Markup(style),  # noqa: S704  a file of ours
            policy=policy,
            most=MOST_SHOWN,
            **values,
        )
    )


def _say(language: Language, key: str, /, **values: object) -> str:
    # Markdown's signs mean nothing on a page.
    return say(language, f"review.{key}", **values).replace("**", "").replace("`", "").lstrip("- ")
