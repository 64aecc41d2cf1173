"""What a text is made of, between reading one markup and writing the other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Style(Enum):
    """What Jira's phrase marks ask for."""

    STRONG = "*"
    EMPHASIS = "_"
    STRIKE = "-"
    INSERTED = "+"
    SUPERSCRIPT = "^"
    SUBSCRIPT = "~"


@dataclass(frozen=True)
class Text:
    """Literal text on one line."""

    text: str


@dataclass(frozen=True)
class Code:
    """Literal text on one line, shown in a monospaced font."""

    text: str


@dataclass(frozen=True)
class Styled:
    """Inlines under a phrase mark."""

    style: Style
    inlines: Inlines


@dataclass(frozen=True)
class Link:
    """A target as it was typed, not yet judged; without inlines the target is the text."""

    inlines: Inlines
    target: str


Inline = Text | Code | Styled | Link
Inlines = tuple[Inline, ...]
Lines = tuple[Inlines, ...]


@dataclass(frozen=True)
class Paragraph:
    """Lines that stay apart."""

    lines: Lines


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    lines: Lines


@dataclass(frozen=True)
class CodeBlock:
    """Verbatim text; the language is as it was typed."""

    language: str
    text: str


@dataclass(frozen=True)
class Quote:
    """Blocks of a quotation or a panel."""

    blocks: Blocks


@dataclass(frozen=True)
class ListBlock:
    """Items, each made of blocks."""

    ordered: bool
    items: tuple[Blocks, ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    header: bool
    lines: Lines


@dataclass(frozen=True)
class Table:
    """Rows, which need not be equally long."""

    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Rule:
    """A horizontal line."""


Block = Paragraph | Heading | CodeBlock | Quote | ListBlock | Table | Rule
Blocks = tuple[Block, ...]


def titled(title: str) -> Blocks:
    """Return the title of a panel or a block of code as a paragraph; none for an empty one."""
    if not title.strip():
        return ()
    return (Paragraph(((Styled(Style.STRONG, (Text(title.strip()),)),),)),)
