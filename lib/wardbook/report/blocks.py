"""What a report shows between its head and its foot, in the notebook's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar

from markupsafe import Markup

from wardbook.artefacts.clean import PictureRefusal, clean_image
from wardbook.report.cell_styles import CellStyle, name_classes
from wardbook.report.figures import read_png_size
from wardbook.report.problem import ReportProblem
from wardbook.report.prose import render_prose
from wardbook.report.publication import Publication
from wardbook.report.released import ReleasedFile
from wardbook.report.tables import (
    MISSING,
    ReadableTable,
    declared_kinds,
    find_row_head,
    mark_cut,
    read_table,
)
from wardbook.report.voice import Voice
from wardbook.template.spec import Template


@dataclass(frozen=True)
class Text:
    """Safe HTML of one `wb.say`; `key` names the template's text."""

    kind: ClassVar[str] = "text"
    html: Markup
    key: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure with its file's bytes; `number` counts the figures of the report from 1."""

    kind: ClassVar[str] = "figure"
    number: int
    caption: str
    alternative: str
    file: str
    width: int
    height: int
    content: bytes


@dataclass(frozen=True)
class Table:
    """A table as the reader sees it; `file` holds all its rows, in `size` octets.

    `styles` name the class of a cell by its row and column, both from 0.
    """

    kind: ClassVar[str] = "table"
    number: int
    caption: str
    table: ReadableTable
    file: str
    size: int
    styles: Mapping[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Withheld:
    """The sentence that stands where an output was not released or may not be shown."""

    kind: ClassVar[str] = "withheld"
    sentence: str


Block = Text | Figure | Table | Withheld


def arrange_blocks(
    publications: Sequence[Publication],
    shelf: Mapping[str, ReleasedFile],
    template: Template,
    voice: Voice,
) -> tuple[Block, ...]:
    """Return the blocks of a report.

    Raises:
        ReportProblem: a figure lacks its alternative text, or a file is not what was declared.
    """
    blocks: list[Block] = []
    classes = name_classes([publication.styles for publication in publications])
    for publication in publications:
        number = 1 + sum(block.kind == publication.kind for block in blocks)
        if publication.kind == "text":
            blocks.append(Text(render_prose(publication.text), publication.output))
        elif publication.output not in shelf:
            blocks.append(_withhold(publication.output, template, voice))
        elif shelf[publication.output].output.kind.value != publication.kind:
            raise ReportProblem(
                f"output {publication.output!r} is shown as a {publication.kind}, which it is not."
            )
        elif publication.kind == "figure":
            blocks.append(_show_figure(shelf[publication.output], number, voice))
        else:
            table = _show_table(shelf[publication.output], number, publication.rows, voice)
            blocks.append(replace(table, styles=_choose(publication.styles, table, classes)))
    return tuple(blocks)


def label_output(name: str, template: Template, voice: Voice) -> str:
    """Return the title that the template gives an output, or its name if it declares none."""
    spec = template.spec.outputs.get(name)
    return spec.title.in_language(voice.language) if spec else name


def _withhold(name: str, template: Template, voice: Voice) -> Withheld:
    return Withheld(voice.say("report.withheld", title=label_output(name, template, voice)))


def _show_figure(file: ReleasedFile, number: int, voice: Voice) -> Figure:
    name = file.output.name
    if not file.output.alternative.strip():
        raise ReportProblem(
            f"figure {name!r} has no alternative text. Say in words what it shows: "
            "wb.figure(…, alternative=…)."
        )
    try:
        content = clean_once(file.content, name)
    except PictureRefusal as refusal:
        raise ReportProblem(str(refusal)) from None
    width, height = read_png_size(content, name=name)
    return Figure(
        number=number,
        caption=_caption(file, voice),
        alternative=file.output.alternative,
        file=file.address,
        width=width,
        height=height,
        content=content,
    )


@lru_cache(maxsize=16)
def clean_once(content: bytes, name: str) -> bytes:
    """Clean a picture: its pixels are unfolded once for the check, the evidence and the site."""
    return clean_image(content, name=name)


def _show_table(file: ReleasedFile, number: int, rows: int | None, voice: Voice) -> Table:
    labels = {key: text.in_language(voice.language) for key, text in file.spec.columns.items()}
    table = read_table(
        file.content,
        labels,
        name=file.output.name,
        voice=voice,
        rows=rows,
        kinds=declared_kinds(file.spec),
    )
    table = replace(table, head=find_row_head(file.spec))
    if file.hidden:
        placing = {*file.spec.dimensions, *file.spec.labels}
        figures = [at for at, column in enumerate(file.spec.columns) if column not in placing]
        table = mark_cut(table, file.hidden, figures, voice)
    return Table(
        number=number,
        caption=_caption(file, voice),
        table=table,
        file=file.address,
        size=len(file.content),
    )


def _choose(
    styles: Sequence[CellStyle], table: Table, classes: Mapping[str, str]
) -> dict[tuple[int, int], str]:
    """Return the classes of cells that are shown; a cell without a value has none.

    What a check took out of a table after the notebook coloured it must not stay as a colour.
    """
    rows = table.table.rows
    return {
        (style.row, style.column): classes[style.css]
        for style in styles
        if style.row < len(rows)
        and style.column < len(rows[style.row])
        and rows[style.row][style.column] != MISSING
        and (style.row, style.column) not in table.table.cut
    }


def _caption(file: ReleasedFile, voice: Voice) -> str:
    return file.output.caption or file.spec.title.in_language(voice.language)
